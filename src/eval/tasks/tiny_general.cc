// General knowledge and plain reasoning: statements to complete (1), short questions (2), words to
// sort and letters to count (3), who stands where (4).
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/ascii.h"
#include "eval/tasks/tiny_drawing.h"
#include "eval/tasks/tiny_parts.h"

namespace tinyarms::eval::tiny {
namespace {

constexpr uint64_t kGeneralSeed = 20'261'102;
const std::vector<std::string> kWords = {
    "apple",  "bridge", "candle", "dragon", "engine", "forest", "garden", "hammer", "island",
    "jacket", "kettle", "ladder", "mirror", "needle", "orange", "pencil", "rabbit", "silver"};
const std::vector<std::string> kGivenNames = {"Ann", "Ben", "Cleo", "Dan", "Eva", "Finn"};
const std::vector<std::string> kDays = {"Monday", "Tuesday",  "Wednesday", "Thursday",
                                        "Friday", "Saturday", "Sunday"};

TextReference one_of(const std::vector<std::string>& all, const std::string& right) {
  TextReference reference;
  reference.accepted = {lowered(right)};
  for (const std::string& each : all) {
    if (each != right) reference.others.push_back(lowered(each));
  }
  return reference;
}

Item first_word(calibration::Random& random, int number) {
  std::vector<std::string> words = kWords;
  random.shuffle(words);
  words.resize(4);
  const std::string first = *std::min_element(words.begin(), words.end());
  return question_item({.group = "general",
                        .level = 3,
                        .number = number,
                        .text = fmt::format("Which of these words comes first in alphabetical "
                                            "order: {}? Answer with that word only.",
                                            fmt::join(words, ", ")),
                        .tokens_max = 16,
                        .reference = text_reference(one_of(words, first))});
}

Item letters(calibration::Random& random, int number) {
  const std::string& word = pick(random, kWords);
  return question_item({.group = "general",
                        .level = 3,
                        .number = number,
                        .text = fmt::format("How many letters does the word \"{}\" have? Answer "
                                            "with the number only.",
                                            word),
                        .tokens_max = 16,
                        .reference = number_reference(static_cast<int64_t>(word.size()))});
}

Item day_after(calibration::Random& random, int number) {
  const int64_t today = draw(random, {0, 6});
  const int64_t later = draw(random, {2, 9});
  const std::string& right = kDays[static_cast<size_t>((today + later) % 7)];
  return question_item(
      {.group = "general",
       .level = 4,
       .number = number,
       .text = fmt::format("Today is {}. Which day of the week is it in {} days? Answer with the "
                           "day only.",
                           kDays[static_cast<size_t>(today)], later),
       .tokens_max = 16,
       .reference = text_reference(one_of(kDays, right))});
}

// The shortest of four people, told in pairs and out of order.
Item shortest(calibration::Random& random, int number) {
  std::vector<std::string> people = kGivenNames;
  random.shuffle(people);
  people.resize(4);
  std::vector<std::string> facts;
  for (size_t i = 0; i + 1 < people.size(); ++i) {
    facts.push_back(fmt::format("{} is taller than {}.", people[i], people[i + 1]));
  }
  random.shuffle(facts);
  return question_item({.group = "general",
                        .level = 4,
                        .number = number,
                        .text = fmt::format("{} Who is the shortest? Answer with the name only.",
                                            fmt::join(facts, " ")),
                        .tokens_max = 16,
                        .reference = text_reference(one_of(people, people.back()))});
}

}  // namespace

std::vector<Item> general_items() {
  calibration::Random random(kGeneralSeed);
  std::vector<Item> items = statement_items("general", "statements_general.json", random);
  int number = 0;
  for (const auto& question : nlohmann::json::parse(data_file("questions_general.json"))) {
    items.push_back(question_item(
        {.group = "general",
         .level = 2,
         .number = number++,
         .text = question.at("question").get<std::string>(),
         .tokens_max = 32,
         .reference = text_reference(
             {.accepted = question.at("answers").get<std::vector<std::string>>(),
              .others = question.at("others").get<std::vector<std::string>>()})}));
  }
  for (int i = 0; i < 6; ++i) items.push_back(first_word(random, i));
  for (int i = 6; i < 12; ++i) items.push_back(letters(random, i));
  for (int i = 0; i < 4; ++i) items.push_back(day_after(random, i));
  for (int i = 4; i < 8; ++i) items.push_back(shortest(random, i));
  return items;
}

}  // namespace tinyarms::eval::tiny
