#include "cli/own_figures.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string_view>

#include "advice/stack_plan.h"
#include "base/ascii.h"
#include "cli/models_commands.h"
#include "eval/summary.h"

namespace tinyarms::cli {
namespace {

struct TaskRole {
  std::string_view prefix;  // of a task's name
  advice::Role role;
};
// Tasks of mixed questions have groups, which are named after what they ask for.
constexpr TaskRole kTaskRoles[] = {
    {"humaneval", advice::Role::Code},     {"mbpp", advice::Role::Code},
    {"livecodebench", advice::Role::Code}, {"cruxeval", advice::Role::Code},
    {"mmlu", advice::Role::General},       {"gsm8k", advice::Role::Maths},
    {"math500", advice::Role::Maths}};

// Samples of one question are no questions of their own.
advice::OwnOutcomes of_questions(uint64_t right, uint64_t drawn, uint64_t samples) {
  return {.right = (right + samples / 2) / samples, .items = (drawn + samples - 1) / samples};
}

// Those of a task's questions that ask for the role, each asked `samples` times.
advice::OwnOutcomes outcomes_of(const eval::TaskResult& result, advice::Role role,
                                uint64_t samples) {
  for (const TaskRole& known : kTaskRoles) {
    if (!result.task.starts_with(known.prefix)) continue;
    if (known.role != role) return {};
    return of_questions(result.correct, result.measured, samples);
  }
  uint64_t right = 0;
  uint64_t drawn = 0;
  for (const eval::GroupResult& group : result.groups) {
    if (group.name != advice::role_name(role)) continue;
    right += group.count.hits;
    drawn += group.count.trials;
  }
  return of_questions(right, drawn, samples);
}

// Only where the name says the quantisation: the catalogue's first choice may not be what it is.
std::optional<advice::NamedFile> known_file(const advice::Catalogue& catalogue,
                                            const std::string& name) {
  const auto known = advice::match_catalogue(catalogue, name);
  if (!known || !lowered(name).ends_with(lowered(known->file->quantisation))) return std::nullopt;
  return advice::NamedFile(known->model->name, known->file->quantisation);
}

Result<void> add_summary(const std::string& file, const advice::Catalogue& catalogue,
                         advice::Role role, advice::OwnFigures& own) {
  auto summary = eval::read_summary(file);
  if (!summary) return summary.error();
  const auto samples = static_cast<uint64_t>(std::max(summary->samples, 1));
  uint64_t added = 0;
  for (const eval::TaskResult& result : summary->results) {
    const auto named = known_file(catalogue, result.subject);
    const advice::OwnOutcomes outcomes = outcomes_of(result, role, samples);
    if (!named || outcomes.items == 0) continue;
    advice::OwnOutcomes& sum = own.outcomes[*named];
    sum.right += outcomes.right;
    sum.items += outcomes.items;
    added += outcomes.items;
  }
  if (added > 0) return {};
  return Error{ErrorCode::InvalidArgument,
               fmt::format("holds no outcome of a model of the catalogue over questions of {}",
                           advice::role_name(role)),
               file, "its subjects must be named as in the catalogue, such as smollm3-3b.q4_k_m"};
}

}  // namespace

Result<advice::OwnFigures> own_figures(const advice::Catalogue& catalogue, advice::Role task,
                                       const std::vector<std::string>& summaries,
                                       const Context& context) {
  advice::OwnFigures own;
  auto models = catalog::ModelStore(context.paths.models_dir).list();
  if (!models) return models.error();
  const auto config = service::load_config(context.sources);
  const int threads = config ? config->settings.threads : 0;
  for (const catalog::InstalledModel& model : *models) {
    const auto named = known_file(catalogue, model.name);
    const auto speed = measured_speed(model, threads, context);
    if (!named || !speed || !speed->generates()) continue;
    own.speeds[*named] = {.prompt_tokens_rate = speed->prompt_tokens_rate,
                          .answer_tokens_rate = speed->answer_tokens_rate,
                          .load_seconds = speed->load_seconds};
  }
  for (const std::string& file : summaries) {
    if (auto added = add_summary(file, catalogue, task, own); !added) return added.error();
  }
  return own;
}

}  // namespace tinyarms::cli
