#include "calibration/record_parser.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "base/utf8.h"
#include "calibration/json_scanner.h"

namespace tinyarms::calibration {
namespace {

constexpr size_t kTiersMax = 64;
constexpr size_t kRecordSignalsMax = 512;
constexpr const char* kFormHint = "see docs/calibration-method.md for the form of records";

// Which fields a line had, and what of bench records does not fit into the tier right away.
struct Fields {
  bool id = false;
  bool tiers = false;
  bool correct = false;
  std::optional<double> seconds;
  std::optional<double> tokens;
  TierOutcome flat;  // of bench records
};

bool read_optional_text(JsonScanner& scan, std::string& value) {
  value.clear();
  if (scan.peek() == JsonKind::Null) return scan.skip_value();
  return scan.read_string(value);
}

// true, false, 1 or 0.
bool read_label(JsonScanner& scan, bool& value) {
  if (scan.peek() != JsonKind::Number) return scan.read_boolean(value);
  double number = 0;
  if (!scan.read_number(number)) return false;
  value = number == 1;
  return number == 0 || number == 1 || scan.fail("`correct` must be true, false, 1 or 0");
}

bool read_evidence(JsonScanner& scan, TierOutcome& outcome) {
  std::vector<std::pair<std::string, double>>& evidence = outcome.evidence;
  evidence.clear();
  outcome.margin_trace.clear();
  if (scan.peek() == JsonKind::Null) return scan.skip_value();
  for (bool more = scan.open_object(); more; more = scan.next_member()) {
    const JsonKind kind = scan.peek();
    if (kind == JsonKind::String && scan.key() == "margin_trace") {
      if (!scan.read_string(outcome.margin_trace)) return false;
      continue;
    }
    if (kind != JsonKind::Number && kind != JsonKind::Boolean) {
      if (!scan.skip_value()) return false;
      continue;
    }
    const auto same = [&](const auto& item) { return item.first == scan.key(); };
    if (std::any_of(evidence.begin(), evidence.end(), same)) {
      return scan.fail(fmt::format("evidence `{}` twice", scan.key()));
    }
    if (evidence.size() == kRecordSignalsMax) return scan.fail("more than 512 signals");
    evidence.emplace_back(scan.key(), 0);
    double& value = evidence.back().second;
    bool flag = false;
    if (kind == JsonKind::Number ? !scan.read_number(value) : !scan.read_boolean(flag)) {
      return false;
    }
    if (kind == JsonKind::Boolean) value = flag ? 1 : 0;
  }
  return !scan.failed();
}

bool read_tier(JsonScanner& scan, TierOutcome& tier) {
  // The record is reused: what it holds keeps its memory.
  tier.name.clear();
  tier.correct = false;
  tier.cost = 0;
  tier.evidence.clear();
  tier.margin_trace.clear();
  tier.model_sha.clear();
  tier.quantization.clear();
  bool name = false;
  bool correct = false;
  bool cost = false;
  for (bool more = scan.open_object(); more; more = scan.next_member()) {
    const std::string_view key = scan.key();
    if (key == "name") {
      name = scan.read_string(tier.name) && !tier.name.empty();
    } else if (key == "correct") {
      correct = read_label(scan, tier.correct);
    } else if (key == "cost") {
      cost = scan.read_number(tier.cost);
      if (cost && !(tier.cost > 0)) {
        return scan.fail(fmt::format("`cost` is {}; costs must be greater than 0", tier.cost));
      }
    } else if (key == "evidence") {
      read_evidence(scan, tier);
    } else if (key == "model_sha") {
      read_optional_text(scan, tier.model_sha);
    } else if (key == "quantization") {
      read_optional_text(scan, tier.quantization);
    } else {
      scan.skip_value();
    }
  }
  if (scan.failed()) return false;
  if (!name) return scan.fail("a tier lacks its `name`");
  if (!correct) return scan.fail(fmt::format("tier `{}` lacks `correct`", tier.name));
  return cost || scan.fail(fmt::format("tier `{}` lacks `cost`", tier.name));
}

bool read_tiers(JsonScanner& scan, std::vector<TierOutcome>& tiers) {
  size_t used = 0;
  for (bool more = scan.open_array(); more; more = scan.next_element()) {
    if (used == kTiersMax) return scan.fail("more than 64 tiers");
    if (used == tiers.size()) tiers.emplace_back();
    TierOutcome& tier = tiers[used];
    if (!read_tier(scan, tier)) return false;
    for (size_t t = 0; t < used; ++t) {
      if (tiers[t].name != tier.name) continue;
      return scan.fail(fmt::format("tier `{}` twice in one record{}", tier.name,
                                   tiers[t].correct == tier.correct
                                       ? ""
                                       : ", and its labels contradict each other"));
    }
    ++used;
  }
  if (scan.failed()) return false;
  tiers.resize(used);
  return !tiers.empty() || scan.fail("`tiers` is empty");
}

// A positive amount; null and absence are the same.
bool read_amount(JsonScanner& scan, const char* name, std::optional<double>& amount) {
  if (scan.peek() == JsonKind::Null) return scan.skip_value();
  double value = 0;
  if (!scan.read_number(value)) return false;
  amount = value;
  return value >= 0 || scan.fail(fmt::format("`{}` is {}; it cannot be negative", name, value));
}

bool read_id(JsonScanner& scan, std::string& id) {
  if (scan.peek() == JsonKind::Number) {
    double number = 0;
    if (!scan.read_number(number)) return false;
    id = fmt::format("{}", number);
  } else if (!scan.read_string(id)) {
    return false;
  }
  return !id.empty() || scan.fail("`id` is empty");
}

bool read_field(JsonScanner& scan, Record& record, Fields& fields, std::string& text) {
  const std::string_view key = scan.key();
  if (key == "id") return fields.id = read_id(scan, record.id);
  if (key == "group") return read_optional_text(scan, record.group);
  if (key == "tiers") return fields.tiers = read_tiers(scan, record.tiers);
  if (key == "prompt") {
    return record.prompt_is_text = read_optional_text(scan, record.prompt);
  }
  if (key == "prompt_sha") {
    if (!read_optional_text(scan, text)) return false;
    if (!record.prompt_is_text) record.prompt = text;
    return true;
  }
  if (key == "tier") return scan.read_string(fields.flat.name);
  if (key == "model_sha") return read_optional_text(scan, fields.flat.model_sha);
  if (key == "quantization") return read_optional_text(scan, fields.flat.quantization);
  if (key == "evidence") return read_evidence(scan, fields.flat);
  if (key == "correct") return fields.correct = read_label(scan, fields.flat.correct);
  if (key == "seconds") return read_amount(scan, "seconds", fields.seconds);
  if (key == "tokens") return read_amount(scan, "tokens", fields.tokens);
  if (key == "answer" && scan.peek() == JsonKind::String) {
    if (!scan.read_string(text)) return false;
    record.answer_hash = hash_text(text, 1);
    return true;
  }
  return scan.skip_value();
}

// Makes the one tier of a bench record; the error says which field is missing.
bool finish_bench(JsonScanner& scan, CostUnit unit, Record& record, Fields& fields) {
  if (fields.flat.name.empty()) {
    return scan.fail("has neither `tiers` (interchange form) nor `tier` (bench form)");
  }
  if (!fields.correct) return scan.fail("lacks `correct`");
  const char* name = unit == CostUnit::Seconds ? "seconds" : "tokens";
  const std::optional<double>& cost = unit == CostUnit::Seconds ? fields.seconds : fields.tokens;
  if (!cost) return scan.fail(fmt::format("lacks `{}`", name));
  if (!(*cost > 0)) return scan.fail(fmt::format("`{}` is 0; costs must be greater than 0", name));
  fields.flat.cost = *cost;
  record.bench = true;
  record.tiers.clear();
  record.tiers.push_back(std::move(fields.flat));
  return true;
}

}  // namespace

Result<void> parse_record(std::string_view line, CostUnit unit, Record& record) {
  record.id.clear();
  record.group.clear();
  record.prompt.clear();
  record.prompt_is_text = false;
  record.bench = false;
  record.answer_hash = 0;
  if (const auto invalid = find_invalid_utf8(line)) {
    return Error{ErrorCode::Corrupt, fmt::format("invalid UTF-8 at byte {}", *invalid + 1), "",
                 "write the records as UTF-8"};
  }
  JsonScanner scan(line);
  Fields fields;
  std::string text;
  for (bool more = scan.open_object(); more; more = scan.next_member()) {
    if (!read_field(scan, record, fields, text)) break;
  }
  const bool json = scan.finish();
  if (json && !fields.id) scan.fail("lacks `id`");
  if (json && !fields.tiers) finish_bench(scan, unit, record, fields);
  if (!scan.failed()) return {};
  return Error{ErrorCode::InvalidArgument, scan.problem(), "", kFormHint};
}

}  // namespace tinyarms::calibration
