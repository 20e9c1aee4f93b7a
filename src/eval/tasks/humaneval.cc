// HumanEval (Chen et al. 2021): Python functions to complete, decided by unit tests; and with the
// many more inputs of HumanEval+ (Liu et al. 2023), where the reference solution says what is
// right.
//
// `humaneval` asks in a chat for the whole function, with upstream's prompt verbatim in a code
// block; `humaneval_completion` lets a base model continue the prompt itself, with upstream's stop
// sequences. An answer without the imports and helpers above the function gets the prompt's.
#include <fmt/format.h>

#include "eval/code_answer.h"
#include "eval/code_verdict.h"
#include "eval/task_registry.h"

namespace tinyarms::eval {
namespace {

using Json = nlohmann::json;

// Compares as HumanEval+ does: floats within a tolerance, everything else exactly, types alike.
constexpr std::string_view kPlusHarness = R"py(
import copy as _copy, json as _json
def _near(got, want, atol):
    if isinstance(want, float) and isinstance(got, (int, float)):
        return got == want or abs(got - want) <= atol + 1e-7 * abs(want) or (got != got and
                                                                           want != want)
    if type(got) is not type(want):
        return False
    if isinstance(want, (list, tuple)):
        return len(got) == len(want) and all(_near(g, w, atol) for g, w in zip(got, want))
    if isinstance(want, dict):
        return got.keys() == want.keys() and all(_near(got[k], want[k], atol) for k in want)
    return got == want
)py";

struct Form {
  std::string_view name;
  std::string_view description;
  bool plus = false;
  bool completion = false;
};

// The lines above the last top-level `def` that names the function: imports and helpers.
std::string_view preamble(std::string_view prompt, const std::string& entry_point) {
  const size_t at = prompt.rfind("def " + entry_point);
  return at == std::string_view::npos ? std::string_view() : prompt.substr(0, at);
}

class HumanEval final : public Task {
 public:
  explicit HumanEval(const Form& form) : form_(form) {}

  std::string_view name() const override { return form_.name; }
  std::string_view description() const override { return form_.description; }
  bool runs_code() const override { return true; }
  std::string_view caveat() const override {
    return "published in 2021 and widely leaked into training data";
  }

  std::vector<std::string> files(const std::filesystem::path& folder) const override {
    return {existing_file(folder, names())};
  }

  Result<std::vector<Item>> read(const std::filesystem::path& folder) const override {
    std::vector<Item> items;
    auto read = each_row(folder, files(folder).front(),
                         [&](const Json& row, const std::string& where) -> Result<void> {
                           auto item = read_item(row, where);
                           if (!item) return item.error();
                           items.push_back(*std::move(item));
                           return {};
                         });
    if (!read) return read.error();
    return items;
  }

  Result<Verdict> score(const Item& item, std::string_view answer,
                        sandbox::Judge& judge) const override {
    if (form_.completion) return score_completion(item, answer, judge);
    const Json reference = Json::parse(item.reference);
    const std::string prompt = reference.at("prompt");
    const std::string entry_point = reference.at("entry_point");
    const CodeQuestion question{"python", entry_point};
    const std::string code = extract_code(answer, question);
    if (code.empty()) return Verdict{false, "no code"};
    if (!defines(code, question)) return check(reference, prompt + code, judge);
    return check(reference, fmt::format("{}\n{}", preamble(prompt, entry_point), code), judge);
  }

  Result<Verdict> score_completion(const Item& item, std::string_view completion,
                                   sandbox::Judge& judge) const override {
    const Json reference = Json::parse(item.reference);
    return check(reference, reference.at("prompt").get<std::string>() + std::string(completion),
                 judge);
  }

 private:
  std::vector<std::string> names() const {
    if (form_.plus) {
      return {"humaneval/HumanEvalPlus.jsonl", "humaneval/HumanEvalPlus.jsonl.gz",
              "humaneval/HumanEvalPlus-v0.1.10.jsonl", "humaneval/HumanEvalPlus-v0.1.10.jsonl.gz",
              "humaneval/HumanEvalPlus-v0.1.9.jsonl", "humaneval/HumanEvalPlus-v0.1.9.jsonl.gz"};
    }
    return {"humaneval/HumanEval.jsonl.gz", "humaneval/HumanEval.jsonl"};
  }

  Result<Item> read_item(const Json& row, const std::string& where) const {
    std::vector<const char*> keys = {"task_id", "prompt", "entry_point"};
    keys.push_back(form_.plus ? "canonical_solution" : "test");
    auto texts = texts_of(row, keys, where);
    if (!texts) return texts.error();
    const std::string& prompt = (*texts)[1];
    Json reference = {{"prompt", prompt}, {"entry_point", (*texts)[2]}};
    if (form_.plus) {
      auto tests = plus_tests(row, prompt + (*texts)[3], where);
      if (!tests) return tests.error();
      reference["tests"] = *tests;
    } else {
      reference["tests"] = fmt::format("{}    pass\n{} = solution_under_test\n{}\ncheck({})\n",
                                       prompt, (*texts)[2], (*texts)[3], (*texts)[2]);
    }
    Item item;
    item.id = (*texts)[0];
    item.group = "python";
    item.tokens_max = form_.completion ? 512 : 768;
    item.reference = reference.dump();
    item.plain = form_.completion;
    if (form_.completion) {
      item.messages = {{cascade::Role::User, prompt}};
      item.stop = {"\nclass", "\ndef", "\n#", "\nif", "\nprint"};
    } else {
      item.messages = {{cascade::Role::User,
                        fmt::format("Complete this Python function. Answer with the whole "
                                    "function in one code block.\n\n{}",
                                    fenced("python", prompt))}};
    }
    return item;
  }

  // The reference solution runs beside the tests, in the process the answer cannot reach.
  static Result<std::string> plus_tests(const Json& row, const std::string& solution,
                                        const std::string& where) {
    Json inputs = Json::array();
    for (const char* key : {"base_input", "plus_input"}) {
      if (!row.contains(key) || !row[key].is_array()) {
        return Error{ErrorCode::Corrupt, fmt::format("there is no list `{}`", key), where,
                     "use HumanEvalPlus as its authors publish it"};
      }
      inputs.insert(inputs.end(), row[key].begin(), row[key].end());
    }
    const double atol = row.contains("atol") && row["atol"].is_number() ? row["atol"].get<double>()
                                                                        : 0;
    const std::string entry_point = row["entry_point"];
    // Of find_zero any root will do: what counts is the polynomial there.
    const std::string compare =
        entry_point == "find_zero"
            ? "assert abs(sum(c * got ** i for i, c in enumerate(arguments[0]))) <= 1e-4"
            : fmt::format("assert _near(got, {}(*_copy.deepcopy(arguments)), max({}, 1e-6))",
                          entry_point, atol);
    return fmt::format(
        "{}\n{}\nfor arguments in _json.loads({}):\n"
        "    got = solution_under_test(*_copy.deepcopy(arguments))\n    {}\n",
        solution, kPlusHarness, Json(inputs.dump()).dump(), compare);
  }

  static Result<Verdict> check(const Json& reference, const std::string& source,
                               sandbox::Judge& judge) {
    // The prompt's own helpers, which some tests use, are then defined beside the tests, too.
    return judged(judge, {.language = "python",
                          .source = source,
                          .tests = fmt::format("solution_under_test = {}\n{}",
                                               reference.at("entry_point").get<std::string>(),
                                               reference.at("tests").get<std::string>())});
  }

  Form form_;
};

}  // namespace

std::unique_ptr<Task> make_humaneval() {
  return std::make_unique<HumanEval>(
      Form{"humaneval", "HumanEval, Python functions, asked in a chat"});
}

std::unique_ptr<Task> make_humaneval_completion() {
  return std::make_unique<HumanEval>(
      Form{"humaneval_completion", "HumanEval, the prompt continued as a base model does", false,
           true});
}

std::unique_ptr<Task> make_humaneval_plus() {
  return std::make_unique<HumanEval>(
      Form{"humaneval_plus", "HumanEval+ (EvalPlus), many more inputs", true, false});
}

}  // namespace tinyarms::eval
