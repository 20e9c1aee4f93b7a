// The second half of a pull: the parts that were chosen are fetched where nobody here has them,
// held against their hashes, joined, checked, loaded on trial and moved into the store, in this
// order.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/stop_flag.h"
#include "catalog/model_store.h"
#include "pull/hub.h"
#include "pull/local_stores.h"
#include "remote/range_download.h"

namespace tinyarms::pull {

// What the user's settings allow.
struct PullTerms {
  std::string hub{};
  remote::WebRules rules{};
  std::vector<std::string> mirrors{};  // folders, file:// or web addresses
  remote::ApiKey token{};              // goes to the hub alone
  int connections = 4;
  uint64_t bytes_max = 0;
  bool offline = true;
  StorePlaces places{};
};

struct PullHooks {
  std::function<void(const std::string& file, uint64_t there, uint64_t total)> progress{};
  std::function<void(const std::string&)> say{};
  std::function<Result<void>(const std::filesystem::path&)> trial{};  // before it gets its name
};

struct Pulled {
  catalog::InstalledModel model{};
  std::string source{};
  std::string replaced{};  // SHA-256 of the version that was in use, and is kept; empty: none
  std::string reused{};  // who had it already; empty: it was fetched
  uint64_t fetched = 0;  // bytes that came over the network, or from a mirror's disk
};

struct PlannedPart {
  HubFile file{};
  std::string url{};
  std::string etag{};            // as the server named it
  std::filesystem::path here{};  // where it is by now
  bool staged = false;           // fetched by us, and ours to move
  bool own = false;              // a model of the store: the new name shares its bytes
};

struct PullPlan {
  std::string name{};        // in the store
  bool named = false;        // by the user
  std::string repository{};  // may be empty
  std::string note{};        // of the source
  std::vector<PlannedPart> parts{};
  std::string replaces{};    // SHA-256 of the version of the same source that has the name now
  std::optional<PlannedPart> whole{};  // what the parts make, where that is here already
  bool hub = false;          // the token is for there
};

// A connection to where the terms allow one, made when it is first asked for.
class PullConnection {
 public:
  explicit PullConnection(const PullTerms& terms) : terms_(terms) {}
  Result<remote::WebSession*> get();  // Errors: Unsupported

 private:
  const PullTerms& terms_;
  std::unique_ptr<remote::WebSession> session_;
};

class Installer {
 public:
  Installer(const catalog::ModelStore& store, const PullTerms& terms, const PullHooks& hooks,
            const StopFlag& stop);

  Result<remote::WebSession*> session() { return connection_.get(); }  // of this pull

  // The model of that hash or name which is installed; nothing where there is none. An earlier
  // version of the same source is to be replaced. Errors: InvalidArgument (the name is another
  // model's), Io.
  Result<std::optional<Pulled>> installed(PullPlan& plan) const;

  // A file of that hash, of this store or another program's, read through to make sure.
  std::optional<HeldFile> held_copy(const WantedFile& wanted) const;

  // Parts by their addresses, then as install().
  Result<Pulled> fetch_and_install(PullPlan& plan);
  // All parts are here, with the hashes that were announced.
  Result<Pulled> install(const PullPlan& plan);

  // Errors: those of engine::check_model_file and of the trial.
  Result<void> check(const std::filesystem::path& file) const;
  void say(const std::string& text) const;

 private:
  Result<void> check_room(const PullPlan& plan) const;
  std::filesystem::path stage_of(const PlannedPart& part) const;
  Result<uint64_t> fetch(const PullPlan& plan, PlannedPart& part, std::string& holder);
  std::optional<Pulled> same_model(const PullPlan& plan,
                                   const std::vector<catalog::InstalledModel>& models) const;
  Result<catalog::InstalledModel> place(const PlannedPart& file, const PullPlan& plan) const;
  Result<PlannedPart> join(const PullPlan& plan);

  const catalog::ModelStore& store_;
  const PullTerms& terms_;
  const PullHooks& hooks_;
  const StopFlag& stop_;
  std::filesystem::path stage_;
  PullConnection connection_;
};

// A file whose hash is another than was announced.
Error wrong_hash(const std::string& where);

}  // namespace tinyarms::pull
