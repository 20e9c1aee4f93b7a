// Who answers `ask` and `chat`: the server that this user runs, where it would answer as this
// process would; else this process, which loads what it needs at the first question. Which of them
// it was is never hidden.
#pragma once

#include <optional>
#include <string>

#include "cascade/cascade.h"
#include "cli/context.h"
#include "resident/client.h"
#include "service/assistant.h"
#include "service/config.h"
#include "service/trace_export.h"

namespace tinyarms::cli {

class Answerer {
 public:
  // All of them outlive it. `quiet`: says nothing of why the server was not asked.
  Answerer(const Context& context, const service::LoadedConfig& config, const Terminal& terminal,
           bool quiet);
  ~Answerer();  // sends what a collector of traces is still to be told, for at most two seconds
  Answerer(const Answerer&) = delete;
  Answerer& operator=(const Answerer&) = delete;

  struct Answered {
    cascade::Reply reply;
    bool by_server = false;
  };
  Answered ask(const cascade::Request& request, cascade::Listener& listener);

  // What would be asked, in order. Of this process.
  cascade::Trace plan(const cascade::Request& request);

 private:
  service::Assistant& assistant();
  // Nothing where this process is to answer.
  std::optional<cascade::Reply> ask_server(const cascade::Request& request,
                                           cascade::Listener& listener);
  void tell(const std::vector<std::string>& notices);

  const Context& context_;
  const service::LoadedConfig& config_;
  const Terminal& terminal_;
  bool quiet_;
  std::string said_;  // why the server was not asked, last
  std::string noticed_;
  std::optional<service::TraceExport> traces_;
  std::optional<service::Assistant> assistant_;
};

// What a program is, for whoever compares: "0.1.0 4f2c1e".
std::string program_name();

}  // namespace tinyarms::cli
