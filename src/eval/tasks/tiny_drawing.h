// What the groups of `tiny` draw their items with.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "calibration/random.h"
#include "eval/task.h"

namespace tinyarms::eval::tiny {

struct Range {
  int64_t low = 0;
  int64_t high = 0;  // included
};
int64_t draw(calibration::Random& random, Range range);

template <typename T>
const T& pick(calibration::Random& random, const std::vector<T>& values) {
  return values[random.below(values.size())];
}

// Level 1 from a table of statements: the first option of each is right; they are shuffled.
std::vector<Item> statement_items(std::string_view group, std::string_view file,
                                  calibration::Random& random);

// A question to be answered in words.
struct Question {
  std::string_view group;
  int level = 1;
  int number = 0;
  std::string text;
  int tokens_max = 48;
  std::string reference;
};
Item question_item(Question question);

}  // namespace tinyarms::eval::tiny
