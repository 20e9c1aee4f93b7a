#include "cli/record_input.h"

#include <CLI/CLI.hpp>

namespace tinyarms::cli {

void add_record_options(CLI::App& app, calibration::ReadOptions& read) {
  app.add_option_function<std::string>(
         "--cost",
         [&read](const std::string& unit) {
           read.unit = unit == "tokens" ? calibration::CostUnit::Tokens
                                        : calibration::CostUnit::Seconds;
         },
         "What bench records cost")
      ->check(CLI::IsMember({"seconds", "tokens"}))
      ->type_name("seconds|tokens");
  app.add_option_function<std::vector<std::string>>(
         "--rename",
         [&read](const std::vector<std::string>& pairs) {
           for (const std::string& pair : pairs) {
             const size_t split = pair.find('=');
             if (split == std::string::npos || split == 0 || split + 1 == pair.size()) {
               throw CLI::ValidationError("--rename", "`" + pair + "` is not TIER=NAME");
             }
             read.tier_names[pair.substr(0, split)] = pair.substr(split + 1);
           }
         },
         "Call a tier of the records otherwise, e.g. a model benched alone: MODEL=l2")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->type_name("TIER=NAME");
  app.add_flag("--mixed-models", read.mixed_models, "Allow a tier to have several models");
}

void fail_records(Context& context, const Error& error, bool json) {
  context.fail(error, json);
  switch (error.code) {
    case ErrorCode::NotFound:
    case ErrorCode::Corrupt:
    case ErrorCode::Unsupported:
    case ErrorCode::OverBudget: context.exit = Exit::Usage; break;
    case ErrorCode::InvalidArgument:
    case ErrorCode::Config:
    case ErrorCode::Io:
    case ErrorCode::ContextTooLong:
    case ErrorCode::Interrupted:
    case ErrorCode::Unavailable:
    case ErrorCode::Internal: break;
  }
}

}  // namespace tinyarms::cli
