// How much of the answer only repeats the question: small models parrot when they do not know.
#include <cctype>
#include <set>
#include <string>

#include "signals/registry.h"

namespace tinyarms::signals {
namespace {

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  std::string word;
  for (const char c : text) {
    if (std::isalnum(static_cast<unsigned char>(c)) != 0) {
      word += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    } else if (!word.empty()) {
      words.push_back(std::move(word));
      word.clear();
    }
  }
  if (!word.empty()) words.push_back(std::move(word));
  return words;
}

Result<std::optional<double>> measure_answer_echo(const Occasion& occasion, const Instruments&) {
  const auto asked = words_of(occasion.request.question());
  const std::set<std::string> known(asked.begin(), asked.end());
  const auto answered = words_of(occasion.answer);
  if (answered.empty()) return std::optional<double>();
  double repeated = 0;
  for (const std::string& word : answered) repeated += known.contains(word) ? 1 : 0;
  return std::optional(repeated / static_cast<double>(answered.size()));
}

}  // namespace

const Signal kAnswerEcho = {.name = "answer_echo",
                            .meaning = "share of the answer's words that the question has too",
                            .low = 0,
                            .high = 1,
                            .cost = Cost::Text,
                            .measure = measure_answer_echo};

}  // namespace tinyarms::signals
