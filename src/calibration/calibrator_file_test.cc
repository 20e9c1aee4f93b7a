#include "calibration/calibrator_file.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "calibration/random.h"

namespace tinyarms::calibration {
namespace {

using Json = nlohmann::ordered_json;

TrainingSet sample(uint64_t seed, size_t count) {
  Random random(seed);
  TrainingSet set;
  set.signals = {"confidence", "entropy"};
  set.columns.resize(2);
  for (size_t i = 0; i < count; ++i) {
    const double p = 0.01 + 0.98 * random.uniform();
    const bool easy = i % 2 == 0;
    // Over-sure in one group, over-cautious in the other.
    const double truth = sigmoid((easy ? 3 : 0.3) * logit(p));
    set.columns[0].push_back(p);
    set.columns[1].push_back(random.uniform() < 0.3 ? NAN : 1 - p);
    set.right.push_back(random.uniform() < truth ? 1 : 0);
    set.keys.push_back(mix64(seed * 77 + i));
    set.group.push_back(easy ? "easy" : "hard");
  }
  return set;
}

CalibratorSet fitted(Family family) {
  GroupFitOptions options;
  options.cross.families = {family};
  auto fit = fit_calibrator_set(sample(1, 1200), options);
  EXPECT_TRUE(fit) << fit.error().message();
  CalibratorSet set = std::move(fit->set);
  set.tier = "l2";
  set.identity = {"abc", "q4_1", "engine 1", "temperature=0"};
  return set;
}

TEST(CalibratorFile, EveryFamilyComesBackTheSame) {
  for (const Family family : kFamilies) {
    const CalibratorSet set = fitted(family);
    const std::string text = calibrators_json(set);
    auto back = parse_calibrators(text, "c.json");
    ASSERT_TRUE(back) << family_name(family) << ": " << back.error().message();
    EXPECT_EQ(calibrators_json(*back), text);
    EXPECT_EQ(back->identity, set.identity);
    for (const char* group : {"easy", "hard", "other"}) {
      for (double p = 0.05; p < 1; p += 0.09) {
        const std::vector<double> values = {p, p < 0.5 ? NAN : 1 - p};
        const size_t count = set.for_group(group).signals.size();
        const auto shown = std::span<const double>(values).first(count);
        EXPECT_EQ(back->for_group(group)(shown), set.for_group(group)(shown));
      }
    }
  }
}

TEST(CalibratorSet, GroupsThatDifferGetTheirOwn) {
  const CalibratorSet set = fitted(Family::Temperature);
  ASSERT_EQ(set.groups.size(), 2u);
  const double p = 0.8;
  const std::span<const double> values(&p, 1);
  EXPECT_GT(set.for_group("easy")(values), 0.95);
  EXPECT_LT(set.for_group("hard")(values), 0.7);
  EXPECT_EQ(&set.for_group("unknown"), &set.pooled.calibrator);
}

TEST(CalibratorSet, FewRecordsArePooled) {
  auto fit = fit_calibrator_set(sample(2, 300), {});
  ASSERT_TRUE(fit);
  EXPECT_TRUE(fit->set.groups.empty());
}

TEST(ServingIdentityCheck, OtherSetUpsAreRefusedByName) {
  const ServingIdentity fitted{"m", "q4", "e", "s"};
  EXPECT_TRUE(check_identity(fitted, fitted));
  ServingIdentity other = fitted;
  other.quantization = "q8";
  other.engine = "";
  auto refused = check_identity(fitted, other);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::Unsupported);
  EXPECT_NE(refused.error().what.find("quantisation is `q8`, fitted under `q4`"),
            std::string::npos);
  EXPECT_NE(refused.error().what.find("engine"), std::string::npos);
  EXPECT_EQ(refused.error().what.find("sampler"), std::string::npos);
}

// Each edit makes a sound file unsound; the error names the place.
struct Edit {
  Family family;
  const char* pointer;
  Json value;
  const char* says;
};

TEST(CalibratorFile, EditedByHandIsRefusedWithThePlace) {
  const std::vector<Edit> edits = {
      {Family::Platt, "/version", 2, "version 1"},
      {Family::Platt, "/format", "other", "not a calibrator"},
      {Family::Platt, "/tier", 7, "file.tier"},
      {Family::Platt, "/pooled/family", "magic", "unknown family `magic`"},
      {Family::Platt, "/pooled/parameters/slope", "steep", "pooled.parameters.slope"},
      {Family::Platt, "/pooled/parameters/slope", nullptr, "pooled.parameters.slope"},
      {Family::Platt, "/pooled/signals", Json::array(), "pooled.signals"},
      {Family::Platt, "/pooled/when_missing", 1.5, "when_missing"},
      {Family::Platt, "/pooled/records", -3, "records"},
      {Family::Platt, "/identity", "me", "model_sha"},
      {Family::Platt, "/groups", 3, "groups"},
      {Family::Temperature, "/pooled/parameters/temperature", 0, "temperature"},
      {Family::Temperature, "/pooled/parameters/temperature", -1, "temperature"},
      {Family::Beta, "/pooled/parameters/a", -1, "parameters.a"},
      {Family::Isotonic, "/pooled/parameters/y/1", 2, "parameters.y[1]"},
      {Family::Isotonic, "/pooled/parameters/y/1", -0.5, "parameters.y[1]"},
      {Family::Isotonic, "/pooled/parameters/x/1", -5, "parameters.x[1]"},
      {Family::Isotonic, "/pooled/parameters/x", Json::array({1}), "same length"},
      {Family::Histogram, "/pooled/parameters/bins/0/right", 1u << 30, "bins[0]"},
      {Family::Histogram, "/pooled/parameters/bins", Json::array(), "at least one bin"},
      {Family::Logistic, "/pooled/parameters/terms/0/scale", 0, "terms[0].scale"},
      {Family::Logistic, "/pooled/signals", Json::array({"confidence"}), "one a signal"},
      {Family::Stumps, "/pooled/parameters/stumps/0/signal", 9, "no such signal"},
      {Family::Stumps, "/pooled/parameters/stumps/0/left", 1e300, "stumps[0].left"},
      {Family::Platt, "/groups/easy", Json::object(), "groups.easy"},
  };
  for (const Edit& edit : edits) {
    Json json = Json::parse(calibrators_json(fitted(edit.family)));
    json[Json::json_pointer(edit.pointer)] = edit.value;
    auto parsed = parse_calibrators(json.dump(), "c.json");
    ASSERT_FALSE(parsed) << edit.pointer;
    EXPECT_EQ(parsed.error().where, "c.json");
    EXPECT_NE(parsed.error().what.find(edit.says), std::string::npos)
        << edit.pointer << ": " << parsed.error().message();
  }
}

TEST(CalibratorFile, AnyCutIsRefused) {
  const std::string text = calibrators_json(fitted(Family::Isotonic));
  for (size_t size = 0; size + 2 < text.size(); size += 1 + text.size() / 200) {
    EXPECT_FALSE(parse_calibrators(std::string_view(text).substr(0, size), "c")) << size;
  }
  EXPECT_FALSE(parse_calibrators(std::string(5 << 20, ' '), "c"));
  EXPECT_FALSE(parse_calibrators(std::string(100'000, '['), "c"));
  EXPECT_EQ(load_calibrators("no/such/file").error().code, ErrorCode::NotFound);
}

}  // namespace
}  // namespace tinyarms::calibration
