// The fitted test as JSON.
#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "calibration/early_abort.h"
#include "calibration/json_checker.h"

namespace tinyarms::calibration {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kEarlyAbortFormat = "tinyarms-early-abort";
constexpr int kEarlyAbortVersion = 1;
constexpr size_t kEarlyAbortBytesMax = size_t{1} << 20;
constexpr Interval kOpenUnit{1e-6, 1 - 1e-6};

int whole_in(JsonChecker& check, const Json& json, const char* name, const std::string& place,
             Interval range) {
  const double value = check.number_in(json, name, place, range);
  if (value != std::floor(value)) check.fault(place + "." + name, "a whole number is needed");
  return static_cast<int>(value);
}

MarginTest read_test(JsonChecker& check, const Json& json) {
  MarginTest test;
  const std::string kind = check.text_in(json, "kind", "test");
  if (kind == "window") {
    test.kind = MarginTest::Kind::Window;
    test.parameter = whole_in(check, json, "parameter", "test", {1, kWindowMax});
  } else if (kind == "cusum") {
    test.kind = MarginTest::Kind::Cusum;
    test.parameter = whole_in(check, json, "parameter", "test", {0, kDoubtMax - 1});
  } else {
    check.fault("test.kind", fmt::format("`{:.40}` is neither window nor cusum", kind));
  }
  test.boundary = whole_in(check, json, "boundary", "test", {1, kBoundaryMax});
  return test;
}

// Figures that do not bear the promise out were edited.
void read_promise(JsonChecker& check, const Json& json, EarlyAbortFit& fit) {
  fit.target.lost_max = check.number_in(json, "lost_max", "promise", kOpenUnit);
  fit.target.confidence = check.number_in(json, "confidence", "promise", kOpenUnit);
  fit.watched = static_cast<size_t>(check.count_in(json, "watched", "promise"));
  fit.stopped = static_cast<size_t>(check.count_in(json, "stopped", "promise"));
  fit.lost = static_cast<size_t>(check.count_in(json, "lost", "promise"));
  fit.bound = check.number_in(json, "bound", "promise", {0, 1});
  const bool sound = fit.stopped > 0 && fit.stopped <= fit.watched && fit.lost <= fit.stopped &&
                     static_cast<double>(fit.lost) <=
                         fit.bound * static_cast<double>(fit.stopped) &&
                     fit.bound <= fit.target.lost_max * (1 + 1e-9);
  if (!sound) check.fault("promise", "the counts do not bear it out");
}

}  // namespace

std::string early_abort_json(const EarlyAbortFile& file) {
  const EarlyAbortFit& fit = file.fit;
  const bool window = fit.test.kind == MarginTest::Kind::Window;
  const Json json = {{"format", kEarlyAbortFormat},
                     {"version", kEarlyAbortVersion},
                     {"tier", file.tier},
                     {"identity",
                      {{"model_sha", file.identity.model_sha},
                       {"quantization", file.identity.quantization},
                       {"engine", file.identity.engine},
                       {"sampler", file.identity.sampler}}},
                     {"calibrator", file.calibrator},
                     {"kept_from", file.kept_from},
                     {"test",
                      {{"kind", window ? "window" : "cusum"},
                       {"parameter", fit.test.parameter},
                       {"boundary", fit.test.boundary}}},
                     {"promise",
                      {{"lost_max", fit.target.lost_max},
                       {"confidence", fit.target.confidence},
                       {"watched", fit.watched},
                       {"stopped", fit.stopped},
                       {"lost", fit.lost},
                       {"bound", fit.bound}}}};
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

Result<EarlyAbortFile> parse_early_abort(std::string_view text, const std::string& where) {
  const auto refuse = [&](ErrorCode code, std::string what) {
    return Error{code, std::move(what), where, "fit it again: tinyarms calibrate --early-abort"};
  };
  if (text.size() > kEarlyAbortBytesMax) return refuse(ErrorCode::Corrupt, "is larger than 1 MiB");
  const Json json = Json::parse(text, nullptr, false);
  if (!json.is_object()) return refuse(ErrorCode::Corrupt, "is not a JSON object");
  JsonChecker check;
  if (check.text_in(json, "format", "") != kEarlyAbortFormat) {
    return refuse(ErrorCode::Corrupt, "is no test for early abort");
  }
  if (check.number_in(json, "version", "") != kEarlyAbortVersion) {
    return refuse(ErrorCode::Unsupported, fmt::format("is not of version {}", kEarlyAbortVersion));
  }
  EarlyAbortFile file;
  file.tier = check.text_in(json, "tier", "file");
  const Json& identity = check.member(json, "identity", "file");
  file.identity = {check.text_in(identity, "model_sha", "identity"),
                   check.text_in(identity, "quantization", "identity"),
                   check.text_in(identity, "engine", "identity"),
                   check.text_in(identity, "sampler", "identity")};
  file.calibrator = check.text_in(json, "calibrator", "file");
  file.kept_from = check.number_in(json, "kept_from", "file", {0, 1});
  file.fit.test = read_test(check, check.member(json, "test", "file"));
  read_promise(check, check.member(json, "promise", "file"), file.fit);
  if (!check.fault()) return file;
  return refuse(ErrorCode::Corrupt,
                fmt::format("{}: {}", check.fault()->first, check.fault()->second));
}

}  // namespace tinyarms::calibration
