#include "calibration/record_reader.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <sstream>

namespace tinyarms::calibration {
namespace {

constexpr const char* kGood =
    R"({"id":"a","group":"code","prompt":"x","tiers":[{"name":"s","correct":true,"cost":0.5,)"
    R"("evidence":{"margin":0.25,"parses":true,"language":"py","gone":null}},)"
    R"({"name":"l","correct":0,"cost":2}],"extra":{"deep":[1,{"k":"v"}]}})";

Result<std::vector<Record>> read(const std::string& text, ReadOptions options = {}) {
  RecordReader reader(options);
  std::istringstream input(text);
  std::vector<Record> records;
  auto done = reader.read(input, "r.jsonl", [&](const Record& record) -> Result<void> {
    records.push_back(record);
    return {};
  });
  if (!done) return done.error();
  return records;
}

std::string line(const std::string& id, const std::string& rest = R"("correct":true,"cost":1)",
                 const std::string& prompt = "") {
  return fmt::format("{{\"id\":\"{}\",\"prompt\":\"{}\",\"tiers\":[{{\"name\":\"s\",{}}}]}}\n", id,
                     prompt, rest);
}

std::string bench(const std::string& id, const std::string& tier, const std::string& rest) {
  return fmt::format(R"({{"id":"{}","task":"t","group":"g","prompt_sha":"p","tier":"{}",)"
                     R"("model_sha":"m1","quantization":"q4_1",{}}})"
                     "\n",
                     id, tier, rest);
}

TEST(RecordReader, ReadsBothForms) {
  auto records = read(std::string(kGood) + "\n\n" +
                      bench("b", "l2", R"("answer":"y","evidence":{"m":1},"correct":false,)"
                                       R"("seconds":1.5,"tokens":20)"));
  ASSERT_TRUE(records) << records.error().message();
  ASSERT_EQ(records->size(), 2u);
  const Record& first = (*records)[0];
  EXPECT_EQ(first.line, 1u);
  EXPECT_EQ(first.group, "code");
  ASSERT_EQ(first.tiers.size(), 2u);
  EXPECT_TRUE(first.tiers[0].correct);
  EXPECT_FALSE(first.tiers[1].correct);
  EXPECT_EQ(first.tiers[0].cost, 0.5);
  const std::vector<std::pair<std::string, double>> expected = {{"margin", 0.25}, {"parses", 1}};
  EXPECT_EQ(first.tiers[0].evidence, expected);
  const Record& second = (*records)[1];
  EXPECT_EQ(second.line, 3u);
  EXPECT_TRUE(second.bench);
  EXPECT_EQ(second.tiers[0].name, "l2");
  EXPECT_EQ(second.tiers[0].cost, 1.5);
  EXPECT_EQ(second.tiers[0].model_sha, "m1");
}

TEST(RecordReader, CostUnitPicksTheField) {
  const auto text = bench("b", "l2", R"("correct":true,"seconds":1.5,"tokens":20)");
  EXPECT_EQ(read(text, {.unit = CostUnit::Tokens}).value()[0].tiers[0].cost, 20);
}

struct BadCase {
  const char* name;
  std::string text;
  const char* says;
  const char* where = "r.jsonl:2";
};

std::vector<BadCase> bad_cases() {
  const std::string ok = line("ok");
  return {
      {"nan", ok + line("a", R"("correct":true,"cost":1,"evidence":{"m":NaN})"), "NaN"},
      {"infinity", ok + line("a", R"("correct":true,"cost":-Infinity)"), "number"},
      {"huge", ok + line("a", R"("correct":true,"cost":1e999)"), "out of range"},
      {"zero cost", ok + line("a", R"("correct":true,"cost":0)"), "greater than 0"},
      {"negative cost", ok + line("a", R"("correct":true,"cost":-1)"), "greater than 0"},
      {"no cost", ok + line("a", R"("correct":true)"), "lacks `cost`"},
      {"no label", ok + line("a", R"("cost":1)"), "lacks `correct`"},
      {"soft label", ok + line("a", R"("correct":0.5,"cost":1)"), "true, false, 1 or 0"},
      {"text label", ok + line("a", R"("correct":"yes","cost":1)"), "true or false"},
      {"no id", ok + R"({"tiers":[{"name":"s","correct":true,"cost":1}]})", "lacks `id`"},
      {"empty id", ok + line(""), "`id` is empty"},
      {"duplicate id", ok + line("ok"), "used before, on line 1"},
      {"opposite label", ok + line("ok", R"("correct":false,"cost":1)"), "opposite label"},
      {"contradiction", line("a", R"("correct":true,"cost":1,"evidence":{"m":1})", "p") +
                            line("b", R"("correct":false,"cost":1,"evidence":{"m":1})", "p"),
       "same answer to the same prompt as on line 1"},
      {"tier twice", ok + R"({"id":"a","tiers":[{"name":"s","correct":true,"cost":1},)"
                          R"({"name":"s","correct":false,"cost":1}]})", "contradict"},
      {"no tiers", ok + R"({"id":"a","tiers":[]})", "`tiers` is empty"},
      {"neither form", ok + R"({"id":"a"})", "neither `tiers`"},
      {"signal twice", ok + line("a", R"("correct":true,"cost":1,"evidence":{"m":1,"m":2})"),
       "`m` twice"},
      {"cut off", ok + R"({"id":"a","tiers":[{"name":"s")", "missing"},
      {"trailing", ok + "{\"id\":1} x", "after its end"},
      {"not an object", ok + "[1]", "object is needed"},
      {"not JSON", ok + "id,correct", "object is needed"},
      {"bad UTF-8", ok + "{\"id\":\"\xff\"}", "UTF-8"},
      {"half surrogate", ok + R"({"id":"\ud800"})", "surrogate"},
      {"control", ok + "{\"id\":\"a\tb\"}", "control character"},
      {"deep", ok + "{\"x\":" + std::string(100000, '['), "deeply"},
      {"leading zero", ok + R"({"id":01})", "missing"},
      {"mixed models", bench("a", "l2", R"("correct":true,"seconds":1)") +
                           R"({"id":"b","tier":"l2","model_sha":"m2","quantization":"q4_1",)"
                           R"("correct":true,"seconds":1})", "m2 (q4_1) here and m1"},
      {"bench zero", ok + bench("a", "l2", R"("correct":true,"seconds":0)"), "greater than 0"},
      {"bench without cost", ok + bench("a", "l2", R"("correct":true)"), "lacks `seconds`"},
      {"bench id and tier", bench("a", "l2", R"("correct":true,"seconds":1)") +
                                bench("a", "l2", R"("correct":true,"seconds":1)"), "tier `l2`"},
  };
}

TEST(RecordReader, BadInputIsATypedErrorThatNamesTheLine) {
  for (const BadCase& bad : bad_cases()) {
    auto records = read(bad.text);
    ASSERT_FALSE(records) << bad.name;
    EXPECT_NE(records.error().what.find(bad.says), std::string::npos)
        << bad.name << ": " << records.error().message();
    EXPECT_EQ(records.error().where, bad.where) << bad.name;
    EXPECT_FALSE(records.error().hint.empty()) << bad.name;
  }
}

TEST(RecordReader, TheSameIdServesTwoTiersOfABench) {
  auto records = read(bench("a", "l2", R"("correct":true,"seconds":1)") +
                      bench("a", "l3", R"("correct":true,"seconds":1)"));
  ASSERT_TRUE(records) << records.error().message();
  EXPECT_EQ(records->size(), 2u);
}

TEST(RecordReader, MixedModelsWhereAsked) {
  const std::string text = bench("a", "l2", R"("correct":true,"seconds":1)") +
                           R"({"id":"b","tier":"l2","model_sha":"m2","correct":true,"seconds":1})";
  EXPECT_FALSE(read(text));
  EXPECT_TRUE(read(text, {.mixed_models = true}));
}

TEST(RecordReader, SamplesThatDifferInEvidenceMayDifferInOutcome) {
  EXPECT_TRUE(read(line("a", R"("correct":true,"cost":1,"evidence":{"m":1})", "p") +
                   line("b", R"("correct":false,"cost":1,"evidence":{"m":2})", "p")));
}

TEST(RecordReader, LimitsHold) {
  EXPECT_EQ(read(line("a") + line("b"), {.records_max = 1}).error().code, ErrorCode::OverBudget);
  const auto overlong = read(line("a") + std::string(300'000, ' '), {.line_bytes_max = 100'000});
  ASSERT_FALSE(overlong);
  EXPECT_EQ(overlong.error().where, "r.jsonl:2");
}

TEST(RecordReader, LastLineNeedsNoNewlineAndCarriageReturnsAreFine) {
  std::string text = line("a");
  text.insert(text.size() - 1, "\r");
  text += line("b");
  text.pop_back();
  EXPECT_EQ(read(text).value().size(), 2u);
}

TEST(RecordReader, LinesAcrossReadBlocks) {
  std::string text;
  for (int i = 0; i < 5000; ++i) {
    text += line(fmt::format("id{}", i), R"("correct":true,"cost":1)", std::string(i % 97, 'x'));
  }
  auto records = read(text);
  ASSERT_TRUE(records) << records.error().message();
  ASSERT_EQ(records->size(), 5000u);
  EXPECT_EQ((*records)[4999].id, "id4999");
  EXPECT_EQ((*records)[4999].prompt.size(), 4999u % 97);
}

// Pieces of a block are parsed side by side: order, numbers and the first problem stay in place.
TEST(RecordReader, LinesAreCountedAcrossPiecesAndBlocks) {
  std::string text;
  std::vector<size_t> begins;
  for (int i = 0; i < 40'000; ++i) {
    begins.push_back(text.size());
    text += i % 1000 == 7 ? "\n" : line(fmt::format("id{}", i));
  }
  ASSERT_GT(text.size(), size_t{2} << 20);
  auto records = read(text);
  ASSERT_TRUE(records) << records.error().message();
  for (const Record& record : *records) {
    ASSERT_EQ(record.id, fmt::format("id{}", record.line - 1));
  }
  text[begins[33'333]] = text[begins[38'888]] = '!';
  EXPECT_EQ(read(text).error().where, "r.jsonl:33334");
  const auto twice = text.replace(begins[30'000], begins[30'001] - begins[30'000], line("id12"));
  EXPECT_EQ(read(twice).error().where, "r.jsonl:30001") << "what is wrong first counts";
}

TEST(RecordReader, EscapesAreDecoded) {
  auto records = read(R"({"i\u0064":"\u00e9\ud83d\ude00\n\"","tiers":[)"
                      R"({"name":"s","correct":1,"cost":1}]})");
  ASSERT_TRUE(records) << records.error().message();
  EXPECT_EQ((*records)[0].id, "é😀\n\"");
}

TEST(RecordFiles, MissingFileIsNotFound) {
  const auto nothing = [](const Record&) -> Result<void> { return {}; };
  EXPECT_EQ(read_record_files({"no/such/file"}, {}, nothing).error().code, ErrorCode::NotFound);
  EXPECT_EQ(read_record_files({testing::TempDir()}, {}, nothing).error().code, ErrorCode::Io);
}

}  // namespace
}  // namespace tinyarms::calibration
