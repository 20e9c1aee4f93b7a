#include "cli/index_report.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "service/reply_json.h"

namespace tinyarms::cli {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;
using corpus::IndexReport;

constexpr size_t kNamedMax = 20;

std::string left(double seconds) {
  if (seconds < 90) return fmt::format("{:.0f} s", seconds);
  return fmt::format("{:.0f} min", seconds / 60);
}

std::string utc(double at) {
  return fmt::format("{:%Y-%m-%d %H:%M:%S} UTC", fmt::gmtime(static_cast<std::time_t>(at)));
}

Json left_out_json(const corpus::LeftOutCounts& counts) {
  Json object = Json::object();
  for (size_t i = 0; i < counts.size(); ++i) {
    object[corpus::left_out_name(static_cast<corpus::LeftOut>(i))] = counts[i];
  }
  return object;
}

std::string left_out_text(const corpus::LeftOutCounts& counts) {
  std::string text;
  for (size_t i = 0; i < counts.size(); ++i) {
    if (counts[i] == 0) continue;
    std::string name(corpus::left_out_name(static_cast<corpus::LeftOut>(i)));
    std::replace(name.begin(), name.end(), '_', ' ');
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", counts[i], name);
  }
  return text;
}

uint64_t bytes_below(const fs::path& folder) {
  uint64_t bytes = 0;
  std::error_code problem;
  for (const auto& entry : fs::directory_iterator(folder, problem)) {
    std::error_code gone;
    const uint64_t size = entry.is_regular_file(gone) ? entry.file_size(gone) : 0;
    if (!gone) bytes += size;
  }
  return bytes;
}

}  // namespace

std::string progress_line(const corpus::IndexProgress& progress) {
  return fmt::format("{} of {} files, {:.0f} files/s, about {} left", progress.files_done,
                     progress.files_all, progress.files_per_second, left(progress.seconds_left));
}

std::string progress_line(const corpus::RemakeProgress& progress) {
  const double share = static_cast<double>(progress.done) /
                       static_cast<double>(std::max<uint64_t>(progress.all, 1));
  return fmt::format("vectors of {}: {} of {} passages ({:.0f} %), {:.0f}/s, about {} left",
                     progress.model, progress.done, progress.all, std::floor(100 * share),
                     progress.passages_per_second, left(progress.seconds_left));
}

std::string remake_line(const corpus::RemakeReport& report) {
  if (report.model.empty()) return {};
  if (report.interrupted) {
    return fmt::format("vectors of {}: {} of {} that were missing made in {:.1f} s\n", report.model,
                       report.made, report.passages, report.seconds);
  }
  return fmt::format("vectors of {}: {} made in {:.1f} s; they serve from now on\n", report.model,
                     report.made, report.seconds);
}

Json remake_json(const corpus::RemakeReport& report) {
  if (report.model.empty()) return nullptr;
  return {{"model", report.model},
          {"made", report.made},
          {"missing_before", report.passages},
          {"complete", !report.interrupted},
          {"seconds", report.seconds},
          {"passages_per_second",
           static_cast<double>(report.made) / std::max(report.seconds, 1e-6)}};
}

std::string report_line(const IndexReport& report) {
  return fmt::format("{}: {} indexed, {} unchanged, {} removed; {} passages in {:.1f} s",
                     report.root, report.indexed, report.unchanged, report.removed,
                     report.passages, report.seconds);
}

std::string reports_text(const std::vector<IndexReport>& reports) {
  std::string text;
  for (const IndexReport& report : reports) {
    text += report_line(report) + "\n";
    if (report.files == 0) text += "  nothing in it can be indexed\n";
    const std::string left_out = left_out_text(report.left_out);
    if (!left_out.empty()) text += fmt::format("  skipped: {}\n", left_out);
    size_t named = 0;
    for (const corpus::SecretFile& file : report.secrets) {
      if (named++ == kNamedMax) {
        text += fmt::format("  … and {} more\n", report.secrets.size() - kNamedMax);
        break;
      }
      const std::string line =
          file.secret.line > 0 ? fmt::format(":{}", file.secret.line) : std::string();
      text += fmt::format("  secret, not indexed: {}{} ({})\n", file.path, line,
                          file.secret.pattern);
    }
    for (size_t i = 0; i < report.unreadable.size() && i < kNamedMax; ++i) {
      text += fmt::format("  unreadable: {}\n", report.unreadable[i]);
    }
  }
  return text;
}

Json report_json(const IndexReport& report) {
  Json secrets = Json::array();
  for (const corpus::SecretFile& file : report.secrets) {
    secrets.push_back({{"path", file.path},
                       {"line", file.secret.line > 0 ? Json(file.secret.line) : Json(nullptr)},
                       {"pattern", file.secret.pattern}});
  }
  const double seconds = std::max(report.seconds, 1e-6);
  return {{"root", report.root},
          {"files", {{"total", report.files},
                     {"indexed", report.indexed},
                     {"unchanged", report.unchanged},
                     {"removed", report.removed}}},
          {"passages", report.passages},
          {"embedded", report.embedded},
          {"skipped", left_out_json(report.left_out)},
          {"secrets", secrets},
          {"unreadable", report.unreadable},
          {"interrupted", report.interrupted},
          {"seconds", report.seconds},
          {"files_per_second", static_cast<double>(report.indexed) / seconds}};
}

Json reports_json(const std::vector<IndexReport>& reports, const corpus::RemakeReport& remade,
                  const std::vector<Error>& problems, const corpus::Library& library) {
  IndexReport sum;
  Json roots = Json::array();
  for (const IndexReport& report : reports) {
    sum.files += report.files;
    sum.indexed += report.indexed;
    sum.unchanged += report.unchanged;
    sum.removed += report.removed;
    sum.passages += report.passages;
    sum.embedded += report.embedded;
    sum.seconds += report.seconds;
    sum.interrupted = sum.interrupted || report.interrupted;
    for (size_t i = 0; i < sum.left_out.size(); ++i) sum.left_out[i] += report.left_out[i];
    sum.secrets.insert(sum.secrets.end(), report.secrets.begin(), report.secrets.end());
    sum.unreadable.insert(sum.unreadable.end(), report.unreadable.begin(),
                          report.unreadable.end());
    roots.push_back(report_json(report));
  }
  Json json = report_json(sum);
  json.erase("root");
  // A vector is made once, whether for a new passage or for another encoder.
  json["embedded"] = sum.embedded + remade.made;
  const corpus::VectorMaker* maker = library.maker();
  json["model"] = maker != nullptr ? Json(maker->model) : Json(nullptr);
  json["dimensions"] = maker != nullptr ? maker->dimensions : 0;
  json["remade"] = remake_json(remade);
  json["notice"] = library.notice();
  json["roots"] = std::move(roots);
  json["errors"] = Json::array();
  for (const Error& problem : problems) {
    json["errors"].push_back(service::error_json(problem)["error"]);
  }
  return json;
}

Result<IndexStatus> status_of(service::SearchableIndex& index, const fs::path& folder,
                              const std::string& configured_model) {
  corpus::Library& library = *index.library;
  IndexStatus status;
  status.folder = folder;
  status.configured_model = configured_model;
  const corpus::VectorMaker* maker = library.maker();
  if (maker != nullptr && index.encoder) {
    status.model = maker->model;
    status.dimensions = maker->dimensions;
  }
  auto remaking = library.remaking();
  if (!remaking) return remaking.error();
  status.remaking = std::move(*remaking);
  for (const corpus::VectorSet& set : library.sets().sets) {
    const bool serves = maker != nullptr && set.maker.model_id == maker->model_id;
    if (serves || (status.remaking && status.remaking->model == set.maker.model)) continue;
    std::error_code problem;
    const uintmax_t bytes = fs::file_size(folder / set.file, problem);
    status.old.push_back({set.maker.model, problem ? 0 : bytes, set.complete});
  }
  auto totals = library.store().totals("");
  if (!totals) return totals.error();
  status.files = totals->files;
  status.passages = totals->passages;
  status.vectors = library.vectors();
  status.bytes = bytes_below(folder);
  status.notice = index.notice;
  auto roots = library.roots();
  if (!roots) return roots.error();
  for (corpus::Root& root : *roots) {
    auto inside = library.store().totals(root.path);
    if (!inside) return inside.error();
    std::error_code problem;
    const bool there = fs::exists(root.path, problem);
    status.roots.push_back({std::move(root), there, inside->files, inside->passages});
  }
  return status;
}

std::string status_text(const IndexStatus& status) {
  std::string text =
      fmt::format("{} files, {} passages ({} with vectors), {:.1f} MB, {}\n",
                  status.files, status.passages, status.vectors,
                  static_cast<double>(status.bytes) / 1e6,
                  status.model.empty()
                      ? "searched by words alone"
                      : fmt::format("made by {} ({} values)", status.model, status.dimensions));
  for (const IndexStatus::Place& place : status.roots) {
    text += fmt::format("  {}  {} files, {} passages, {}\n", place.root.path, place.files,
                        place.passages,
                        !place.there ? "not there any more"
                        : place.root.completed_at
                            ? "up to date as of " + utc(*place.root.completed_at)
                            : "not finished: tinyarms index update");
  }
  for (const IndexStatus::Old& old : status.old) {
    text += fmt::format("  vectors of {} are kept{}, {:.1f} MB (index update --drop-old)\n",
                        old.model, old.complete ? "" : " and not complete",
                        static_cast<double>(old.bytes) / 1e6);
  }
  if (!status.notice.empty()) text += status.notice + "\n";
  return text;
}

Json status_json(const IndexStatus& status) {
  Json roots = Json::array();
  for (const IndexStatus::Place& place : status.roots) {
    roots.push_back({{"path", place.root.path},
                     {"exists", place.there},
                     {"files", place.files},
                     {"passages", place.passages},
                     {"added_at", place.root.added_at},
                     {"completed_at", place.root.completed_at ? Json(*place.root.completed_at)
                                                              : Json(nullptr)}});
  }
  Json remaking = nullptr;
  if (status.remaking) {
    remaking = {{"model", status.remaking->model},
                {"done", status.remaking->done},
                {"all", status.remaking->all}};
  }
  Json old = Json::array();
  for (const IndexStatus::Old& each : status.old) {
    old.push_back({{"model", each.model}, {"bytes", each.bytes}, {"complete", each.complete}});
  }
  return {{"folder", status.folder.string()},
          {"files", status.files},
          {"passages", status.passages},
          {"vectors", status.vectors},
          {"bytes", status.bytes},
          {"model", status.model},
          {"dimensions", status.dimensions},
          {"configured_model", status.configured_model},
          {"same_model", !status.remaking},
          {"remaking", remaking},
          {"old", old},
          {"notice", status.notice},
          {"roots", std::move(roots)}};
}

Json empty_status_json(const fs::path& folder) {
  IndexStatus status;
  status.folder = folder;
  return status_json(status);
}

}  // namespace tinyarms::cli
