// What is below `tinyarms models`, one file a command; models_command.cc adds them.
#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "advice/catalogue.h"
#include "catalog/measured_speed.h"
#include "catalog/model_store.h"
#include "cli/context.h"

namespace tinyarms::cli {

void add_models_catalog(CLI::App& models, Context& context);
void add_models_check(CLI::App& models, Context& context);
void add_models_export(CLI::App& models, Context& context);
void add_models_measure(CLI::App& models, Context& context);
void add_models_migrate(CLI::App& models, Context& context);
void add_models_plan(CLI::App& models, Context& context);
void add_models_recommend(CLI::App& models, Context& context);
void add_models_trial(CLI::App& models, Context& context);
void add_models_versions(CLI::App& models, Context& context);

// The bundled catalogue under that of the user's configuration folder; what is wrong in it is told.
advice::Catalogue load_catalogue(const Context& context);

// Before a GGUF is brought in: checks it, and loads it in a process of its own. Errors: those of
// engine::check_model_file, Corrupt (the engine died of it), Interrupted.
Result<void> try_model(const std::filesystem::path& file, const StopFlag& stop);

// What `models measure` found of that very file, on this machine and with so many threads (0: every
// core); nothing where it did not measure it.
std::optional<catalog::MeasuredSpeed> measured_speed(const catalog::InstalledModel& model,
                                                     int threads, const Context& context);
// The same, measured now in about so many seconds, and kept. `model` gets its hash. Errors: those
// of check_room and eval::measure_speed, Io.
Result<catalog::MeasuredSpeed> measure_model(catalog::InstalledModel& model, double seconds,
                                             const service::Settings& settings,
                                             const Terminal& terminal, Context& context);
// The bytes that it is planned to take; before it is loaded, as a machine that swaps tells nothing
// and may take other work down with it. Errors: OverBudget (over the memory budget), those of
// engine::inspect_model.
Result<uint64_t> check_room(const catalog::InstalledModel& model, uint32_t context_tokens,
                            const service::Settings& settings);
// "31.2 tokens/s", "410 texts/s".
std::string speed_text(const catalog::MeasuredSpeed& speed);
nlohmann::ordered_json speed_json(const std::optional<catalog::MeasuredSpeed>& speed);

// "12.3 GB", "98.4 MB".
std::string size_text(uint64_t bytes);

// Shows the entry "NAME" or "NAME:QUANTISATION"; false where the catalogue has no such name.
bool show_catalogue_model(const std::string& name, bool json, Context& context);

}  // namespace tinyarms::cli
