#include "eval/tasks/tiny_drawing.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "eval/tasks/tiny_parts.h"

namespace tinyarms::eval::tiny {

int64_t draw(calibration::Random& random, Range range) {
  return range.low + static_cast<int64_t>(
                         random.below(static_cast<uint64_t>(range.high - range.low + 1)));
}

std::vector<Item> statement_items(std::string_view group, std::string_view file,
                                  calibration::Random& random) {
  std::vector<Item> items;
  int number = 0;
  for (const auto& statement : nlohmann::json::parse(data_file(file))) {
    Item item;
    item.id = fmt::format("{}/1/{:02}", group, number++);
    item.group = group;
    item.mode = Mode::Choose;
    item.plain = true;
    item.messages = {{cascade::Role::User, statement.at("text").get<std::string>()}};
    item.options = statement.at("options").get<std::vector<std::string>>();
    item.tokens_max = 24;
    item.reference = option_reference(item.options.front());
    random.shuffle(item.options);
    items.push_back(std::move(item));
  }
  return items;
}

Item question_item(Question question) {
  Item item;
  item.id = fmt::format("{}/{}/{:02}", question.group, question.level, question.number);
  item.group = question.group;
  item.messages = {{cascade::Role::User, std::move(question.text)}};
  item.tokens_max = question.tokens_max;
  item.reference = std::move(question.reference);
  return item;
}

}  // namespace tinyarms::eval::tiny
