// One context's end of the prefix snapshots: what of its memory is worth a file, and which file is
// worth reading for a request. Used by the one thread that owns the context; reading and writing
// happen on the keeper's (snapshots/snapshot_keeper.h).
#pragma once

#include <map>
#include <memory>
#include <span>
#include <string>

#include "engine/scheduler/kv_store.h"
#include "engine/scheduler/running_request.h"
#include "engine/snapshots/snapshot_keeper.h"

namespace tinyarms::engine {

class PrefixSnapshots {
 public:
  // `binding`: 64 hex digits over all that the bytes of the memory depend on. `model`: for people.
  // Keeper, context and store outlive it.
  PrefixSnapshots(SnapshotKeeper& keeper, llama_context* context, KvStore& kv,
                  std::string binding, std::string model);

  // Tokens of prompts computed a second, as measured; 0: not known yet.
  void set_prompt_rate(double rate) { prompt_rate_ = rate; }

  // Puts what has been read into the context's memory. Takes as long as copying it.
  void collect();

  // Whether a snapshot is being read that the request had better wait for. Looks once a request:
  // whatever came of it, the request is computed then.
  bool comes(RunningRequest& request);

  // Copies a kept sequence and hands it on to be written, where that is worth it.
  void save(const std::string& scope, int sequence, std::span<const llama_token> tokens);
  void save_all_kept();

 private:
  struct Reading {
    std::string scope;
    std::shared_ptr<const SnapshotRead> read;
  };

  bool is_worth_reading(const SnapshotFolder::Match& match, size_t gain) const;
  bool is_worth_writing(const std::string& tag, std::span<const llama_token> tokens,
                        uint64_t bytes) const;
  void restore(const Reading& reading);

  SnapshotKeeper& keeper_;
  llama_context* context_;
  KvStore& kv_;
  const std::string binding_;
  const std::string model_;
  double prompt_rate_ = 0;
  std::map<std::string, Reading> readings_;  // by name of the file
};

}  // namespace tinyarms::engine
