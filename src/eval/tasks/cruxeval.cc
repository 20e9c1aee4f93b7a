// CRUXEval (Gu et al. 2024): what a short Python function returns (`cruxeval_output`), or which
// arguments make it return that (`cruxeval_input`). Read from upstream's cruxeval.jsonl.
//
// The answer is one Python expression: between [ANSWER] marks where there are some, else in the
// last code block, else on the last line; of an assertion, the side that was asked for. It is
// evaluated away from the tests; for the output without the function in reach, since calling it
// would be no prediction (upstream refuses those by their text).
#include <fmt/format.h>

#include "eval/code_verdict.h"
#include "eval/task_registry.h"
#include "rules/code.h"

namespace tinyarms::eval {
namespace {

using Json = nlohmann::json;

constexpr const char* kCruxFile = "cruxeval/cruxeval.jsonl";

std::string_view bare(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t\r\n`");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r\n`") - begin + 1);
}

std::string_view line_at_the_end(std::string_view text) {
  text = bare(text);
  const size_t at = text.rfind('\n');
  return at == std::string_view::npos ? text : text.substr(at + 1);
}

// Where `==` stands outside of brackets and strings.
size_t find_equality(std::string_view text) {
  int depth = 0;
  char quote = 0;
  for (size_t i = 0; i + 1 < text.size(); ++i) {
    const char c = text[i];
    if (quote != 0) {
      if (c == '\\') ++i;
      if (c == quote) quote = 0;
    } else if (c == '"' || c == '\'') {
      quote = c;
    } else if (c == '(' || c == '[' || c == '{') {
      ++depth;
    } else if (c == ')' || c == ']' || c == '}') {
      --depth;
    } else if (depth == 0 && c == '=' && text[i + 1] == '=') {
      return i;
    }
  }
  return std::string_view::npos;
}

std::string expression_in(std::string_view answer, bool output) {
  std::string held;
  const size_t begin = answer.rfind("[ANSWER]");
  if (begin != std::string_view::npos) {
    answer = answer.substr(begin + 8);
    answer = answer.substr(0, answer.find("[/ANSWER]"));
  } else {
    const auto blocks = rules::extract_code_blocks(answer);
    if (!blocks.empty()) held = blocks.back().code;
    if (!held.empty()) answer = held;
    answer = line_at_the_end(answer);
  }
  answer = bare(answer);
  if (answer.rfind("assert ", 0) == 0) answer = bare(answer.substr(7));
  if (const size_t at = find_equality(answer); at != std::string_view::npos) {
    answer = bare(output ? answer.substr(at + 2) : answer.substr(0, at));
  }
  return std::string(answer);
}

class CruxEval final : public Task {
 public:
  explicit CruxEval(bool output) : output_(output) {}

  std::string_view name() const override { return output_ ? "cruxeval_output" : "cruxeval_input"; }
  std::string_view description() const override {
    return output_ ? "CRUXEval, what a function returns" : "CRUXEval, which arguments give that";
  }
  bool runs_code() const override { return true; }
  std::string_view caveat() const override { return "published in 2024; asked without examples"; }
  std::vector<std::string> files(const std::filesystem::path&) const override {
    return {kCruxFile};
  }

  Result<std::vector<Item>> read(const std::filesystem::path& folder) const override {
    std::vector<Item> items;
    auto read = each_row(folder, kCruxFile, [&](const Json& row, const std::string& where) {
      auto texts = texts_of(row, {"id", "code", "input", "output"}, where);
      if (!texts) return Result<void>(texts.error());
      items.push_back(item((*texts)[0], (*texts)[1], (*texts)[2], (*texts)[3]));
      return Result<void>();
    });
    if (!read) return read.error();
    return items;
  }

  Result<Verdict> score(const Item& item, std::string_view answer,
                        sandbox::Judge& judge) const override {
    const Json reference = Json::parse(item.reference);
    std::string expression = expression_in(answer, output_);
    if (expression.empty()) return Verdict{false, "no answer"};
    std::string source;
    if (!output_) {
      source = reference.at("code").get<std::string>() + "\n";
      if (expression.rfind("f(", 0) != 0) expression = fmt::format("f({})", expression);
    }
    source += fmt::format("def answer():\n    return ({}\n    )\n", expression);
    return judged(judge, {.language = "python",
                          .source = source,
                          .tests = fmt::format("assert answer() == (\n{}\n)\n",
                                               reference.at("output").get<std::string>())});
  }

 private:
  Item item(const std::string& id, const std::string& code, const std::string& input,
            const std::string& output) const {
    Item item;
    item.id = id;
    item.group = output_ ? "output" : "input";
    const std::string question =
        output_ ? fmt::format("What does `f({})` return?", input)
                : fmt::format("Which call of `f` returns `{}`? Any that does will do.", output);
    item.messages = {{cascade::Role::User,
                      fmt::format("{}\n\n{}\n\nThink if you must, then give the {} as one Python "
                                  "expression between [ANSWER] and [/ANSWER].",
                                  fenced("python", code), question,
                                  output_ ? "value" : "call, f(...),")}};
    item.tokens_max = 512;
    item.reference = Json{{"code", code}, {"input", input}, {"output", output}}.dump();
    return item;
  }

  bool output_;
};

}  // namespace

std::unique_ptr<Task> make_cruxeval_output() { return std::make_unique<CruxEval>(true); }
std::unique_ptr<Task> make_cruxeval_input() { return std::make_unique<CruxEval>(false); }

}  // namespace tinyarms::eval
