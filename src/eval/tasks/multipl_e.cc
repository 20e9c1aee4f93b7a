// HumanEval in other languages (MultiPL-E, Cassano et al. 2022): C++, Java, JavaScript, TypeScript,
// Go and Rust, read from upstream's JSON Lines, compiled and run where the tools are installed;
// where they are not, each item is counted as not measured, with the reason.
//
// A program passes when it exits with 0 and got past its last test: a statement after it prints a
// mark that depends on the item alone. (Unlike Python's, these tests share a process with the code
// they test; code that searches its own program for the mark could still cheat.)
#include <fmt/format.h>

#include "base/sha256.h"
#include "eval/code_answer.h"
#include "eval/code_verdict.h"
#include "eval/task_registry.h"
#include "eval/tasks/multipl_e_program.h"

namespace tinyarms::eval {
namespace {

using Json = nlohmann::json;

struct Language {
  std::string_view task;       // the task's name
  std::string_view sandbox;    // as the sandbox names it
  std::string_view shown;      // to people and models
  std::string_view upstream;   // in upstream's file name
};

constexpr Language kLanguages[] = {
    {"humaneval_cpp", "cpp", "C++", "cpp"},
    {"humaneval_java", "java", "Java", "java"},
    {"humaneval_javascript", "javascript", "JavaScript", "js"},
    {"humaneval_typescript", "typescript", "TypeScript", "ts"},
    {"humaneval_go", "go", "Go", "go"},
    {"humaneval_rust", "rust", "Rust", "rs"},
};

class MultiplE final : public Task {
 public:
  explicit MultiplE(const Language& language)
      : language_(language),
        description_(fmt::format("HumanEval in {} (MultiPL-E)", language.shown)) {}

  std::string_view name() const override { return language_.task; }
  std::string_view description() const override { return description_; }
  bool runs_code() const override { return true; }
  std::string_view caveat() const override {
    return "translated by machine from HumanEval (2021), which leaked widely";
  }
  std::vector<std::string> files(const std::filesystem::path&) const override {
    return {fmt::format("multipl_e/humaneval-{}.jsonl", language_.upstream)};
  }

  Result<std::vector<Item>> read(const std::filesystem::path& folder) const override {
    std::vector<Item> items;
    const std::string file = files(folder).front();
    auto read = each_row(folder, file, [&](const Json& row, const std::string& where) {
      auto texts = texts_of(row, {"name", "prompt", "tests"}, where);
      if (!texts) return Result<void>(texts.error());
      items.push_back(item(*texts));
      return Result<void>();
    });
    if (!read) return read.error();
    return items;
  }

  Result<Verdict> score(const Item& item, std::string_view answer,
                        sandbox::Judge& judge) const override {
    const MultiplERow row = row_of(item);
    const std::string code = extract_code(answer, {row.language, row.entry_point});
    if (code.empty()) return Verdict{false, "no code"};
    return run(item, assembled(row, code).value_or(completed(row, code)), judge);
  }

  Result<Verdict> score_completion(const Item& item, std::string_view completion,
                                   sandbox::Judge& judge) const override {
    return run(item, completed(row_of(item), completion), judge);
  }

 private:
  Item item(const std::vector<std::string>& texts) const {
    Item item;
    item.id = texts[0];
    item.group = std::string(language_.sandbox);
    item.messages = {{cascade::Role::User,
                      fmt::format("Complete this {} function. Answer with the whole function in "
                                  "one code block.\n\n{}",
                                  language_.shown, fenced(language_.sandbox, texts[1]))}};
    item.tokens_max = 768;
    item.reference = Json{{"prompt", texts[1]}, {"tests", texts[2]}}.dump();
    return item;
  }

  MultiplERow row_of(const Item& item) const {
    const Json reference = Json::parse(item.reference);
    MultiplERow row{std::string(language_.sandbox), reference.at("prompt"), reference.at("tests"),
                    {}};
    row.entry_point = multipl_e_entry_point(row.language, row.prompt);
    return row;
  }

  Result<Verdict> run(const Item& item, std::string program, sandbox::Judge& judge) const {
    // Of the whole item, so that a program cannot contain it by accident.
    const std::string mark = "end-" + sha256_hex(item.id + item.reference).substr(0, 24);
    auto outcome = run_to_the_end(judge, language_.sandbox, std::move(program), mark);
    if (!outcome) return outcome.error();
    return verdict_of(*outcome);
  }

  Language language_;
  std::string description_;
};

}  // namespace

std::vector<std::unique_ptr<Task>> make_multipl_e() {
  std::vector<std::unique_ptr<Task>> tasks;
  for (const Language& language : kLanguages) {
    tasks.push_back(std::make_unique<MultiplE>(language));
  }
  return tasks;
}

}  // namespace tinyarms::eval
