#include "calibration/calibrator_file.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/file.h"
#include "calibration/json_checker.h"

namespace tinyarms::calibration {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kCalibratorFormat = "tinyarms-calibrator";
constexpr int kCalibratorVersion = 1;
constexpr size_t kCalibratorBytesMax = size_t{4} << 20;
constexpr size_t kItemsMax = 100'000;   // knots, bins, stumps
constexpr size_t kSignalsMax = 512;
constexpr size_t kGroupsMax = 10'000;

struct ParametersOf {
  Json operator()(const TemperatureMap& map) const { return {{"temperature", map.temperature}}; }
  Json operator()(const PlattMap& map) const {
    return {{"slope", map.slope}, {"intercept", map.intercept}};
  }
  Json operator()(const BetaMap& map) const { return {{"a", map.a}, {"b", map.b}, {"c", map.c}}; }
  Json operator()(const HistogramMap& map) const {
    Json bins = Json::array();
    for (const HistogramMap::Bin& bin : map.bins) {
      bins.push_back({{"high", bin.high}, {"right", bin.right}, {"trials", bin.trials}});
    }
    return {{"confidence", map.confidence}, {"bins", bins}};
  }
  Json operator()(const IsotonicMap& map) const {
    return {{"rising", map.rising}, {"records", map.fit.records}, {"x", map.fit.x},
            {"y", map.fit.y}};
  }
  Json operator()(const LogisticModel& model) const {
    Json terms = Json::array();
    for (const LogisticModel::Term& term : model.terms) {
      terms.push_back({{"mean", term.mean}, {"scale", term.scale}, {"weight", term.weight},
                       {"missing", term.missing}});
    }
    return {{"intercept", model.intercept}, {"terms", terms}};
  }
  Json operator()(const StumpModel& model) const {
    Json stumps = Json::array();
    for (const StumpModel::Stump& stump : model.stumps) {
      stumps.push_back({{"signal", stump.signal}, {"threshold", stump.threshold},
                        {"left", stump.left}, {"right", stump.right}, {"missing", stump.missing}});
    }
    return {{"intercept", model.intercept}, {"stumps", stumps}};
  }
};

Json group_json(const GroupCalibrator& group) {
  return {{"family", family_name(group.calibrator.family())},
          {"signals", group.calibrator.signals},
          {"records", group.calibrator.records},
          {"held_out", {{"nll", group.held_out_nll}, {"brier", group.held_out_brier}}},
          {"when_missing", group.calibrator.when_missing},
          {"parameters", std::visit(ParametersOf{}, group.calibrator.model)}};
}

constexpr Interval kPositive{1e-300, 1e300};
constexpr Interval kNotNegative{0, 1e300};
constexpr Interval kUnit{0, 1};

std::vector<double> ascending(JsonChecker& check, const Json& list, const std::string& place,
                              bool strictly, Interval range) {
  std::vector<double> values;
  for (const Json& item : list) {
    const std::string at = fmt::format("{}[{}]", place, values.size());
    const double value = check.number(item, at, range);
    const bool falls = !values.empty() &&
                       (strictly ? value <= values.back() : value < values.back());
    if (falls) check.fault(at, "must not fall below the one before");
    values.push_back(value);
  }
  return values;
}

HistogramMap parse_histogram(JsonChecker& check, const Json& json, const std::string& place) {
  HistogramMap map;
  map.confidence = check.number_in(json, "confidence", place, {0.5, 0.999999});
  for (const Json& item : check.list_in(json, "bins", place, kItemsMax)) {
    const std::string at = fmt::format("{}.bins[{}]", place, map.bins.size());
    HistogramMap::Bin bin{.high = check.number_in(item, "high", at),
                          .right = check.count_in(item, "right", at),
                          .trials = check.count_in(item, "trials", at)};
    if (bin.right > bin.trials || bin.trials > (uint64_t{1} << 40)) {
      check.fault(at, "more right answers than trials");
    }
    if (!map.bins.empty() && bin.high <= map.bins.back().high) check.fault(at, "`high` must rise");
    map.bins.push_back(bin);
  }
  if (map.bins.empty()) check.fault(place, "at least one bin is needed");
  return map;
}

IsotonicMap parse_isotonic(JsonChecker& check, const Json& json, const std::string& place) {
  IsotonicMap map;
  const Json& rising = check.member(json, "rising", place);
  if (rising.is_boolean()) map.rising = rising.get<bool>();
  else check.fault(place + ".rising", "true or false is needed");
  map.fit.records = static_cast<size_t>(check.count_in(json, "records", place));
  map.fit.x = ascending(check, check.list_in(json, "x", place, kItemsMax), place + ".x", true,
                        {-1e300, 1e300});
  map.fit.y = ascending(check, check.list_in(json, "y", place, kItemsMax), place + ".y", false,
                        kUnit);
  if (map.fit.x.empty() || map.fit.x.size() != map.fit.y.size()) {
    check.fault(place, "`x` and `y` need the same length, at least 1");
  }
  return map;
}

LogisticModel parse_logistic(JsonChecker& check, const Json& json, const std::string& place,
                             size_t signals) {
  LogisticModel model;
  model.intercept = check.number_in(json, "intercept", place);
  for (const Json& item : check.list_in(json, "terms", place, kSignalsMax)) {
    const std::string at = fmt::format("{}.terms[{}]", place, model.terms.size());
    model.terms.push_back({check.number_in(item, "mean", at),
                           check.number_in(item, "scale", at, kPositive),
                           check.number_in(item, "weight", at, {-1e6, 1e6}),
                           check.number_in(item, "missing", at, {-1e6, 1e6})});
  }
  if (model.terms.size() != signals) check.fault(place + ".terms", "one a signal is needed");
  return model;
}

StumpModel parse_stumps(JsonChecker& check, const Json& json, const std::string& place,
                        size_t signals) {
  StumpModel model;
  model.intercept = check.number_in(json, "intercept", place);
  for (const Json& item : check.list_in(json, "stumps", place, kItemsMax)) {
    const std::string at = fmt::format("{}.stumps[{}]", place, model.stumps.size());
    model.stumps.push_back({static_cast<size_t>(check.count_in(item, "signal", at)),
                            check.number_in(item, "threshold", at),
                            check.number_in(item, "left", at, {-1e6, 1e6}),
                            check.number_in(item, "right", at, {-1e6, 1e6}),
                            check.number_in(item, "missing", at, {-1e6, 1e6})});
    if (model.stumps.back().signal >= signals) check.fault(at, "there is no such signal");
  }
  return model;
}

CalibrationModel parse_model(JsonChecker& check, Family family, const Json& json,
                             const std::string& place, size_t signals) {
  switch (family) {
    case Family::Temperature:
      return TemperatureMap{check.number_in(json, "temperature", place, kPositive)};
    case Family::Platt:
      return PlattMap{check.number_in(json, "slope", place),
                      check.number_in(json, "intercept", place)};
    case Family::Beta:
      return BetaMap{check.number_in(json, "a", place, kNotNegative),
                     check.number_in(json, "b", place, kNotNegative),
                     check.number_in(json, "c", place)};
    case Family::Histogram: return parse_histogram(check, json, place);
    case Family::Isotonic: return parse_isotonic(check, json, place);
    case Family::Logistic: return parse_logistic(check, json, place, signals);
    case Family::Stumps: return parse_stumps(check, json, place, signals);
  }
  return PlattMap{};
}

GroupCalibrator parse_group(JsonChecker& check, const Json& json, const std::string& place) {
  GroupCalibrator group;
  const std::string name = check.text_in(json, "family", place);
  const auto family = parse_family(name);
  if (!family) check.fault(place + ".family", fmt::format("unknown family `{:.40}`", name));
  for (const Json& signal : check.list_in(json, "signals", place, kSignalsMax)) {
    if (!signal.is_string()) check.fault(place + ".signals", "a list of names is needed");
    else group.calibrator.signals.push_back(signal.get<std::string>());
  }
  if (group.calibrator.signals.empty()) check.fault(place + ".signals", "at least one is needed");
  group.calibrator.records = static_cast<size_t>(check.count_in(json, "records", place));
  group.calibrator.when_missing = check.number_in(json, "when_missing", place, {1e-12, 1 - 1e-12});
  const Json& held_out = check.member(json, "held_out", place);
  group.held_out_nll = check.number_in(held_out, "nll", place + ".held_out", kNotNegative);
  group.held_out_brier = check.number_in(held_out, "brier", place + ".held_out", kUnit);
  const Json& parameters = check.member(json, "parameters", place);
  if (family) {
    group.calibrator.model = parse_model(check, *family, parameters, place + ".parameters",
                                         group.calibrator.signals.size());
  }
  return group;
}

}  // namespace

std::string calibrators_json(const CalibratorSet& set) {
  Json groups = Json::object();
  for (const auto& [name, group] : set.groups) groups[name] = group_json(group);
  const Json json = {{"format", kCalibratorFormat},
                     {"version", kCalibratorVersion},
                     {"tier", set.tier},
                     {"identity",
                      {{"model_sha", set.identity.model_sha},
                       {"quantization", set.identity.quantization},
                       {"engine", set.identity.engine},
                       {"sampler", set.identity.sampler}}},
                     {"pooled", group_json(set.pooled)},
                     {"groups", groups}};
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

Result<CalibratorSet> parse_calibrators(std::string_view text, const std::string& where) {
  const auto refuse = [&](ErrorCode code, std::string what) {
    return Error{code, std::move(what), where, "calibrate again: tinyarms calibrate"};
  };
  if (text.size() > kCalibratorBytesMax) return refuse(ErrorCode::Corrupt, "is larger than 4 MiB");
  const Json json = Json::parse(text, nullptr, false);
  if (!json.is_object()) return refuse(ErrorCode::Corrupt, "is not a JSON object");
  JsonChecker check;
  if (check.text_in(json, "format", "") != kCalibratorFormat) {
    return refuse(ErrorCode::Corrupt, "is not a calibrator file");
  }
  if (check.number_in(json, "version", "") != kCalibratorVersion) {
    return refuse(ErrorCode::Unsupported, fmt::format("is not of version {}", kCalibratorVersion));
  }
  CalibratorSet set;
  set.tier = check.text_in(json, "tier", "file");
  const Json& identity = check.member(json, "identity", "file");
  set.identity = {check.text_in(identity, "model_sha", "identity"),
                  check.text_in(identity, "quantization", "identity"),
                  check.text_in(identity, "engine", "identity"),
                  check.text_in(identity, "sampler", "identity")};
  set.pooled = parse_group(check, check.member(json, "pooled", "file"), "pooled");
  const Json& groups = check.member(json, "groups", "file");
  if (!groups.is_object() || groups.size() > kGroupsMax) {
    check.fault("groups", "an object is needed");
  } else {
    for (const auto& [name, group] : groups.items()) {
      set.groups[name] = parse_group(check, group, fmt::format("groups.{:.60}", name));
    }
  }
  if (!check.fault()) return set;
  return refuse(ErrorCode::Corrupt,
                fmt::format("{}: {}", check.fault()->first, check.fault()->second));
}

Result<CalibratorSet> load_calibrators(const std::filesystem::path& file) {
  auto text = read_file(file, kCalibratorBytesMax);
  if (!text) return text.error();
  return parse_calibrators(*text, file.string());
}

}  // namespace tinyarms::calibration
