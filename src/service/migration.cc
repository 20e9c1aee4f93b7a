#include "service/migration.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "service/config_edit.h"
#include "service/config_file.h"

namespace tinyarms::service {
namespace {

namespace fs = std::filesystem;
using BookJson = nlohmann::ordered_json;

constexpr const char* kBookSchema = "tinyarms-migrations/1";
constexpr size_t kBookBytesMax = size_t{1} << 20;
constexpr size_t kBookEntriesMax = 100;  // the oldest go first
constexpr const char* kCalibrationFiles = "calibration.files";

constexpr std::array<ModelPlace, 4> kPlaces = {{{"l1", "l1.model", "l1"},
                                                {"l2", "l2.model", "l2"},
                                                {"l3", "l3.model", "l3"},
                                                {"general", "l2.general_model", "l2"}}};

BookJson migration_json(const Migration& entry) {
  return {{"at", entry.at},
          {"key", entry.key},
          {"from", entry.from},
          {"from_sha256", entry.from_sha256},
          {"to", entry.to},
          {"to_sha256", entry.to_sha256},
          {"calibrator", entry.calibrator}};
}

Migration read_migration(const BookJson& json) {
  return {.at = json.at("at"),
          .key = json.at("key"),
          .from = json.at("from"),
          .from_sha256 = json.at("from_sha256"),
          .to = json.at("to"),
          .to_sha256 = json.at("to_sha256"),
          .calibrator = json.at("calibrator")};
}

Error bad_book(const fs::path& book, const std::string& what) {
  return {ErrorCode::Corrupt, what, book.string(),
          "move it away: then no migration can be taken back, and nothing else is lost"};
}

// Oldest first. No file: none.
Result<std::vector<Migration>> read_book(const fs::path& book) {
  std::vector<Migration> entries;
  auto text = read_file(book, kBookBytesMax);
  if (!text && text.error().code == ErrorCode::NotFound) return entries;
  if (!text) return text.error();
  const BookJson json = BookJson::parse(*text, nullptr, false);
  if (!json.is_object() || !json.contains("schema") || json["schema"] != kBookSchema) {
    return bad_book(book, fmt::format("is no record of migrations ({})", kBookSchema));
  }
  try {
    for (const BookJson& entry : json.at("migrations")) entries.push_back(read_migration(entry));
  } catch (const BookJson::exception& problem) {
    return bad_book(book, fmt::format("is no record of migrations: {}", problem.what()));
  }
  return entries;
}

Result<void> write_book(const fs::path& book, std::vector<Migration> entries) {
  if (entries.size() > kBookEntriesMax) {
    entries.erase(entries.begin(), entries.end() - kBookEntriesMax);
  }
  BookJson list = BookJson::array();
  for (const Migration& entry : entries) list.push_back(migration_json(entry));
  const BookJson json = {{"schema", kBookSchema}, {"migrations", std::move(list)}};
  return write_file_atomically(
      book, json.dump(1, ' ', false, BookJson::error_handler_t::replace) + "\n");
}

using LastOne = std::vector<Migration>::reverse_iterator;

LastOne find_last(std::vector<Migration>& entries, std::string_view key,
                  std::string_view configured) {
  return std::find_if(entries.rbegin(), entries.rend(), [&](const Migration& entry) {
    return entry.key == key && entry.to == configured;
  });
}

// As the file spells them: relative ones and "~/" stay what they are.
Result<std::vector<std::string>> listed_calibrators(const fs::path& config) {
  std::vector<std::string> listed;
  auto settings = read_config_file(config);
  if (!settings && settings.error().code == ErrorCode::NotFound) return listed;
  if (!settings) return settings.error();
  for (const FileSetting& setting : *settings) {
    if (setting.key != kCalibrationFiles) continue;
    if (const auto* texts = std::get_if<std::vector<std::string>>(&setting.value)) listed = *texts;
  }
  return listed;
}

// The first that fits what serves is used, so that the new one stands first.
Result<std::vector<ConfigEdit>> edits_to(const fs::path& config, const Migration& migration,
                                         bool forward) {
  std::vector<ConfigEdit> edits = {
      {.key = migration.key, .value = forward ? migration.to : migration.from}};
  if (migration.calibrator.empty()) return edits;
  auto listed = listed_calibrators(config);
  if (!listed) return listed.error();
  std::vector<std::string> now = *listed;
  std::erase(now, migration.calibrator);
  if (forward) now.insert(now.begin(), migration.calibrator);
  if (now != *listed) edits.push_back({.key = kCalibrationFiles, .value = std::move(now)});
  return edits;
}

}  // namespace

std::vector<std::string> model_place_words() {
  std::vector<std::string> words;
  for (const ModelPlace& place : kPlaces) words.emplace_back(place.word);
  return words;
}

std::optional<ModelPlace> find_model_place(std::string_view word) {
  for (const ModelPlace& place : kPlaces) {
    if (place.word == word) return place;
  }
  return std::nullopt;
}

const LanguageSettings& tier_at(const Settings& settings, const ModelPlace& place) {
  return place.level == "l3" ? settings.l3 : settings.l2;
}

const std::string& assigned_at(const Settings& settings, const ModelPlace& place) {
  if (place.is_encoder()) return settings.l1.model;
  const LanguageSettings& tier = tier_at(settings, place);
  return place.word == "general" ? tier.general_model : tier.model;
}

const std::string& model_at(const Settings& settings, const ModelPlace& place) {
  const std::string& assigned = assigned_at(settings, place);
  return assigned.empty() && !place.is_encoder() ? tier_at(settings, place).model : assigned;
}

MigrationFiles migration_files(const fs::path& config, const Paths& paths) {
  return {config, paths.data_dir / "migrations.json", paths.data_dir / "calibrators"};
}

Result<void> check_changeable(const LoadedConfig& config, const fs::path& user_file,
                              std::string_view key) {
  if (user_file.empty()) {
    return Error{ErrorCode::Config, "there is no user configuration file", std::string(key),
                 "set it where the configuration comes from"};
  }
  const std::string_view origin = config.origin(key);
  if (origin == "default" || origin.starts_with(user_file.string() + ":")) return {};
  return Error{ErrorCode::Config,
               fmt::format("{} has the last word: a change of {} would have no effect", origin,
                           user_file.string()),
               std::string(key), "change it there, or remove it there first"};
}

Result<void> carry_out(const MigrationFiles& files, const Migration& migration) {
  auto edits = edits_to(files.config, migration, true);
  if (!edits) return edits.error();
  auto before = read_book(files.book);
  if (!before) return before.error();
  std::vector<Migration> entries = *before;
  entries.push_back(migration);
  // First what to go back to, then the step itself.
  if (auto written = write_book(files.book, std::move(entries)); !written) return written;
  auto done = edit_config(files.config, *edits);
  if (done) return done;
  if (auto undone = write_book(files.book, std::move(*before)); !undone) {
    return done.error().wrap("and the book still names it");
  }
  return done;
}

Result<Migration> last_migration(const MigrationFiles& files, std::string_view key,
                                 std::string_view configured) {
  auto entries = read_book(files.book);
  if (!entries) return entries.error();
  const auto last = find_last(*entries, key, configured);
  if (last != entries->rend()) return *last;
  return Error{ErrorCode::NotFound,
               fmt::format("\"{}\" did not come there by a migration, so none can be taken back",
                           configured),
               std::string(key), "tinyarms config path names the file to edit"};
}

Result<void> take_back(const MigrationFiles& files, const Migration& migration) {
  auto edits = edits_to(files.config, migration, false);
  if (!edits) return edits.error();
  if (auto done = edit_config(files.config, *edits); !done) return done;
  auto entries = read_book(files.book);
  if (!entries) return entries.error();
  const auto last = find_last(*entries, migration.key, migration.to);
  if (last != entries->rend()) entries->erase(std::next(last).base());
  return write_book(files.book, std::move(*entries));
}

}  // namespace tinyarms::service
