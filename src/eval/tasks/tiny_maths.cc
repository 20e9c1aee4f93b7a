// Maths: small sums (level 1), two-digit ones (2), stories of one step (3) and of several (4).
#include <fmt/format.h>

#include <numeric>

#include "eval/tasks/tiny_drawing.h"
#include "eval/tasks/tiny_parts.h"

namespace tinyarms::eval::tiny {
namespace {

constexpr uint64_t kMathsSeed = 20'261'103;
constexpr int kMathsPerLevel = 16;
const std::vector<std::string> kMathsNames = {"Maria", "Tom", "Aisha", "Peter", "Lena", "Omar"};
const std::vector<std::string> kThings = {"apples", "books", "coins", "stamps", "pencils"};

struct Problem {
  std::string text;
  int64_t value = 0;
};

Problem small_sum(calibration::Random& random, int kind) {
  const int64_t a = draw(random, {2, 9});
  const int64_t b = draw(random, {1, a});
  if (kind % 2 == 0) return {fmt::format("What is {} + {}?", a, b), a + b};
  return {fmt::format("What is {} - {}?", a, b), a - b};
}

Problem two_digits(calibration::Random& random, int kind) {
  const int64_t a = draw(random, {21, 98});
  const int64_t b = draw(random, {11, 20});
  const int64_t c = draw(random, {3, 12});
  switch (kind % 4) {
    case 0: return {fmt::format("What is {} + {}?", a, b), a + b};
    case 1: return {fmt::format("What is {} - {}?", a, b), a - b};
    case 2: return {fmt::format("What is {} times {}?", c, b), c * b};
    default: return {fmt::format("What is {} divided by {}?", c * b, c), b};
  }
}

Problem one_step(calibration::Random& random, int kind) {
  const std::string& name = pick(random, kMathsNames);
  const std::string& things = pick(random, kThings);
  const int64_t a = draw(random, {12, 40});
  const int64_t b = draw(random, {3, 11});
  switch (kind % 4) {
    case 0:
      return {fmt::format("{} has {} {} and gets {} more. How many {} does {} have now?", name, a,
                          things, b, things, name),
              a + b};
    case 1:
      return {fmt::format("{} has {} {} and gives {} away. How many {} are left?", name, a, things,
                          b, things),
              a - b};
    case 2:
      return {fmt::format("A box holds {} {}. How many {} do {} boxes hold?", b, things, things,
                          a),
              a * b};
    default:
      return {fmt::format("{} {} are shared equally among {} children. How many does each get?",
                          a * b, things, b),
              a};
  }
}

Problem several_steps(calibration::Random& random, int kind) {
  const std::string& name = pick(random, kMathsNames);
  const std::string& things = pick(random, kThings);
  const int64_t a = draw(random, {4, 15});
  const int64_t b = draw(random, {3, 9});
  const int64_t c = draw(random, {2, 11});
  switch (kind % 4) {
    case 0:
      return {fmt::format("{} buys {} packs of {} {} each and loses {} {}. How many {} does {} "
                          "have?",
                          name, a, b, things, c, things, things, name),
              a * b - c};
    case 1:
      return {fmt::format("If {}x + {} = {}, what is x?", b, c, b * a + c), a};
    case 2:
      return {fmt::format("What is the remainder when {} is divided by {}?", a * 37 + c, b),
              (a * 37 + c) % b};
    default:
      return {fmt::format("What is the greatest common divisor of {} and {}?", a * b * 2, a * c),
              std::gcd(a * b * 2, a * c)};
  }
}

}  // namespace

std::vector<Item> maths_items() {
  calibration::Random random(kMathsSeed);
  std::vector<Item> items;
  for (int level = 1; level <= 4; ++level) {
    for (int i = 0; i < kMathsPerLevel; ++i) {
      const Problem problem = level == 1   ? small_sum(random, i)
                              : level == 2 ? two_digits(random, i)
                              : level == 3 ? one_step(random, i)
                                           : several_steps(random, i);
      items.push_back(question_item(
          {.group = "maths",
           .level = level,
           .number = i,
           .text = problem.text + " End with the number.",
           .tokens_max = level <= 2 ? 32 : 128,
           .reference = number_reference(problem.value)}));
    }
  }
  return items;
}

}  // namespace tinyarms::eval::tiny
