// GSM8K (Cobbe et al. 2021): word problems from primary school, the answer being one number.
// Asked in a chat with no example, or after 8 solved ones as chain-of-thought prompting does (Wei
// et al. 2022; the examples here are our own). Scored by the value of the final number.
#include <fmt/format.h>

#include <array>
#include <nlohmann/json.hpp>

#include "eval/code_verdict.h"
#include "eval/task_registry.h"
#include "eval/tasks/gsm8k_number.h"

namespace tinyarms::eval {
namespace {

constexpr const char* kGsm8kFile = "gsm8k/test.jsonl";
constexpr const char* kGsm8kPart = "gsm8k/gsm8k_test_first600.jsonl";

struct SolvedExample {
  std::string_view question;
  std::string_view solution;
};

constexpr std::array<SolvedExample, 8> kExamples = {{
    {"A baker fills 6 trays with 12 rolls each and sells 50 rolls. How many rolls are left?",
     "6 trays of 12 rolls are 6 * 12 = 72 rolls. 72 - 50 = 22 rolls are left.\n#### 22"},
    {"Mira is twice as old as her brother. In 5 years he will be 14. How old is Mira now?",
     "Her brother is 14 - 5 = 9 years old now. Mira is 2 * 9 = 18 years old.\n#### 18"},
    {"A ticket costs $15, and children pay half. What do 2 adults and 3 children pay?",
     "Two adults pay 2 * 15 = $30. A child pays 15 / 2 = $7.50, three pay $22.50. Together they "
     "pay 30 + 22.50 = $52.50.\n#### 52.50"},
    {"A tank holds 240 litres and is a quarter full. How many litres fit into it still?",
     "A quarter of 240 is 60 litres. 240 - 60 = 180 litres still fit.\n#### 180"},
    {"Jonas walks 3 km to school and back on each of 5 days. How far does he walk in 4 weeks?",
     "Each day he walks 2 * 3 = 6 km, in a week 5 * 6 = 30 km. In 4 weeks he walks 4 * 30 = 120 "
     "km.\n#### 120"},
    {"A shirt of $40 is reduced by 25%. What does it cost with a tax of 10% on the new price?",
     "The reduction is 40 * 0.25 = $10, so it costs $30. The tax is 30 * 0.10 = $3. It costs 30 + "
     "3 = $33.\n#### 33"},
    {"Three friends share 50 marbles. One gets 14, the others the same number each. How many?",
     "50 - 14 = 36 marbles are left for two friends. Each gets 36 / 2 = 18.\n#### 18"},
    {"A printer makes 8 pages a minute. How many minutes do 3 copies of 64 pages take?",
     "3 copies have 3 * 64 = 192 pages. They take 192 / 8 = 24 minutes.\n#### 24"},
}};

class Gsm8k final : public Task {
 public:
  explicit Gsm8k(size_t shots) : shots_(shots) {}

  std::string_view name() const override { return shots_ == 0 ? "gsm8k" : "gsm8k_8shot"; }
  std::string_view description() const override {
    return shots_ == 0 ? "GSM8K, word problems, asked in a chat"
                       : "GSM8K, word problems, 8 solved examples before each";
  }
  std::string_view caveat() const override {
    return "published in 2021 and widely leaked into training data; where the file is the first "
           "600 rows of the test split, so is the figure";
  }
  std::vector<std::string> files(const std::filesystem::path& folder) const override {
    return {existing_file(folder, {kGsm8kFile, kGsm8kPart})};
  }

  Result<std::vector<Item>> read(const std::filesystem::path& folder) const override {
    std::vector<Item> items;
    auto read = each_row(folder, files(folder).front(),
                         [&](const nlohmann::json& row, const std::string& where) -> Result<void> {
                           auto item = read_item(row, where, items.size());
                           if (!item) return item.error();
                           items.push_back(*std::move(item));
                           return {};
                         });
    if (!read) return read.error();
    return items;
  }

  Result<Verdict> score(const Item& item, std::string_view answer,
                        sandbox::Judge&) const override {
    const auto reference = nlohmann::json::parse(item.reference, nullptr, false);
    const auto expected =
        reference.is_string() ? final_number(reference.get<std::string>()) : std::nullopt;
    if (!expected) {
      return Error{ErrorCode::Internal, "the item's reference holds no number", item.id, ""};
    }
    const auto given = final_number(answer);
    if (!given) return Verdict{false, "no number"};
    if (*given == *expected) return Verdict{true, "passed"};
    return Verdict{false, fmt::format("wrong answer: {}, expected {}", shown(*given),
                                      shown(*expected))};
  }

 private:
  static std::string shown(const Rational& number) {
    return number.is_integer() ? fmt::format("{}", number.numerator)
                               : fmt::format("{}/{}", number.numerator, number.denominator);
  }

  Result<Item> read_item(const nlohmann::json& row, const std::string& where,
                         size_t index) const {
    const auto text = [&](const char* key) {
      const bool there = row.contains(key) && row[key].is_string();
      return there ? row[key].get<std::string>() : std::string();
    };
    const std::string question = text("question");
    const std::string answer = text("answer");
    const size_t mark = answer.rfind("####");
    if (question.empty() || mark == std::string::npos || !final_number(answer.substr(mark))) {
      return Error{ErrorCode::Corrupt,
                   "is no question with an answer that ends in #### and a number", where,
                   "fetch the file again"};
    }
    Item item;
    item.id = fmt::format("gsm8k/{}", index);
    item.group = "gsm8k";
    item.messages = messages_for(question);
    item.tokens_max = 400;
    if (shots_ > 0) item.stop = {"\nQ:", "\n\nQ:"};
    item.plain = shots_ > 0;
    item.reference = nlohmann::json(answer.substr(mark)).dump();
    return item;
  }

  std::vector<cascade::Message> messages_for(const std::string& question) const {
    if (shots_ == 0) {
      return {{cascade::Role::User,
               question + "\n\nThink step by step. Then write the answer alone on the last line, "
                          "as \"#### \" and the number."}};
    }
    std::string text;
    for (size_t i = 0; i < shots_ && i < kExamples.size(); ++i) {
      text += fmt::format("Q: {}\nA: {}\n\n", kExamples[i].question, kExamples[i].solution);
    }
    return {{cascade::Role::User, text + fmt::format("Q: {}\nA:", question)}};
  }

  size_t shots_;
};

}  // namespace

std::unique_ptr<Task> make_gsm8k(size_t shots) { return std::make_unique<Gsm8k>(shots); }

}  // namespace tinyarms::eval
