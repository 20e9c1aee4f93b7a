// The flags that `ask` and `chat` share, and the request they make.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "cascade/cascade.h"
#include "cascade/request.h"
#include "cli/context.h"

namespace tinyarms::cli {

struct QuestionOptions {
  std::vector<std::string> files;
  std::string only_level;
  std::string level_max;
  bool explain = false;
  bool quiet = false;
};

void add_question_options(CLI::App& app, Context& context, QuestionOptions& options);

// The settings' limits, the flags' levels, the files. Errors: InvalidArgument.
Result<cascade::Request> request_from(const QuestionOptions& options,
                                      const service::Settings& settings, std::istream& input);

bool should_stream(const service::Settings& settings, const Terminal& terminal);

// 0 for an accepted answer, else which of the documented numbers; `strict` as --strict.
Exit exit_for(const cascade::Reply& reply, bool strict);

}  // namespace tinyarms::cli
