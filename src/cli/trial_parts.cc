#include "cli/trial_parts.h"

#include <fmt/format.h>

#include <cmath>

#include "cli/models_commands.h"
#include "eval/own_failures.h"

namespace tinyarms::cli {
namespace {

std::string right_text(double share, uint64_t items) {
  return fmt::format("{:.0f} ({:.1f} %)", std::round(share * static_cast<double>(items)),
                     eval::percent(share));
}

std::string row_text(std::string_view what, const std::string& in_use,
                     const std::string& on_trial) {
  return fmt::format("{:24} {:>16} {:>16}\n", what, in_use, on_trial);
}

std::string task_text(const eval::TrialTask& task) {
  const eval::Paired& paired = task.paired;
  std::string text = row_text(fmt::format("right, {} of {}", paired.items, task.name),
                              right_text(paired.first, paired.items),
                              right_text(paired.second, paired.items));
  if (task.one_sided > 0) {
    text += fmt::format("  {} more were measured of one model alone\n", task.one_sided);
  }
  if (task.unmeasured > 0) text += fmt::format("  {} could not be measured\n", task.unmeasured);
  if (task.name == eval::kOwnFailures) {
    text += "  (chosen because an answer failed: without a say in the verdict)\n";
  }
  return text;
}

std::string calibration_text(const eval::TrialCalibration& calibration) {
  if (!calibration.problem.empty()) return "calibrator: none: " + calibration.problem + "\n";
  return fmt::format("calibrator: fitted to {} written answers, {} of them right; Brier {:.3f} "
                     "held out, {:.3f} of the share alone\n",
                     calibration.written, calibration.right, calibration.brier,
                     calibration.brier_of_share);
}

}  // namespace

std::filesystem::path trials_folder(const Paths& paths) { return paths.data_dir / "trials"; }

namespace {

Result<catalog::InstalledModel> find_usable(const catalog::ModelStore& store,
                                            const std::string& name, bool encoder) {
  auto model = store.find(name);
  if (!model) return model.error();
  if (!model->problem.empty()) {
    return Error{ErrorCode::Corrupt, model->problem, model->path.string(), "import it again"};
  }
  if (model->encoder && !encoder) {
    return Error{ErrorCode::Unsupported, "is an encoder: it writes no answers", model->name,
                 "compare encoders with --against l1"};
  }
  if (!model->encoder && encoder) {
    return Error{ErrorCode::Unsupported, "is no encoder: it cannot embed questions", model->name,
                 "tinyarms models list shows which are"};
  }
  auto hash = store.sha256_of(*model);
  if (!hash) return hash.error();
  model->sha256 = std::move(*hash);
  return model;
}

}  // namespace

Result<catalog::InstalledModel> find_generator(const catalog::ModelStore& store,
                                               const std::string& name) {
  return find_usable(store, name, false);
}

Result<catalog::InstalledModel> find_encoder(const catalog::ModelStore& store,
                                             const std::string& name) {
  return find_usable(store, name, true);
}

Result<catalog::InstalledModel> find_for(const service::ModelPlace& place,
                                         const catalog::ModelStore& store,
                                         const std::string& name) {
  return find_usable(store, name, place.is_encoder());
}

std::string trial_text(const eval::Trial& trial, const eval::TrialVerdict& verdict) {
  const eval::TrialModel& in_use = trial.in_use;
  const eval::TrialModel& on_trial = trial.on_trial;
  std::string text = fmt::format("in use:   {} {}\non trial: {} {}\n\n", in_use.name,
                                 in_use.quantization, on_trial.name, on_trial.quantization);
  text += row_text("", "in use", "on trial");
  for (const eval::TrialTask& task : trial.tasks) text += task_text(task);
  const eval::Paired& paired = trial.all.paired;
  text += row_text("only this one right", fmt::format("{}", paired.only_first),
                   fmt::format("{}", paired.only_second));
  text += row_text("seconds a question", fmt::format("{:.2f}", in_use.seconds_per_item),
                   fmt::format("{:.2f}", on_trial.seconds_per_item));
  text += row_text("tokens/s read", fmt::format("{:.1f}", in_use.prompt_tokens_rate),
                   fmt::format("{:.1f}", on_trial.prompt_tokens_rate));
  text += row_text("tokens/s written", fmt::format("{:.1f}", in_use.answer_tokens_rate),
                   fmt::format("{:.1f}", on_trial.answer_tokens_rate));
  text += row_text("memory, planned", size_text(in_use.memory_bytes),
                   size_text(on_trial.memory_bytes));
  text += fmt::format("\n{}: {}\n", eval::trial_finding_text(verdict.finding), verdict.reason);
  return text + calibration_text(trial.calibration);
}

}  // namespace tinyarms::cli
