// tinyarms models recommend: which models for which tier on a machine.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <memory>
#include <nlohmann/json.hpp>

#include "advice/recommend.h"
#include "cli/models_commands.h"
#include "cli/own_figures.h"
#include "service/reply_json.h"
#include "service/settings_size.h"

namespace tinyarms::cli {
namespace {

using Json = nlohmann::ordered_json;
using advice::Pick;
using advice::Recommendation;
using advice::RecommendQuestion;

struct RecommendOptions {
  std::string ram;
  std::vector<std::string> latencies;
  std::string task = "code";
  std::string languages;
  std::string licence = "any";
  uint32_t context = 4096;
  std::vector<std::string> summaries;  // of bench
  bool offline = false;
  bool prior = false;
  bool row = false;
  bool json = false;
};

Error wrong(std::string what, std::string where, std::string hint) {
  return Error{ErrorCode::InvalidArgument, std::move(what), std::move(where), std::move(hint)};
}

// "8G" is 8 GB: what people write.
Result<uint64_t> read_ram(std::string text) {
  const char last = text.empty() ? ' ' : text.back();
  if (std::string_view("kKmMgGtT").find(last) != std::string_view::npos) text += 'B';
  auto bytes = service::parse_size(text);
  if (!bytes) {
    Error error = bytes.error();
    error.where = "--ram";
    return error;
  }
  if (*bytes == 0) return wrong("is no memory at all", "--ram", "write a size, such as 8G");
  return *bytes;
}

// "l2=3s", "l3=1500ms"; without a unit: seconds.
Result<void> read_latency(const std::string& text, RecommendQuestion& question) {
  const Error bad = wrong(fmt::format("\"{}\" is not a tier and a time", text), "--max-latency",
                          "write l2=3s or l3=1500ms");
  const size_t equals = text.find('=');
  if (equals == std::string::npos) return bad;
  const std::string tier = text.substr(0, equals);
  const char* const end = text.data() + text.size();
  double seconds = 0;
  const auto [rest, problem] = std::from_chars(text.data() + equals + 1, end, seconds);
  const std::string_view unit(rest, static_cast<size_t>(end - rest));
  if (unit == "ms") seconds /= 1000;
  const bool known = unit.empty() || unit == "s" || unit == "ms";
  if (problem != std::errc() || !known || !(seconds > 0 && seconds < 1e6)) return bad;
  if (tier == "l2") question.l2_seconds_max = seconds;
  else if (tier == "l3") question.l3_seconds_max = seconds;
  else return bad;
  return {};
}

std::vector<std::string> split_languages(const std::string& text) {
  std::vector<std::string> languages;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find(',', begin), text.size());
    if (end > begin) languages.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return languages;
}

Result<RecommendQuestion> read_question(const RecommendOptions& options) {
  RecommendQuestion question;
  auto ram = read_ram(options.ram);
  if (!ram) return ram.error();
  question.ram_bytes = *ram;
  question.task = *advice::parse_role(options.task);
  question.languages = split_languages(options.languages);
  question.commercial = options.licence == "commercial";
  question.offline = options.offline;
  question.context_min = options.context;
  for (const std::string& latency : options.latencies) {
    if (auto read = read_latency(latency, question); !read) return read.error();
  }
  return question;
}

Json number_or_null(double value) { return value == 0 ? Json(nullptr) : Json(value); }

Json pick_json(const Pick& pick) {
  const Json none = nullptr;
  Json json = {{"tier", pick.tier}, {"model", pick.model}};
  json["quantisation"] = pick.quantisation.empty() ? none : Json(pick.quantisation);
  json["context"] = pick.context_tokens == 0 ? none : Json(pick.context_tokens);
  json["bytes"] = pick.bytes;
  json["seconds"] = number_or_null(pick.seconds);
  json["benchmark"] = pick.benchmark.empty() ? none : Json(pick.benchmark);
  json["score"] = number_or_null(pick.score);
  json["basis"] = pick.basis;
  json["measured"] = pick.items > 0;
  json["measured_items"] = pick.items;
  json["seconds_measured"] = pick.seconds_measured;
  if (!pick.reason.empty()) json["reason"] = pick.reason;
  return json;
}

Json stack_json(const std::vector<Pick>& picks, const advice::Assignment& assignment) {
  Json tiers = Json::array();
  for (const Pick& pick : picks) tiers.push_back(pick_json(pick));
  return {{"tiers", tiers},
          {"resident_together", assignment.resident},
          {"total_bytes", assignment.bytes},
          {"expected_accuracy", assignment.accuracy},
          {"expected_seconds", assignment.seconds}};
}

bool is_measured(const Pick& pick) { return pick.items > 0 || pick.seconds_measured; }

// Whether anything in it was measured here.
std::string_view certainty_of(const Recommendation& found) {
  const bool any = std::any_of(found.picks.begin(), found.picks.end(), is_measured);
  return any || found.bytes_rate ? "partly measured" : "prior";
}

std::vector<std::string> assumptions(const Recommendation& found) {
  return {fmt::format("models may take {:g} % of the memory, as memory_budget = \"auto\"",
                      service::kAutoMemoryShare * 100),
          fmt::format("{:g} % of wrong and {:g} % of right answers are passed on to the next tier, "
                      "which solves what the one before solves and more",
                      advice::kCaught * 100, advice::kFalseAlarm * 100),
          fmt::format("{:g} prompt and {:g} answer tokens; of models that were not measured: "
                      "{:.3g} GB/s from memory ({}), {:g} GB/s from disk",
                      advice::kPromptTokens, advice::kAnswerTokens,
                      found.bytes_rate.value_or(advice::kBytesPerSecond) / 1e9,
                      found.bytes_rate ? "as the measured ones" : "assumed",
                      advice::kLoadBytesPerSecond / 1e9),
          "quantisations below four bits a weight are left out; above, the score is taken as it is "
          "published",
          certainty_of(found) == "prior"
              ? std::string("nothing was measured: every figure is a prior")
              : fmt::format("a published score counts as {:g} questions, own outcomes are added",
                            advice::kPriorItems)};
}

Json recommendation_json(const Recommendation& found, const RecommendQuestion& question) {
  Json json = stack_json(found.picks, found.assignment);
  json["ram_bytes"] = question.ram_bytes;
  json["free_bytes"] = found.free_bytes;
  json["certainty"] = certainty_of(found);
  json["assumptions"] = assumptions(found);
  Json pareto = Json::array();
  for (const advice::ParetoRow& row : found.pareto) {
    pareto.push_back(stack_json(row.picks, row.assignment));
  }
  json["pareto"] = pareto;
  Json rejected = Json::array();
  for (const advice::Rejection& rejection : found.rejected) {
    rejected.push_back({{"model", rejection.model}, {"reason", rejection.reason}});
  }
  json["rejected"] = rejected;
  return json;
}

std::string name_of(const std::vector<Pick>& picks, std::string_view tier) {
  for (const Pick& pick : picks) {
    if (pick.tier != tier) continue;
    return pick.model + (pick.quantisation.empty() ? "" : ":" + pick.quantisation);
  }
  return "-";
}

std::string row_text(const Recommendation& found, const RecommendQuestion& question) {
  return fmt::format("| {:g} GB | {} | {} | {}{} | {:.1f} GB | {:.0f} % | {:.1f} s |\n",
                     static_cast<double>(question.ram_bytes) / 1e9, name_of(found.picks, "l1"),
                     name_of(found.picks, "l2"), name_of(found.picks, "l3"),
                     found.assignment.resident ? "" : " (takes turns)",
                     static_cast<double>(found.assignment.bytes) / 1e9,
                     found.assignment.accuracy * 100, found.assignment.seconds);
}

void print_recommendation(const Recommendation& found, const Terminal& terminal) {
  for (const Pick& pick : found.picks) {
    const std::string context =
        pick.context_tokens == 0 ? "" : fmt::format(" ({} tokens)", pick.context_tokens);
    terminal.out(fmt::format("{}  {:36} {}{}\n", pick.tier, name_of({pick}, pick.tier),
                             pick.reason, context));
  }
  terminal.out(fmt::format("\nexpected: {:.1f} % right, {:.1f} s, {} of {} free; {}\n\n"
                           "Pareto:\n",
                           found.assignment.accuracy * 100, found.assignment.seconds,
                           size_text(found.assignment.bytes), size_text(found.free_bytes),
                           certainty_of(found) == "prior" ? "all of it prior, nothing measured"
                                                          : "partly measured"));
  for (const advice::ParetoRow& row : found.pareto) {
    terminal.out(fmt::format("  {:5.1f} %  {:5.1f} s  {:>9}  {:>6}  {} | {} | {}{}\n",
                             row.assignment.accuracy * 100, row.assignment.seconds,
                             size_text(row.assignment.bytes), row.assignment.context_tokens,
                             name_of(row.picks, "l1"), name_of(row.picks, "l2"),
                             name_of(row.picks, "l3"),
                             row.assignment.resident ? "" : " (takes turns)"));
  }
  terminal.out("\nnot chosen:\n");
  for (const advice::Rejection& rejection : found.rejected) {
    terminal.out(printable(fmt::format("  {:24} {}\n", rejection.model, rejection.reason)));
  }
  terminal.out("\nassumed:\n");
  for (const std::string& assumption : assumptions(found)) terminal.out("  " + assumption + "\n");
}

void run_recommend(const RecommendOptions& options, Context& context) {
  const auto question = read_question(options);
  if (!question) return context.fail(question.error(), options.json);
  const advice::Catalogue catalogue = load_catalogue(context);
  const Terminal terminal = context.terminal();
  advice::OwnFigures own;
  if (!options.prior) {
    auto figures = own_figures(catalogue, question->task, options.summaries, context);
    if (!figures) return context.fail(figures.error(), options.json);
    own = std::move(*figures);
  }
  const auto found = advice::recommend(catalogue, *question, own);
  if (!found) return context.fail(found.error(), options.json);
  if (options.json) {
    terminal.out(service::json_text(recommendation_json(*found, *question)));
  } else if (options.row) {
    terminal.out(row_text(*found, *question));
  } else {
    print_recommendation(*found, terminal);
  }
}

}  // namespace

void add_models_recommend(CLI::App& models, Context& context) {
  auto options = std::make_shared<RecommendOptions>();
  CLI::App* recommend = models.add_subcommand(
      "recommend", "Which models for which tier on a machine, with the reason for each");
  recommend->add_option("--ram", options->ram, "The machine's memory")
      ->required()
      ->type_name("SIZE");
  recommend->add_option("--max-latency", options->latencies, "Of an answer: l2=3s, l3=20s")
      ->allow_extra_args(false)
      ->type_name("TIER=TIME");
  recommend->add_option("--task", options->task, "What it is for")
      ->check(CLI::IsMember({"code", "general", "maths"}))
      ->type_name("code|general|maths");
  recommend->add_option("--languages", options->languages, "Spoken languages, such as en,de")
      ->type_name("LIST");
  recommend->add_option("--licence", options->licence, "What the licences must allow")
      ->check(CLI::IsMember({"any", "commercial"}))
      ->type_name("any|commercial");
  recommend->add_option("--context", options->context, "Tokens that each tier must hold")
      ->check(CLI::Range(256u, 1048576u))
      ->type_name("N");
  auto* bench = recommend
                    ->add_option("--bench", options->summaries,
                                 "What `bench --output` wrote: own outcomes of that task")
                    ->allow_extra_args(false)
                    ->type_name("FILE");
  recommend->add_flag("--prior", options->prior, "As if nothing was measured: for another machine")
      ->excludes(bench);
  recommend->add_flag("--offline", options->offline, "No remote tier");
  recommend->add_flag("--row", options->row, "One row of a Markdown table");
  recommend->add_flag("--json", options->json, "As JSON");
  recommend->footer(
      "What `models measure` found counts before what is assumed of speed, and outcomes of\n"
      "--bench with the published score. Exit status 5: no model fits.\n"
      "Examples:\n"
      "  tinyarms models recommend --ram 8G --task code --licence commercial --offline\n"
      "  tinyarms models recommend --ram 16G --max-latency l2=3s --languages en,de --json\n"
      "  tinyarms models recommend --ram 16G --task maths --bench results/gsm8k.json");
  recommend->callback([options, &context] { run_recommend(*options, context); });
}

}  // namespace tinyarms::cli
