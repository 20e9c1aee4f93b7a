// Brings a model into the store: from what other programs of this machine hold, a mirror, a hub or
// an address, in this order. A model is in the store once it is whole, its hash is the one that was
// announced, the checks of engine/model_check.h and the trial found nothing; before that it has no
// name there.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "base/stop_flag.h"
#include "catalog/model_store.h"
#include "pull/installer.h"
#include "pull/source.h"

namespace tinyarms::pull {

// What the catalogue says of a name.
struct CatalogueFile {
  std::string repository{};
  std::string quantisation{};
  std::string file{};
  std::string sha256{};
  uint64_t bytes = 0;  // 0: not known exactly
};

struct PullRequest {
  PullSource source{};
  std::string name{};          // in the store; empty: the file's
  CatalogueFile catalogue{};  // for a name; empty where the catalogue has none
};

class Puller {
 public:
  Puller(const catalog::ModelStore& store, PullTerms terms, PullHooks hooks, const StopFlag& stop);
  ~Puller();

  // Errors: NotFound, Unavailable (offline and not here; the server's fault), Config (an address,
  // a token), Corrupt (hash, model file), Unsupported, OverBudget, Io, Interrupted,
  // InvalidArgument (the name is another model's). What came of a file is kept for the next call,
  // but for one of a wrong hash.
  Result<Pulled> pull(const PullRequest& request);

 private:
  class Work;
  const catalog::ModelStore& store_;
  PullTerms terms_;
  PullHooks hooks_;
  const StopFlag& stop_;
};

}  // namespace tinyarms::pull
