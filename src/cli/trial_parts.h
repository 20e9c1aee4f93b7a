// What `models trial` and `models migrate` share.
#pragma once

#include <filesystem>
#include <string>

#include "base/paths.h"
#include "catalog/model_store.h"
#include "cli/context.h"
#include "eval/trial.h"
#include "service/migration.h"

namespace tinyarms::cli {

std::filesystem::path trials_folder(const Paths& paths);

// A language model that can be used, with its hash. Errors: those of ModelStore::find; Unsupported
// (an encoder), Corrupt.
Result<catalog::InstalledModel> find_generator(const catalog::ModelStore& store,
                                               const std::string& name);

// An encoder, likewise. Errors: those of ModelStore::find; Unsupported (it is none), Corrupt.
Result<catalog::InstalledModel> find_encoder(const catalog::ModelStore& store,
                                             const std::string& name);
// The one or the other, as the place wants it.
Result<catalog::InstalledModel> find_for(const service::ModelPlace& place,
                                         const catalog::ModelStore& store,
                                         const std::string& name);

struct EncoderTrialOptions {
  std::string name;
  std::string data;  // folder of a retrieval set; empty: the usual one
  size_t limit = 0;  // queries; 0: all
  bool json = false;
};
// `models trial NAME --against l1`.
void run_encoder_trial(const EncoderTrialOptions& options, Context& context);

// Both models side by side, the verdict, and whether there is a calibrator.
std::string trial_text(const eval::Trial& trial, const eval::TrialVerdict& verdict);

}  // namespace tinyarms::cli
