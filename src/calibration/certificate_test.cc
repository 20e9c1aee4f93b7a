#include "calibration/certificate.h"

#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "calibration/random.h"

namespace tinyarms::calibration {
namespace {

// Wrong with probability 0.4·(1 − s)^2 at score s; `levels` > 0 makes ties.
std::vector<Scored> sample(Random& random, size_t count, uint64_t levels = 0) {
  std::vector<Scored> items;
  for (size_t i = 0; i < count; ++i) {
    double score = random.uniform();
    if (levels > 0) score = std::floor(score * static_cast<double>(levels)) / levels;
    const double wrong = 0.4 * (1 - score) * (1 - score);
    items.push_back({score, random.uniform() < wrong ? 0.0 : 1.0});
  }
  return items;
}

// The true risk of keeping scores ≥ t (uniform scores): 0.4·(1 − t)²/3.
double true_risk(double threshold) {
  const double t = std::clamp(threshold, 0.0, 1.0);
  return 0.4 * (1 - t) * (1 - t) / 3;
}

TEST(Certify, BrokenPromisesAreRarerThanDelta) {
  Random random(21);
  const RiskTarget target{.alpha = 0.05, .delta = 0.1};
  int broken = 0;
  int certified = 0;
  constexpr int kRounds = 1000;
  for (int round = 0; round < kRounds; ++round) {
    const auto result = certify(sample(random, 600), target);
    if (!result) continue;
    ++certified;
    broken += true_risk(result->threshold) > target.alpha ? 1 : 0;
    EXPECT_LE(result->bound, target.alpha + 1e-12);
  }
  EXPECT_GT(certified, kRounds * 0.75);
  EXPECT_LE(broken, kRounds * 0.1 + 3 * std::sqrt(kRounds * 0.09));
}

TEST(Certify, NothingIsPromisedWhereScoresSayNothing) {
  Random random(22);
  int certified = 0;
  for (int round = 0; round < 400; ++round) {
    std::vector<Scored> items;
    for (int i = 0; i < 400; ++i) {
      items.push_back({random.uniform(), random.uniform() < 0.2 ? 0.0 : 1.0});
    }
    certified += certify(items, {.alpha = 0.19, .delta = 0.1}) ? 1 : 0;
  }
  EXPECT_LE(certified, 40 + 18);
}

TEST(Certify, TooFewRecordsCertifyNothing) {
  const std::vector<Scored> items(20, Scored{0.9, 1});
  EXPECT_FALSE(certify(items, {.alpha = 0.1, .delta = 0.05}));
  EXPECT_FALSE(certify(std::vector<Scored>{}, {.alpha = 0.1, .delta = 0.05}));
  std::vector<Scored> all_right;
  for (int i = 0; i < 300; ++i) all_right.push_back({i / 300.0, 1});
  const auto whole = certify(all_right, {.alpha = 0.1, .delta = 0.05});
  ASSERT_TRUE(whole);
  EXPECT_EQ(whole->kept, 300u);
}

TEST(Certify, TiesAreKeptOrDroppedTogether) {
  Random random(23);
  const std::vector<Scored> items = sample(random, 2000, 5);
  const auto certified = certify(items, {.alpha = 0.05, .delta = 0.05});
  ASSERT_TRUE(certified);
  const auto kept = std::count_if(items.begin(), items.end(), [&](const Scored& item) {
    return item.score >= certified->threshold;
  });
  EXPECT_EQ(static_cast<size_t>(kept), certified->kept);
}

TEST(Certify, OrderDoesNotMatterAndScaleNeither) {
  Random random(24);
  std::vector<Scored> items = sample(random, 800);
  const auto first = certify(items, {});
  random.shuffle(items);
  for (Scored& item : items) item.score = std::exp(8 * item.score);
  const auto again = certify(items, {});
  ASSERT_TRUE(first && again);
  EXPECT_EQ(first->kept, again->kept);
  EXPECT_EQ(first->wrong, again->wrong);
}

TEST(CertifyGroups, AnHonestGroupDoesNotVouchForAnother) {
  Random random(25);
  std::vector<GroupedItem> items;
  for (const Scored& item : sample(random, 1500)) items.push_back({item, "good"});
  for (int i = 0; i < 400; ++i) {
    items.push_back({{random.uniform(), random.uniform() < 0.5 ? 0.0 : 1.0}, "bad"});
  }
  items.push_back({{0.5, 1}, "tiny"});
  const Certificate certificate = certify_groups(items, {.alpha = 0.08, .delta = 0.1});
  EXPECT_TRUE(certificate.groups.contains("good"));
  EXPECT_FALSE(certificate.groups.contains("bad"));
  EXPECT_FALSE(certificate.groups.contains("tiny"));
  EXPECT_EQ(certificate.for_group("good"), &certificate.groups.at("good"));
  const Certified* pooled = certificate.pooled ? &*certificate.pooled : nullptr;
  EXPECT_EQ(certificate.for_group("tiny"), pooled);
}

Certificate issued() {
  Random random(26);
  std::vector<GroupedItem> items;
  for (const Scored& item : sample(random, 1500)) items.push_back({item, "a"});
  for (const Scored& item : sample(random, 900)) items.push_back({item, "b"});
  Certificate certificate = certify_groups(items, {.alpha = 0.08, .delta = 0.1});
  certificate.tier = "l2";
  certificate.score = "confidence";
  certificate.hashes = {{"model", "aaaa"}, {"calibrator", "bbbb"}};
  return certificate;
}

TEST(CertificateFile, ComesBackAndIsVoidWhenAHashChanges) {
  const Certificate certificate = issued();
  ASSERT_TRUE(certificate.pooled);
  auto back = parse_certificate(certificate_json(certificate), "c.json");
  ASSERT_TRUE(back) << back.error().message();
  EXPECT_EQ(certificate_json(*back), certificate_json(certificate));
  EXPECT_TRUE(check_certificate(*back, {{"model", "aaaa"}, {"calibrator", "bbbb"}}));
  auto changed = check_certificate(*back, {{"model", "cccc"}, {"calibrator", "bbbb"}});
  ASSERT_FALSE(changed);
  EXPECT_NE(changed.error().what.find("model changed from aaaa to cccc"), std::string::npos);
  EXPECT_FALSE(check_certificate(*back, {{"model", "aaaa"}}));
  EXPECT_FALSE(check_certificate(
      *back, {{"model", "aaaa"}, {"calibrator", "bbbb"}, {"engine", "dddd"}}));
  EXPECT_NE(certificate_text(*back).find("wrong at most 0.08"), std::string::npos);
}

TEST(CertificateFile, EditsAreRefused) {
  const std::string sound = certificate_json(issued());
  const std::vector<std::pair<std::string, nlohmann::ordered_json>> edits = {
      {"/version", 9},         {"/alpha", 1.5},         {"/alpha", 0.0001},
      {"/pooled/wrong", 100000}, {"/pooled/bound", 0.5}, {"/pooled/bound", 0},
      {"/pooled/threshold", "x"}, {"/hashes", 3},        {"/hashes/model", 3},
      {"/groups", nullptr},    {"/format", "other"},    {"/pooled/kept", -1},
      {"/groups/a", {{"kept", 1}}}};
  for (const auto& [pointer, value] : edits) {
    auto json = nlohmann::ordered_json::parse(sound);
    json[nlohmann::ordered_json::json_pointer(pointer)] = value;
    EXPECT_FALSE(parse_certificate(json.dump(), "c.json")) << pointer;
  }
  for (size_t size = 0; size + 2 < sound.size(); size += 37) {
    EXPECT_FALSE(parse_certificate(std::string_view(sound).substr(0, size), "c"));
  }
}

TEST(Resplits, StayWithinTheBound) {
  Random random(27);
  for (const uint64_t levels : {0u, 20u}) {
    const ResplitReport report =
        verify_by_resplits(sample(random, 1200, levels), {.alpha = 0.06, .delta = 0.05}, 400, 3);
    EXPECT_EQ(report.splits, 400u);
    EXPECT_GT(report.certified, 300u);
    EXPECT_LE(static_cast<double>(report.violations), report.bound * 400);
    EXPECT_GT(report.coverage_mean, 0.2);
  }
}

TEST(Resplits, TargetIsChecked) {
  EXPECT_TRUE(check_target({.alpha = 0.1, .delta = 0.05}));
  EXPECT_FALSE(check_target({.alpha = 0, .delta = 0.05}));
  EXPECT_FALSE(check_target({.alpha = 0.1, .delta = 1}));
  EXPECT_FALSE(check_target({.alpha = NAN, .delta = 0.5}));
}

}  // namespace
}  // namespace tinyarms::calibration
