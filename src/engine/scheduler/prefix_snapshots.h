// One context's end of the prefix snapshots: what of its memory is worth a copy, in the machine's
// memory or on disk, and which copy is worth bringing back for a request. Used by the one thread
// that owns the context; the disk is read and written on the keeper's
// (snapshots/snapshot_keeper.h).
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <span>
#include <string>

#include "engine/scheduler/kv_store.h"
#include "engine/scheduler/running_request.h"
#include "engine/snapshots/snapshot_keeper.h"
#include "engine/snapshots/snapshot_memory.h"
#include "engine/snapshots/snapshot_places.h"

namespace tinyarms::engine {

class PrefixSnapshots {
 public:
  // Over all that the bytes of the context's memory depend on. An empty one: no copies there.
  struct Bindings {
    std::string memory{};  // valid in this process
    std::string disk{};    // 64 hex digits, valid in any
  };
  // `model`: for people. Context and store outlive it.
  PrefixSnapshots(const SnapshotPlaces& places, Bindings bindings, llama_context* context,
                  KvStore& kv, std::string model);

  // Tokens of prompts computed a second, as measured; 0: not known yet, which leaves what a
  // snapshot told.
  void set_prompt_rate(double rate) {
    if (rate > 0) prompt_rate_ = rate;
  }

  // Puts what has been read from disk into the context's memory. Takes as long as copying it.
  void collect();

  // Brings back what is known of the request's beginning: from memory at once, which takes as long
  // as copying it; true where a file is being read that the request had better wait for. Looks for
  // files once a request: whatever came of it, the request is computed then.
  bool bring(RunningRequest& request);

  // Takes what nobody computes with out of the context, where memory has a copy of it then: whoever
  // computes there passes over its cells, token by token (docs/decisions/0136).
  void send_away_idle();

  // Copies a kept sequence, where that is worth it. True where memory holds it then.
  bool save(const std::string& scope, int sequence, std::span<const llama_token> tokens);
  void save_all_kept();

 private:
  struct Reading {
    std::string scope;
    std::shared_ptr<const SnapshotRead> read;
  };

  void recall(const std::string& scope, std::span<const llama_token> tokens);
  bool awaits_file(RunningRequest& request, std::span<const llama_token> tokens);
  bool is_worth_reading(const SnapshotFolder::Match& match, size_t gain) const;
  bool is_in_memory(const std::string& scope, std::span<const llama_token> tokens) const;
  bool belongs_into_memory(std::span<const llama_token> tokens, uint64_t bytes) const;
  bool belongs_on_disk(const std::string& tag, std::span<const llama_token> tokens,
                       uint64_t bytes) const;
  double seconds_to_compute(size_t tokens, size_t then_tokens, double then_seconds) const;
  bool put_back(const std::string& scope, const SnapshotHead& head, std::string_view state,
                size_t length);
  void restore(const Reading& reading);
  SnapshotState copy(int sequence, uint64_t bytes);
  void measure_copying(uint64_t bytes, std::chrono::steady_clock::time_point start);

  const SnapshotPlaces places_;
  const Bindings bindings_;
  llama_context* context_;
  KvStore& kv_;
  const std::string model_;
  double prompt_rate_ = 0;
  double copied_per_second_;  // bytes, out of the context or into it
  std::map<std::string, Reading> readings_;  // by name of the file
};

}  // namespace tinyarms::engine
