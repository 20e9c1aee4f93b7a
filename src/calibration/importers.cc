#include "calibration/importers.h"

#include <fmt/format.h>

#include <map>
#include <nlohmann/json.hpp>

#include "calibration/json_scanner.h"

namespace tinyarms::calibration {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kHint = "see docs/calibration-method.md for the files that can be imported";

Error corrupt(std::string what, const std::string& where, uint64_t line) {
  return Error{ErrorCode::Corrupt, std::move(what),
               line > 0 ? fmt::format("{}:{}", where, line) : where, kHint};
}

// Reads one row after another; quoted fields may hold commas, newlines and doubled quotes.
class CsvReader {
 public:
  explicit CsvReader(std::string_view text) : text_(text) {
    constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
    if (text_.starts_with(kByteOrderMark)) text_.remove_prefix(kByteOrderMark.size());
  }

  bool done() const { return at_ >= text_.size(); }
  uint64_t line() const { return line_; }  // where the last row began

  // False where a quote is left open.
  bool next(std::vector<std::string>& fields) {
    fields.assign(1, "");
    line_ = next_line_;
    while (at_ < text_.size()) {
      const char c = text_[at_++];
      if (c == '"' && fields.back().empty()) {
        if (!quoted(fields.back())) return false;
      } else if (c == ',') {
        fields.emplace_back();
      } else if (c == '\n') {
        ++next_line_;
        return true;
      } else if (c != '\r') {
        fields.back().push_back(c);
      }
    }
    return true;
  }

 private:
  bool quoted(std::string& field) {
    while (at_ < text_.size()) {
      const char c = text_[at_++];
      if (c == '\n') ++next_line_;
      if (c != '"') {
        field.push_back(c);
      } else if (at_ < text_.size() && text_[at_] == '"') {
        field.push_back('"');
        ++at_;
      } else {
        return true;
      }
    }
    return false;
  }

  std::string_view text_;
  size_t at_ = 0;
  uint64_t line_ = 1;
  uint64_t next_line_ = 1;
};

TierOutcome outcome(std::string name, bool correct, double cost) {
  TierOutcome tier;
  tier.name = std::move(name);
  tier.correct = correct;
  tier.cost = cost;
  return tier;
}

bool passed(const Json& samples) {
  if (!samples.is_array() || samples.empty() || !samples[0].is_object()) return false;
  const Json& sample = samples[0];
  const auto status = [&](const char* name) {
    return sample.contains(name) && sample[name].is_string() ? sample[name].get<std::string>()
                                                             : std::string();
  };
  // Files without the extra tests have no plus_status.
  return status("base_status") == "pass" && (status("plus_status") == "pass" ||
                                             status("plus_status").empty());
}

Result<Json> parse_evalplus(std::string_view text, const char* which) {
  Json json = Json::parse(text, nullptr, false);
  if (json.is_object() && json.contains("eval") && json["eval"].is_object()) return json["eval"];
  return corrupt("is no evalplus result: an object with `eval` is needed", which, 0);
}

}  // namespace

Result<std::unordered_set<std::string>> read_contaminated(std::string_view jsonl,
                                                          const std::string& where) {
  std::unordered_set<std::string> prompts;
  uint64_t number = 0;
  while (!jsonl.empty()) {
    const size_t end = std::min(jsonl.find('\n'), jsonl.size());
    const std::string_view line = jsonl.substr(0, end);
    jsonl.remove_prefix(std::min(jsonl.size(), end + 1));
    ++number;
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    JsonScanner scan(line);
    std::string prompt;
    bool found = false;
    for (bool more = scan.open_object(); more; more = scan.next_member()) {
      if (scan.key() == "eval_prompt") found = scan.read_string(prompt);
      else scan.skip_value();
    }
    if (!scan.finish()) return corrupt(scan.problem(), where, number);
    if (!found) return corrupt("lacks `eval_prompt`", where, number);
    prompts.insert(prompt);
  }
  return prompts;
}

Result<size_t> import_routellm(std::string_view csv, const std::string& where,
                               const std::unordered_set<std::string>& excluded,
                               const ImportCosts& costs, const RecordSink& sink) {
  CsvReader reader(csv);
  std::vector<std::string> header;
  if (!reader.next(header) || header.size() < 3 || header[0] != "prompt") {
    return corrupt("the columns must be prompt, weak model, strong model, …", where, 1);
  }
  size_t count = 0;
  std::vector<std::string> fields;
  for (size_t row = 1; !reader.done(); ++row) {
    if (!reader.next(fields)) return corrupt("a quote is left open", where, reader.line());
    if (fields.size() == 1 && fields[0].empty()) continue;
    if (fields.size() != header.size()) {
      return corrupt(fmt::format("{} fields; the header has {}", fields.size(), header.size()),
                     where, reader.line());
    }
    for (size_t column : {1, 2}) {
      if (fields[column] == "True" || fields[column] == "False") continue;
      return corrupt(fmt::format("column {} must be True or False", column + 1), where,
                     reader.line());
    }
    if (excluded.contains(fields[0])) continue;
    Record record;
    record.file = where;
    record.line = reader.line();
    record.id = fmt::format("row {}", row);
    record.prompt = fields[0];
    record.prompt_is_text = true;
    record.tiers = {outcome(header[1], fields[1] == "True", costs.small),
                    outcome(header[2], fields[2] == "True", costs.large)};
    if (auto taken = sink(record); !taken) return taken.error();
    ++count;
  }
  return count;
}

Result<size_t> import_evalplus(const EvalplusFiles& files, const ImportCosts& costs,
                               const RecordSink& sink) {
  auto small = parse_evalplus(files.small, "the small model's file");
  if (!small) return small.error();
  auto large = parse_evalplus(files.large, "the large model's file");
  if (!large) return large.error();
  size_t count = 0;
  for (const auto& [task, samples] : small->items()) {
    if (!large->contains(task)) continue;
    Record record;
    record.id = task;
    record.group = task.substr(0, task.find('/'));
    record.tiers = {outcome("small", passed(samples), costs.small),
                    outcome("large", passed((*large)[task]), costs.large)};
    if (auto taken = sink(record); !taken) return taken.error();
    ++count;
  }
  return count;
}

std::string record_json(const Record& record) {
  Json tiers = Json::array();
  for (const TierOutcome& tier : record.tiers) {
    Json evidence = Json::object();
    for (const auto& [name, value] : tier.evidence) evidence[name] = value;
    tiers.push_back({{"name", tier.name},
                     {"correct", tier.correct},
                     {"cost", tier.cost},
                     {"evidence", evidence}});
  }
  const Json json = {{"id", record.id},
                     {"group", record.group},
                     {"prompt", record.prompt},
                     {"tiers", tiers}};
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace tinyarms::calibration
