// tinyarms models migrate: a tier gets the model that won its trial, and can have the old one back.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "base/sha256.h"
#include "calibration/calibrator_file.h"
#include "cli/index_report.h"
#include "cli/index_workshop.h"
#include "cli/models_commands.h"
#include "cli/trial_parts.h"
#include "service/cache_pairs.h"
#include "service/calibrated_estimator.h"
#include "service/library_access.h"
#include "service/reply_json.h"
#include "service/user_files.h"

namespace tinyarms::cli {
namespace {

using catalog::InstalledModel;
using service::Migration;
using service::ModelPlace;
using MigrateJson = nlohmann::ordered_json;

struct MigrateOptions {
  std::string name;
  std::string place;
  bool back = false;
  bool yes = false;
  bool force = false;
  bool json = false;
};

// What a migration or a way back comes to, for people and programs.
struct Step {
  std::string from;
  std::string to;
  std::string calibrator;  // put in force, or taken out of it; empty: none
  std::optional<eval::TrialVerdict> verdict;
  std::string no_calibrator;  // why there is none
};

struct Migrating {
  const MigrateOptions& options;
  const service::LoadedConfig& config;
  ModelPlace place;
  catalog::ModelStore store;
  service::MigrationFiles files;
  Context& context;

  const service::Settings& settings() const { return config.settings; }
};

std::string trial_command(const Migrating& migrating, const std::string& model) {
  return fmt::format("tinyarms models trial {} --against {}", model, migrating.place.word);
}

// The newest trial of these two very files by this engine. Errors: NotFound, which says what there
// is instead.
Result<eval::StoredTrial> find_trial(const Migrating& migrating, const InstalledModel& model,
                                     const InstalledModel& in_use) {
  std::string instead = "no trial of the two is kept";
  for (eval::StoredTrial& stored :
       eval::stored_trials(trials_folder(migrating.context.paths))) {
    const eval::Trial& trial = stored.trial;
    const bool names = trial.on_trial.name == model.name && trial.in_use.name == in_use.name;
    const bool hashes =
        trial.on_trial.sha256 == model.sha256 && trial.in_use.sha256 == in_use.sha256;
    if (hashes && trial.engine == service::engine_build()) return std::move(stored);
    if (hashes) instead = "the trial that is kept was made by another build of the engine";
    if (names && !hashes) instead = "the trial that is kept was of other files of these names";
  }
  return Error{ErrorCode::NotFound, instead,
               fmt::format("{} against {}", model.name, in_use.name),
               trial_command(migrating, model.name)};
}

// The trial's calibrator for the answers of this place's level, and the text of its file.
Result<std::string> calibrator_text(const eval::StoredTrial& stored, const InstalledModel& model,
                                    const ModelPlace& place) {
  const std::string& problem = stored.trial.calibration.problem;
  if (!problem.empty()) return Error{ErrorCode::NotFound, problem, "", ""};
  auto set = calibration::load_calibrators(stored.files.calibrator());
  if (!set) return set.error();
  if (set->identity.model_sha != model.sha256 ||
      set->identity.engine != service::engine_build()) {
    return Error{ErrorCode::Corrupt, "was fitted to another model or engine",
                 stored.files.calibrator().string(), "repeat the trial"};
  }
  set->tier = place.level;
  return calibration::calibrators_json(*set);
}

struct Going {
  Migration migration;
  Step step;
  std::string calibrator;  // its text; empty: none
};

// Who is there now; with --force also nobody that can be found.
Result<InstalledModel> model_in_use(const Migrating& migrating) {
  const std::string& name = service::model_at(migrating.settings(), migrating.place);
  if (name.empty()) {
    if (migrating.options.force) return InstalledModel{};
    return Error{ErrorCode::Config, "no model is configured there, so no trial can tell which is "
                                    "better", std::string(migrating.place.key),
                 "set it in the configuration, or --force"};
  }
  auto model = find_for(migrating.place, migrating.store, name);
  if (!model && migrating.options.force) return InstalledModel{};
  return model;
}

Result<InstalledModel> new_model(const Migrating& migrating) {
  auto model = find_for(migrating.place, migrating.store, migrating.options.name);
  if (!model) return model.error();
  if (model->path.parent_path() != migrating.store.folder()) {
    return Error{ErrorCode::InvalidArgument, "is not in the model store", model->path.string(),
                 "tinyarms models import FILE: calibrators are bound to installed models"};
  }
  if (migrating.place.is_encoder()) return model;
  const auto context_tokens = static_cast<uint32_t>(
      service::tier_at(migrating.settings(), migrating.place).context);
  auto room = check_room(*model, context_tokens, migrating.settings());
  if (!room) return room.error();
  return model;
}

// Looks only. Errors: also those that --force overrules.
Result<Going> plan_migration(const Migrating& migrating) {
  auto model = new_model(migrating);
  if (!model) return model.error();
  auto in_use = model_in_use(migrating);
  if (!in_use) return in_use.error();
  if (model->sha256 == in_use->sha256) {
    return Error{ErrorCode::InvalidArgument, "serves there already", model->name,
                 "name another model"};
  }
  Going going;
  going.migration = {.at = migrating.context.clock.wall_seconds(),
                     .key = std::string(migrating.place.key),
                     .from = service::assigned_at(migrating.settings(), migrating.place),
                     .from_sha256 = in_use->sha256,
                     .to = model->name,
                     .to_sha256 = model->sha256,
                     .calibrator = ""};
  going.step.from = going.migration.from;
  going.step.to = model->name;
  auto stored = find_trial(migrating, *model, *in_use);
  if (!stored) {
    if (!migrating.options.force) return stored.error();
    going.step.no_calibrator = stored.error().what;
    return going;
  }
  going.step.verdict =
      eval::judge_trial(stored->trial, migrating.settings().models.trial_margin);
  if (migrating.place.is_encoder()) return going;  // gives no answers that one could judge
  auto text = calibrator_text(*stored, *model, migrating.place);
  if (!text) {
    going.step.no_calibrator = text.error().message();
    return going;
  }
  going.calibrator = std::move(*text);
  // By its contents: a file that is in force never becomes another one.
  going.migration.calibrator =
      (migrating.files.calibrators /
       fmt::format("calibrator-{}-{}.json", migrating.place.level,
                   sha256_hex(going.calibrator).substr(0, 16)))
          .string();
  going.step.calibrator = going.migration.calibrator;
  return going;
}

enum class Outcome { Planned, Refused, Done };

// What holds for one encoder only.
void say_what_is_bound(const Migrating& migrating, const Step& step) {
  const Terminal terminal = migrating.context.terminal(migrating.settings());
  auto model = find_encoder(migrating.store, step.to);
  if (!model) return;
  const double configured = migrating.settings().l1.similarity;
  const auto threshold = service::threshold_in_force(migrating.context.paths,
                                                     service::identity_of(*model), configured);
  if (!threshold) {
    terminal.note(printable(fmt::format(
        "the cache's threshold was calibrated for another model: with {} the same words alone are "
        "answered from it until tinyarms cache calibrate", step.to)));
  } else if (configured != service::Settings{}.l1.similarity) {
    terminal.note(printable(fmt::format(
        "l1.similarity = {} is yours and stays; cosines of {} may want another", configured,
        step.to)));
  }
  std::error_code problem;
  if (std::filesystem::exists(service::intent_head_path(migrating.context.paths), problem)) {
    terminal.note("the intent head that you trained is of one model only: "
                  "tinyarms intent train FILE.jsonl");
  }
}

// The vectors of what is configured now, until they serve: the settings say so already, so that
// whoever is killed here is followed by `index update`.
void make_vectors(const Migrating& migrating) {
  if (!migrating.place.is_encoder()) return;
  Context& context = migrating.context;
  const bool json = migrating.options.json;
  const auto loaded = context.load_settings(json);
  if (!loaded) return;
  const Terminal terminal = context.terminal(loaded->settings);
  auto work = open_workshop(
      loaded->settings, {.quiet = json, .index = WorkshopNeeds::Index::IfThere}, context);
  if (!work) return context.fail(work.error(), json);
  auto remade = remake_vectors(*work, context);
  if (!remade) return context.fail(remade.error(), json);
  const std::string text = cache_remake_line(remade->cache) + remake_line(remade->index);
  if (!json) terminal.out(printable(text));
  if (!remade->interrupted()) return;
  terminal.note("stopped; the model before serves on, tinyarms index update goes on");
  context.exit = Exit::Interrupted;
}

void show_step(const Migrating& migrating, const Step& step, Outcome outcome) {
  const MigrateOptions& options = migrating.options;
  const Terminal terminal = migrating.context.terminal(migrating.settings());
  if (options.json) {
    const auto text_or_null = [](const std::string& text) {
      return text.empty() ? MigrateJson(nullptr) : MigrateJson(text);
    };
    MigrateJson json = {{"done", outcome == Outcome::Done},
                        {"back", options.back},
                        {"forced", options.force},
                        {"setting", migrating.place.key},
                        {"from", step.from},
                        {"to", step.to},
                        {"calibrator", text_or_null(step.calibrator)},
                        {"no_calibrator", text_or_null(step.no_calibrator)},
                        {"verdict", nullptr},
                        {"file", migrating.files.config.string()}};
    if (step.verdict) {
      json["verdict"] = {{"finding", eval::trial_finding_text(step.verdict->finding)},
                         {"reason", step.verdict->reason}};
    }
    return terminal.out(service::json_text(json));
  }
  const auto shown = [](const std::string& name) { return name.empty() ? "(none)" : name; };
  std::string text = fmt::format("{}: {} -> {}\n", migrating.place.key, shown(step.from),
                                 shown(step.to));
  if (step.verdict) {
    text += fmt::format("{}: {}\n", eval::trial_finding_text(step.verdict->finding),
                        step.verdict->reason);
  }
  if (!step.calibrator.empty()) {
    text += fmt::format("calibrator {}: {}\n", options.back ? "out of force" : "in force",
                        step.calibrator);
  }
  if (!step.no_calibrator.empty() && migrating.place.is_encoder()) {
    text += fmt::format("by force: {}\n", step.no_calibrator);
  } else if (!step.no_calibrator.empty()) {
    text += fmt::format("no calibrator ({}): its answers count as uncalibrated\n",
                        step.no_calibrator);
  }
  terminal.out(printable(text));
  if (outcome == Outcome::Planned) {
    return terminal.note("nothing is changed: the same with --yes does it");
  }
  if (outcome == Outcome::Refused) return terminal.note("nothing is changed");
  if (migrating.place.is_encoder()) say_what_is_bound(migrating, step);
  terminal.note(printable(fmt::format("written to {}; a running server reads it at SIGHUP",
                                      migrating.files.config.string())));
  if (!migrating.settings().policy.file.empty()) {
    terminal.note("the thresholds of policy.file were chosen for the models before: "
                  "tinyarms calibrate");
  }
}

void run_forward(const Migrating& migrating) {
  const MigrateOptions& options = migrating.options;
  const auto fail = [&](const Error& error) { migrating.context.fail(error, options.json); };
  auto going = plan_migration(migrating);
  if (!going) return fail(going.error());
  const auto& verdict = going->step.verdict;
  if (!options.force && verdict->finding != eval::TrialFinding::Better) {
    show_step(migrating, going->step, Outcome::Refused);
    migrating.context.terminal().error(printable(fmt::format(
        "no clear win: {}; more questions may show one: {} --limit 0", verdict->reason,
        trial_command(migrating, going->step.to))));
    migrating.context.exit = Exit::LowConfidence;
    return;
  }
  if (!going->calibrator.empty()) {
    auto changeable = service::check_changeable(migrating.config, migrating.files.config,
                                                "calibration.files");
    if (!changeable) return fail(changeable.error());
  }
  if (!options.yes) return show_step(migrating, going->step, Outcome::Planned);
  if (!going->calibrator.empty()) {
    auto written = write_file_atomically(going->migration.calibrator, going->calibrator);
    if (!written) return fail(written.error());
  }
  if (auto done = service::carry_out(migrating.files, going->migration); !done) {
    return fail(done.error());
  }
  show_step(migrating, going->step, Outcome::Done);
  make_vectors(migrating);
}

void run_back(const Migrating& migrating) {
  const MigrateOptions& options = migrating.options;
  const auto fail = [&](const Error& error) { migrating.context.fail(error, options.json); };
  auto last = service::last_migration(
      migrating.files, migrating.place.key,
      service::assigned_at(migrating.settings(), migrating.place));
  if (!last) return fail(last.error());
  if (!last->from.empty() && !options.force) {
    auto before = find_for(migrating.place, migrating.store, last->from);
    if (!before) return fail(before.error());
    if (!last->from_sha256.empty() && before->sha256 != last->from_sha256) {
      return fail({ErrorCode::Corrupt, "is another file than the one that served before",
                   before->name, "tinyarms models rollback NAME, or --force takes it as it is"});
    }
  }
  const Step step{.from = last->to, .to = last->from, .calibrator = last->calibrator,
                  .verdict = {}, .no_calibrator = ""};
  if (!options.yes) return show_step(migrating, step, Outcome::Planned);
  if (auto done = service::take_back(migrating.files, *last); !done) return fail(done.error());
  show_step(migrating, step, Outcome::Done);
  make_vectors(migrating);
}

void run_migrate(const MigrateOptions& options, Context& context) {
  const auto loaded = context.load_settings(options.json);
  if (!loaded) return;
  const ModelPlace place = *service::find_model_place(options.place);
  const std::filesystem::path& file = context.sources.user_file;
  if (auto changeable = service::check_changeable(*loaded, file, place.key); !changeable) {
    return context.fail(changeable.error(), options.json);
  }
  const Migrating migrating{.options = options,
                            .config = *loaded,
                            .place = place,
                            .store = catalog::ModelStore(context.paths.models_dir),
                            .files = service::migration_files(file, context.paths),
                            .context = context};
  return options.back ? run_back(migrating) : run_forward(migrating);
}

}  // namespace

void add_models_migrate(CLI::App& models, Context& context) {
  auto options = std::make_shared<MigrateOptions>();
  CLI::App* migrate = models.add_subcommand(
      "migrate", "Gives a tier the model that won its trial; --back: the old one again");
  CLI::Option* model =
      migrate->add_option("model", options->name, "The one that was on trial");
  migrate->add_option("--for", options->place, "Where")
      ->required()
      ->check(CLI::IsMember(service::model_place_words()))
      ->type_name("l1|l2|l3|general");
  migrate->add_flag("--back", options->back, "Takes the last migration there back")
      ->excludes(model);
  migrate->add_flag("--yes", options->yes, "Do it; without, it is only shown");
  migrate->add_flag("--force", options->force,
                    "Also without a clear win, or with none or another trial");
  add_setting(*migrate, context, "--margin", "models.trial_margin",
              "Points that it must be better by");
  migrate->add_flag("--json", options->json, "As JSON");
  migrate->footer(
      "Asks no model: the trial that is kept decides, where both files and the engine are still\n"
      "those. Model and calibrator change together, in your configuration, or not at all.\n"
      "For l1 the vectors of the index and of remembered questions are made then; the encoder\n"
      "before serves until they are, and has its own for the way back.\n"
      "Exit status 4: no clear win; 5: no trial of these files, or a model is missing; 6: the\n"
      "configuration says it elsewhere, or in a way that cannot be changed here.\n"
      "Examples:\n"
      "  tinyarms models migrate qwen2.5-coder-3b --for l2         # what would be done\n"
      "  tinyarms models migrate qwen2.5-coder-3b --for l2 --yes\n"
      "  tinyarms models migrate minilm.f16 --for l1 --yes\n"
      "  tinyarms models migrate --back --for l2 --yes");
  migrate->callback([options, &context] {
    if (options->name.empty() && !options->back) throw CLI::RequiredError("model");
    run_migrate(*options, context);
  });
}

}  // namespace tinyarms::cli
