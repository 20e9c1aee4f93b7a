// MATH (Hendrycks et al. 2021) and its subset MATH-500: competition problems whose answer stands
// in a \boxed{…}. Scored by equivalence of the final answer (math_equivalence.h).
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "eval/code_verdict.h"
#include "eval/task_registry.h"
#include "eval/tasks/math_answer.h"
#include "eval/tasks/math_equivalence.h"

namespace tinyarms::eval {
namespace {

constexpr const char* kMathFile = "math500/test.jsonl";
constexpr const char* kMathPart = "math500/math500_first250.jsonl";

Error no_problem(const std::string& where) {
  return Error{ErrorCode::Corrupt, "is no problem with an answer or a boxed solution", where,
               "fetch the file again"};
}

class Math final : public Task {
 public:
  std::string_view name() const override { return "math500"; }
  std::string_view description() const override {
    return "MATH-500, competition problems, the answer in a box";
  }
  std::string_view caveat() const override {
    return "published in 2021 and widely leaked into training data; where the file is the first "
           "250 rows, so is the figure";
  }
  std::vector<std::string> files(const std::filesystem::path& folder) const override {
    return {existing_file(folder, {kMathFile, kMathPart})};
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
    if (!reference.is_string()) {
      return Error{ErrorCode::Internal, "the item has no reference answer", item.id, ""};
    }
    const std::string expected = reference.get<std::string>();
    const auto given = final_answer(answer);
    if (!given) return Verdict{false, "no answer"};
    if (same_answer(*given, expected)) return Verdict{true, "passed"};
    constexpr size_t kShownMax = 80;
    return Verdict{false, fmt::format("wrong answer: {}, expected {}", given->substr(0, kShownMax),
                                      expected.substr(0, kShownMax))};
  }

 private:
  // The original MATH files have no `answer`: it is what the solution boxes.
  static Result<Item> read_item(const nlohmann::json& row, const std::string& where,
                                size_t index) {
    const auto text = [&](const char* key) {
      return row.contains(key) && row[key].is_string() ? row[key].get<std::string>() : "";
    };
    std::string answer = text("answer");
    if (answer.empty()) answer = last_boxed(text("solution")).value_or("");
    const std::string problem = text("problem");
    if (problem.empty() || answer.empty()) return no_problem(where);
    Item item;
    item.id = text("unique_id").empty() ? fmt::format("math/{}", index) : text("unique_id");
    item.group = text("subject").empty() ? text("type") : text("subject");
    item.messages = {{cascade::Role::User,
                      problem + "\n\nThink step by step and put the final answer into \\boxed{}."}};
    item.tokens_max = 768;
    item.reference = nlohmann::json(answer).dump();
    return item;
  }
};

}  // namespace

std::unique_ptr<Task> make_math500() { return std::make_unique<Math>(); }

}  // namespace tinyarms::eval
