// A server in the background: started, looked at and ended by the one who runs it.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>

#include "base/descriptor.h"
#include "cli/context.h"
#include "cli/serving.h"

namespace tinyarms::cli {

// Where a server in the background writes what it has to say.
std::filesystem::path serve_log(const Paths& paths);

void show_server(const ServeOptions& options, Context& context);  // --status
void stop_server(const ServeOptions& options, Context& context);  // --stop

// The process splits: the one that was started waits until the other serves, tells where, and ends.
// What goes wrong until then shows on the terminal; from then on there is the log.
class Detachment {
 public:
  // Nothing in the process that was started, once the other serves or has failed: the context's
  // exit says which. Before any thread is started.
  static std::optional<Detachment> begin(const ServeOptions& options, Context& context);

  // Says that it serves, and leaves the terminal. Errors: Io (the log).
  Result<void> complete(const nlohmann::ordered_json& facts);

 private:
  Detachment(std::filesystem::path log, std::shared_ptr<Descriptor> waiting)
      : log_(std::move(log)), waiting_(std::move(waiting)) {}

  std::filesystem::path log_;
  std::shared_ptr<Descriptor> waiting_;  // the other end of what the first process reads
};

}  // namespace tinyarms::cli
