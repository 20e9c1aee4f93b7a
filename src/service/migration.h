// A tier gets another model: the assignment in the user's configuration and the calibrator that
// belongs to it change together, by one rename, and what was before is remembered so that it can be
// taken back. Decision 0113.
//
// The configuration is the truth. The book beside it only says what to go back to: an entry counts
// where its `to` is what is configured, so that one whose change never happened (killed in between)
// is of no effect.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/paths.h"
#include "base/result.h"
#include "service/config.h"

namespace tinyarms::service {

// A place for a model, as people name it: L1's encoder, or a language model.
struct ModelPlace {
  std::string_view word;   // "l1", "l2", "l3", "general"
  std::string_view key;    // "l2.general_model"
  std::string_view level;  // "l2": whose calibrators judge its answers
  bool is_encoder() const { return level == "l1"; }
};
std::vector<std::string> model_place_words();
std::optional<ModelPlace> find_model_place(std::string_view word);

// The model that serves there: where `general` has none of its own it is L2's.
const std::string& model_at(const Settings& settings, const ModelPlace& place);
// What is configured for the very place; may be empty.
const std::string& assigned_at(const Settings& settings, const ModelPlace& place);
// Of a language model's place.
const LanguageSettings& tier_at(const Settings& settings, const ModelPlace& place);

struct Migration {
  double at = 0;    // seconds since 1970 UTC
  std::string key;  // of the place
  std::string from;  // as it was configured; may be empty
  std::string from_sha256;
  std::string to;
  std::string to_sha256;
  std::string calibrator;  // the file put in force with it; empty: none
};

struct MigrationFiles {
  std::filesystem::path config;  // the user's
  std::filesystem::path book;
  std::filesystem::path calibrators;  // folder of those in force by migrations
};
MigrationFiles migration_files(const std::filesystem::path& config, const Paths& paths);

// Whether a change of the user's file would have an effect. Errors: Config (a variable, a flag or a
// project's file has the last word about `key`, and it says which; there is no user file).
Result<void> check_changeable(const LoadedConfig& config, const std::filesystem::path& user_file,
                              std::string_view key);

// Errors: those of edit_config; Io, Corrupt (the book). The configuration is as it was then.
Result<void> carry_out(const MigrationFiles& files, const Migration& migration);

// The last one that brought what is configured at `key` now. Errors: NotFound, Corrupt, Io.
Result<Migration> last_migration(const MigrationFiles& files, std::string_view key,
                                 std::string_view configured);

// Errors: as carry_out.
Result<void> take_back(const MigrationFiles& files, const Migration& migration);

}  // namespace tinyarms::service
