// What `models trial` and `models migrate` share.
#pragma once

#include <filesystem>
#include <string>

#include "base/paths.h"
#include "catalog/model_store.h"
#include "eval/trial.h"
#include "service/migration.h"

namespace tinyarms::cli {

std::filesystem::path trials_folder(const Paths& paths);

// A language model that can be used, with its hash. Errors: those of ModelStore::find; Unsupported
// (an encoder), Corrupt.
Result<catalog::InstalledModel> find_generator(const catalog::ModelStore& store,
                                               const std::string& name);

// Both models side by side, the verdict, and whether there is a calibrator.
std::string trial_text(const eval::Trial& trial, const eval::TrialVerdict& verdict);

}  // namespace tinyarms::cli
