#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "eval/bench_test_support.h"
#include "eval/task_registry.h"
#include "eval/tasks/tiny_parts.h"
#include "sandbox/bubblewrap_judge.h"

namespace tinyarms::eval {
namespace {

std::vector<Item> tiny_items() {
  auto items = (*find_task("tiny"))->read({});
  EXPECT_TRUE(items);
  return items ? *items : std::vector<Item>();
}

Verdict judged(const Item& item, std::string_view answer) {
  testing::IdleJudge judge;
  auto verdict = tiny::judge(item, answer, judge);
  EXPECT_TRUE(verdict) << item.id << ": " << verdict.error().message();
  return verdict ? *verdict : Verdict{};
}

const Item& item_named(const std::vector<Item>& items, const std::string& id) {
  for (const Item& item : items) {
    if (item.id == id) return item;
  }
  ADD_FAILURE() << "no item " << id;
  return items.front();
}

nlohmann::json reference_of(const Item& item) { return nlohmann::json::parse(item.reference); }

// What a perfect model would say, where that takes no sandbox.
std::optional<std::string> perfect_answer(const Item& item) {
  const auto reference = reference_of(item);
  const std::string check = reference["check"];
  if (check == "option") return reference["right"];
  if (check == "number") return "So the result is " + reference["value"].dump() + ".";
  if (check == "text") return "It is " + reference["accepted"][0].get<std::string>() + ".";
  if (check == "call") return "```json\n" + reference["call"].dump(2) + "\n```";
  return std::nullopt;
}

TEST(Tiny, HasEnoughItemsOfEveryGroupAndLevel) {
  const auto items = tiny_items();
  EXPECT_GE(items.size(), 240u);
  std::set<std::string> ids;
  std::map<std::string, int> parts;
  for (const Item& item : items) {
    EXPECT_TRUE(ids.insert(item.id).second) << item.id;
    ++parts[item.id.substr(0, item.id.rfind('/'))];
    EXPECT_FALSE(item.messages.empty());
  }
  EXPECT_EQ(parts.size(), 16u);
  for (const auto& [part, count] : parts) EXPECT_GE(count, 8) << part;
}

TEST(Tiny, IsTheSameEveryTime) {
  const auto once = tiny_items();
  const auto again = tiny_items();
  for (size_t i = 0; i < once.size(); ++i) {
    EXPECT_EQ(once[i].id, again[i].id);
    EXPECT_EQ(once[i].messages[0].content, again[i].messages[0].content);
    EXPECT_EQ(once[i].reference, again[i].reference);
  }
}

TEST(Tiny, RightAnswersPassAndEmptyOnesFail) {
  for (const Item& item : tiny_items()) {
    const auto answer = perfect_answer(item);
    EXPECT_FALSE(judged(item, "").correct) << item.id;
    EXPECT_TRUE(!answer || judged(item, *answer).correct) << item.id << ": " << answer.value_or("");
  }
}

TEST(Tiny, EveryOtherOptionIsWrong) {
  for (const Item& item : tiny_items()) {
    if (item.mode != Mode::Choose) continue;
    size_t right = 0;
    for (const std::string& option : item.options) right += judged(item, option).correct;
    EXPECT_EQ(right, 1u) << item.id;
  }
}

TEST(Tiny, HedgedAndPaddedAnswers) {
  const auto items = tiny_items();
  const Item& england = item_named(items, "general/2/03");
  EXPECT_TRUE(judged(england, "London is the capital of England.").correct);
  EXPECT_FALSE(judged(england, "London, Paris or Dublin").correct);
  EXPECT_FALSE(judged(england, "Londonderry").correct);
  const Item& brazil = item_named(items, "general/2/14");
  EXPECT_TRUE(judged(brazil, "South America").correct);
  const Item& sum = item_named(items, "maths/1/00");
  const int64_t value = reference_of(sum)["value"];
  EXPECT_TRUE(judged(sum, fmt::format("= {}.0", value)).correct);
  EXPECT_FALSE(judged(sum, fmt::format("{} or {}", value, value + 1)).correct);
  const Item& call = item_named(items, "tools/1/00");
  auto expected = reference_of(call)["call"];
  EXPECT_FALSE(judged(call, "{\"name\": \"get_weather\"}").correct);
  EXPECT_FALSE(judged(call, "{{{{").correct);
  expected["arguments"]["more"] = 1;
  EXPECT_FALSE(judged(call, expected.dump()).correct);
}

// Needs the sandbox: every solution passes its tests, and leaving early is no way past them.
TEST(Tiny, SolutionsPassInTheSandbox) {
  const auto judge = sandbox::make_judge();
  if (auto there = judge->available("python"); !there) {
    GTEST_SKIP() << "Python programs cannot run here: " << there.error().message();
  }
  const auto items = tiny_items();
  size_t checked = 0;
  for (const auto& function : nlohmann::json::parse(tiny::data_file("functions.json"))) {
    const Item& item =
        item_named(items, fmt::format("code/{}/{:02}", function["level"].get<int>(), checked++));
    std::string body = function["solution"];
    for (size_t at = 0; (at = body.find('\n', at)) != std::string::npos; at += 5) {
      body.replace(at, 1, "\n    ");
    }
    const std::string head = "def " + function["signature"].get<std::string>() + ":\n    ";
    const auto right = tiny::judge(item, "```python\n" + head + body + "\n```", *judge);
    ASSERT_TRUE(right) << right.error().message();
    EXPECT_TRUE(right->correct) << item.id << ": " << right->reason;
    const auto early =
        tiny::judge(item, head + "pass\nimport os\nprint('passed')\nos._exit(0)", *judge);
    ASSERT_TRUE(early) << early.error().message();
    EXPECT_FALSE(early->correct) << item.id;
  }
  EXPECT_EQ(checked, 36u);
}

}  // namespace
}  // namespace tinyarms::eval
