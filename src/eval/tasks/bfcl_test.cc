#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>

#include "eval/task_registry.h"
#include "eval/tasks/bfcl_source.h"
#include "eval/tasks/no_judge.h"
#include "sandbox/judge.h"

namespace tinyarms::eval {
namespace {

using bfcl::Language;
using nlohmann::json;
using testing::NoJudge;

// Possible answers → a call as a model would write it, in the language of the item.
class Renderer {
 public:
  explicit Renderer(Language language) : language_(language) {}

  std::string call(const std::string& name, const json& arguments, const json& properties) const {
    std::string text = name + "(";
    for (const auto& [key, value] : arguments.items()) {
      if (text.back() != '(') text += ", ";
      text += key + "=" + argument(value, properties.value(key, json::object()));
    }
    return text + ")";
  }

 private:
  std::string argument(const json& value, const json& description) const {
    const std::string type = description.value("type", "");
    const std::string items =
        description.contains("items") ? description["items"].value("type", "") : "";
    switch (language_) {
      case Language::Python: return type == "tuple" ? python(value, '(') : python(value, '[');
      case Language::Java: return java(value, type, items);
      case Language::JavaScript: return javascript(value, type);
    }
    return "";
  }

  static std::string python(const json& value, char open) {
    if (value.is_boolean()) return value.get<bool>() ? "True" : "False";
    if (value.is_null()) return "None";
    if (value.is_array()) {
      std::string text(1, open);
      for (const json& item : value) text += python(item, '[') + ", ";
      return text + (open == '(' ? ")" : "]");
    }
    if (value.is_object()) {
      std::string text = "{";
      for (const auto& [key, item] : value.items()) {
        text += json(key).dump() + ": " + python(item, '[') + ", ";
      }
      return text + "}";
    }
    return value.dump();
  }

  static std::string java(const json& value, const std::string& type, const std::string& items) {
    if (value.is_string()) {
      // Names of variables stand without quotes; either way the text is the same.
      const std::string text = value.get<std::string>();
      return text.find('"') == std::string::npos ? "\"" + text + "\"" : text;
    }
    if (type == "long") return value.dump() + "L";
    if (type == "float") return value.dump() + "f";
    if (value.is_array()) {
      std::string inside;
      for (const json& item : value) {
        if (!inside.empty()) inside += ", ";
        inside += items == "char" ? "'" + item.get<std::string>() + "'" : java(item, items, "");
      }
      return type == "Array" ? "new Object[]{" + inside + "}"
                             : "new ArrayList<Object>(Arrays.asList(" + inside + "))";
    }
    if (value.is_object()) {
      std::string puts;
      for (const auto& [key, item] : value.items()) {
        puts += "put(\"" + key + "\", " + java(item, "", "") + "); ";
      }
      return "new HashMap<String, Object>() {{ " + puts + "}}";
    }
    return value.dump();
  }

  static std::string javascript(const json& value, const std::string& type) {
    if (type == "Bigint") return value.dump() + "n";
    return value.dump();
  }

  Language language_;
};

// The first possible value of each argument; arguments that may be missing are left out, unless
// the function's description requires them.
json chosen(const json& possible, const json& required) {
  json arguments = json::object();
  for (const auto& [key, values] : possible.items()) {
    if (!values.is_array()) {
      arguments[key] = values;
      continue;
    }
    const bool optional = std::find(values.begin(), values.end(), json("")) != values.end();
    const bool wanted = std::find(required.begin(), required.end(), json(key)) != required.end();
    if (values.empty() || (optional && !wanted)) continue;
    json value = values.at(0);
    for (const json& other : values) {
      if (value == "") value = other;
    }
    if (value.is_object()) value = chosen(value, json::array());
    if (value.is_array()) {
      for (json& item : value) {
        if (item.is_object()) item = chosen(item, json::array());
      }
    }
    arguments[key] = value;
  }
  return arguments;
}

struct WantedCall {
  std::string name;
  json arguments;
  json properties;
};

std::string render(const std::vector<WantedCall>& calls, Language language) {
  std::string text = "[";
  for (const WantedCall& call : calls) {
    if (text.size() > 1) text += ", ";
    text += Renderer(language).call(call.name, call.arguments, call.properties);
  }
  return text + "]";
}

class BfclData : public ::testing::Test {
 protected:
  void SetUp() override {
    const char* shared = std::getenv("TINYARMS_SHARED");
    folder_ = std::filesystem::path(shared == nullptr ? "" : shared) / "data";
    if (!std::filesystem::exists(folder_ / "bfcl")) {
      GTEST_SKIP() << "no BFCL in " << folder_ << ": set TINYARMS_SHARED to a folder with "
                   << "data/bfcl (ShishirPatil/gorilla, bfcl_eval/data)";
    }
    auto items = task_->read(folder_);
    ASSERT_TRUE(items) << items.error().message();
    items_ = std::move(*items);
  }

  static Language language_of(const Item& item) {
    return static_cast<Language>(json::parse(item.reference).value("language", 0));
  }

  static std::vector<WantedCall> wanted_of(const Item& item) {
    const json reference = json::parse(item.reference);
    std::vector<WantedCall> calls;
    for (const json& answer : reference["answers"]) {
      WantedCall call;
      call.name = answer.begin().key();
      json required = json::array();
      for (const json& function : reference["functions"]) {
        if (function["name"] != call.name) continue;
        call.properties = function["parameters"]["properties"];
        required = function["parameters"]["required"];
      }
      call.arguments = chosen(answer.begin().value(), required);
      calls.push_back(std::move(call));
    }
    return calls;
  }

  Verdict judged(const Item& item, const std::string& answer) {
    const auto verdict = task_->score(item, answer, judge_);
    EXPECT_TRUE(verdict) << item.id;
    return verdict ? *verdict : Verdict{};
  }

  std::unique_ptr<Task> task_ = make_bfcl(false);
  std::unique_ptr<Task> strict_ = make_bfcl(true);
  std::filesystem::path folder_;
  std::vector<Item> items_;
  NoJudge judge_;
};

TEST_F(BfclData, HasEveryItemOfEveryCategory) {
  std::map<std::string, size_t> counts;
  for (const Item& item : items_) ++counts[item.group];
  EXPECT_EQ(counts["simple_python"], 400u);
  EXPECT_EQ(counts["simple_java"], 100u);
  EXPECT_EQ(counts["simple_javascript"], 50u);
  EXPECT_EQ(counts["multiple"], 200u);
  EXPECT_EQ(counts["parallel"], 200u);
  EXPECT_EQ(counts["parallel_multiple"], 200u);
  EXPECT_EQ(counts["irrelevance"], 240u);
}

TEST_F(BfclData, PossibleAnswersAreRightInBothDecoders) {
  for (const Item& item : items_) {
    if (item.group == "irrelevance") continue;
    const std::string answer = render(wanted_of(item), language_of(item));
    const Verdict kind = judged(item, answer);
    EXPECT_TRUE(kind.correct) << item.id << ": " << kind.reason << "\n" << answer;
    EXPECT_TRUE(strict_->score(item, answer, judge_)->correct) << item.id << "\n" << answer;
  }
}

TEST_F(BfclData, PerturbedAnswersAreWrong) {
  size_t tried = 0;
  for (const Item& item : items_) {
    if (item.group == "irrelevance") continue;
    const Language language = language_of(item);
    const std::vector<WantedCall> wanted = wanted_of(item);
    const auto expect_wrong = [&](const std::vector<WantedCall>& calls, const char* how) {
      const std::string answer = render(calls, language);
      EXPECT_FALSE(judged(item, answer).correct) << item.id << ", " << how << "\n" << answer;
      ++tried;
    };
    auto calls = wanted;
    calls[0].name += "_x";
    expect_wrong(calls, "wrong name");
    calls = wanted;
    calls[0].arguments["surely_unknown"] = 1;
    expect_wrong(calls, "extra argument");
    calls = wanted;
    calls.push_back(wanted.back());
    expect_wrong(calls, "call twice");
    calls = wanted;
    calls.pop_back();
    expect_wrong(calls, "call dropped");
    if (wanted[0].arguments.empty()) continue;
    const std::string key = wanted[0].arguments.begin().key();
    calls = wanted;
    calls[0].arguments.erase(key);
    expect_wrong(calls, "argument missing");
    calls = wanted;
    calls[0].arguments[key] = {{"no", "such"}, {"value", "here"}};
    expect_wrong(calls, "wrong type");
    calls = wanted;
    json& value = calls[0].arguments[key];
    if (value.is_string()) value = value.get<std::string>() + " zebra";
    if (value.is_boolean()) value = !value.get<bool>();
    if (value.is_number_integer()) value = value.get<int64_t>() + 77731;
    if (value.is_number_float()) value = value.get<double>() + 0.37;
    if (value != wanted[0].arguments[key]) expect_wrong(calls, "wrong value");
  }
  EXPECT_GE(tried, 7000u);
}

// Each call gets the other's arguments.
TEST_F(BfclData, SwappedCallsAreWrongAndReorderedOnesRight) {
  size_t swapped = 0;
  for (const Item& item : items_) {
    std::vector<WantedCall> wanted;
    if (item.group.starts_with("parallel")) wanted = wanted_of(item);
    if (wanted.size() < 2) continue;
    std::vector<WantedCall> calls(wanted.rbegin(), wanted.rend());
    const Verdict reordered = judged(item, render(calls, language_of(item)));
    EXPECT_TRUE(reordered.correct) << item.id << ": " << reordered.reason;
    if (wanted[0].name == wanted[1].name) continue;
    calls = wanted;
    std::swap(calls[0].name, calls[1].name);
    if (calls[0].arguments == calls[1].arguments) continue;
    EXPECT_FALSE(judged(item, render(calls, language_of(item))).correct) << item.id;
    ++swapped;
  }
  EXPECT_GE(swapped, 100u);
}

TEST_F(BfclData, IrrelevanceWantsNoCall) {
  for (const Item& item : items_) {
    if (item.group != "irrelevance") continue;
    EXPECT_TRUE(judged(item, "None of these functions can answer that.").correct);
    EXPECT_TRUE(judged(item, "[]").correct);
    EXPECT_TRUE(judged(item, "").correct);
    EXPECT_FALSE(judged(item, "[f(x=1)]").correct);
    EXPECT_FALSE(judged(item, R"({"name": "f", "arguments": {"x": 1}})").correct);
    EXPECT_FALSE(judged(item, "Sure:\n```python\nf(x=1)\n```").correct);
  }
}

}  // namespace
}  // namespace tinyarms::eval
