#include "cli/question_options.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "cli/text_input.h"
#include "service/assistant.h"

namespace tinyarms::cli {
namespace {

// "0.6" is for every level, "l2=0.6" for one.
void add_threshold(Context& context, const std::string& text) {
  const size_t equals = text.find('=');
  const std::string key = equals == std::string::npos
                              ? "confidence_threshold"
                              : "thresholds." + text.substr(0, equals);
  const std::string value = equals == std::string::npos ? text : text.substr(equals + 1);
  context.sources.overrides.push_back({key, value, "--confidence-threshold"});
}

Result<std::optional<cascade::Level>> read_level(const std::string& name,
                                                 const std::string& flag) {
  if (name.empty()) return std::optional<cascade::Level>();
  if (auto level = cascade::parse_level(name)) return std::optional(*level);
  return Error{ErrorCode::InvalidArgument, fmt::format("there is no tier \"{}\"", name), flag,
               "the tiers are l0, l1, l2, l3 and l4"};
}

bool is_model_problem(ErrorCode code) { return exit_code(code) == Exit::Model; }

}  // namespace

void add_question_options(CLI::App& app, Context& context, QuestionOptions& options) {
  app.add_option("-f,--file", options.files, "A file to consider (- is standard input)")
      ->allow_extra_args(false)  // one value a flag: the next word is the question
      ->type_name("FILE");
  app.add_option("--tier", options.only_level, "Only this tier may answer")->type_name("l0…l4");
  app.add_option("--max-tier", options.level_max, "Never climb past it")->type_name("l0…l4");
  app.add_option_function<std::vector<std::string>>(
         "--confidence-threshold",
         [&context](const std::vector<std::string>& values) {
           for (const std::string& value : values) add_threshold(context, value);
         },
         "What an answer must reach to be accepted: 0.6, or l2=0.6 for one tier")
      ->allow_extra_args(false)
      ->type_name("[TIER=]P");
  app.add_flag("--explain", options.explain, "Show the trace: tiers, evidence, decisions, times");
  app.add_flag("-q,--quiet", options.quiet, "Print the answer and nothing else");
  add_switch(app, context, "--offline", "offline", "true", "No tier may open a connection");
  add_switch(app, context, "--no-offline", "offline", "false", "Allow the remote tier");
  add_switch(app, context, "--stream", "stream", "always", "Print while generating");
  add_switch(app, context, "--no-stream", "stream", "never", "Print when done");
  add_switch(app, context, "--no-cache", "l1.cache", "false", "Neither use nor fill the cache");
  add_switch(app, context, "--no-server", "use_server", "false",
             "Answer in this process, whatever server runs");
  add_setting(app, context, "--threads", "threads", "Processor threads (0: all)");
  add_setting(app, context, "--seed", "sampling.seed", "Seed of the sampler");
  add_setting(app, context, "--temperature", "sampling.temperature", "0 is greedy");
  add_setting(app, context, "--max-tokens", "sampling.max_tokens", "Longest answer, in tokens");
  add_setting(app, context, "--stop", "sampling.stop", "End the answer before this text");
}

Result<cascade::Request> request_from(const QuestionOptions& options,
                                      const service::Settings& settings, std::istream& input) {
  cascade::Request request = service::make_request(settings);
  auto only = read_level(options.only_level, "--tier");
  if (!only) return only.error();
  auto highest = read_level(options.level_max, "--max-tier");
  if (!highest) return highest.error();
  request.only_level = *only;
  request.level_max = *highest;
  for (const std::string& path : options.files) {
    auto file = read_context_file(path, input);
    if (!file) return file.error();
    request.files.push_back(std::move(*file));
  }
  return request;
}

bool should_stream(const service::Settings& settings, const Terminal& terminal) {
  switch (settings.stream) {
    case service::Switch::Auto: return terminal.answers_are_watched();
    case service::Switch::Always: return true;
    case service::Switch::Never: return false;
  }
  return false;
}

Exit exit_for(const cascade::Reply& reply, bool strict) {
  if (reply.interrupted) return Exit::Interrupted;
  if (reply.winner) return strict && !reply.sure ? Exit::LowConfidence : Exit::Answered;
  for (const cascade::Step& step : reply.trace) {
    if (step.error && is_model_problem(*step.error)) return Exit::Model;
  }
  for (const cascade::Step& step : reply.trace) {
    if (step.error) return exit_code(*step.error);
  }
  return Exit::NoAnswer;
}

}  // namespace tinyarms::cli
