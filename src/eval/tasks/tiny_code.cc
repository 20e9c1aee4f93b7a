// Code: statements to complete (level 1), what a line prints (2), small and less small Python
// functions that tests decide on (3, 4).
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "calibration/random.h"
#include "eval/tasks/tiny_drawing.h"
#include "eval/tasks/tiny_parts.h"

namespace tinyarms::eval::tiny {
namespace {

constexpr uint64_t kCodeSeed = 20'261'101;
constexpr int kOutputs = 16;

struct Printed {
  std::string code;
  int64_t value = 0;
};

// One line of Python and what it prints.
Printed draw_print(calibration::Random& random, int kind) {
  const int64_t a = draw(random, {2, 9});
  const int64_t b = draw(random, {2, 9});
  const int64_t c = draw(random, {1, 5});
  switch (kind % 4) {
    case 0: return {fmt::format("print({} + {})", a, b), a + b};
    case 1: return {fmt::format("print(len([{}, {}, {}]))", a, b, c), 3};
    case 2: return {fmt::format("print({} * {} - {})", a, b, c), a * b - c};
    default: return {fmt::format("print(max({}, {}))", a, a + b), a + b};
  }
}

Item function_item(const nlohmann::json& function, int number) {
  const std::string signature = function.at("signature").get<std::string>();
  const std::string name = signature.substr(0, signature.find('('));
  std::string tests;
  for (const auto& test : function.at("tests")) {
    tests += fmt::format("assert {}\n", test.get<std::string>());
  }
  Item item;
  item.id = fmt::format("code/{}/{:02}", function.at("level").get<int>(), number);
  item.group = "code";
  item.messages = {{cascade::Role::User,
                    fmt::format("Write a Python function `{}` that {}. Answer with one code block "
                                "and nothing else.",
                                signature, function.at("statement").get<std::string>())}};
  item.tokens_max = 256;
  item.reference = python_reference(name, tests);
  return item;
}

}  // namespace

std::vector<Item> code_items() {
  calibration::Random random(kCodeSeed);
  std::vector<Item> items = statement_items("code", "statements_code.json", random);
  for (int i = 0; i < kOutputs; ++i) {
    const Printed printed = draw_print(random, i);
    std::vector<std::string> options;
    for (const int64_t shift : {0, 1, -1, 10}) {
      options.push_back(fmt::format(" {}", printed.value + shift));
    }
    const std::string right = options.front();
    random.shuffle(options);
    Item item;
    item.id = fmt::format("code/2/{:02}", i);
    item.group = "code";
    item.mode = Mode::Choose;
    item.plain = true;
    item.messages = {{cascade::Role::User, fmt::format("The Python line `{}` prints the number",
                                                       printed.code)}};
    item.options = std::move(options);
    item.tokens_max = 24;
    item.reference = option_reference(right);
    items.push_back(std::move(item));
  }
  int number = 0;
  for (const auto& function : nlohmann::json::parse(data_file("functions.json"))) {
    items.push_back(function_item(function, number++));
  }
  return items;
}

}  // namespace tinyarms::eval::tiny
