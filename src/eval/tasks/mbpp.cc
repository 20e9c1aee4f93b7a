// MBPP (Austin et al. 2021): short Python programs from a sentence and three asserts. The figure of
// the paper is over ids 11 to 510 (`mbpp`); `mbpp_all` has all 974 rows, `mbpp_sanitized` the 427
// that people looked through. Asked in a chat, with the asserts in view as in the paper (which
// shows three solved examples before; a chat model needs none to know the form).
#include <fmt/format.h>

#include <re2/re2.h>

#include "eval/code_answer.h"
#include "eval/code_verdict.h"
#include "eval/data_file.h"
#include "eval/task_registry.h"

namespace tinyarms::eval {
namespace {

using Json = nlohmann::json;

constexpr int64_t kFirstTest = 11;
constexpr int64_t kLastTest = 510;

enum class Rows { Test, All, Sanitized };

// The function that the tests call: of those the reference defines, the first to occur in them.
std::string entry_point_of(const std::string& code, const std::string& tests) {
  static const re2::RE2 kDefinition(R"((?m)^def\s+(\w+)\s*\()");
  std::string best, name;
  size_t earliest = std::string::npos;
  re2::StringPiece rest(code);
  while (re2::RE2::FindAndConsume(&rest, kDefinition, &name)) {
    const size_t at = tests.find(name);
    if (at < earliest) {
      earliest = at;
      best = name;
    }
  }
  return best;
}

Result<std::string> lines_in(const Json& row, const char* key, const std::string& where) {
  std::string text;
  if (!row.contains(key) || !row[key].is_array()) {
    return Error{ErrorCode::Corrupt, fmt::format("there is no list `{}`", key), where,
                 "fetch the file again"};
  }
  for (const Json& line : row[key]) {
    if (!line.is_string()) {
      return Error{ErrorCode::Corrupt, fmt::format("`{}` holds something that is no text", key),
                   where, "fetch the file again"};
    }
    text += line.get<std::string>() + "\n";
  }
  return text;
}

class Mbpp final : public Task {
 public:
  explicit Mbpp(Rows rows) : rows_(rows) {}

  std::string_view name() const override {
    switch (rows_) {
      case Rows::Test: return "mbpp";
      case Rows::All: return "mbpp_all";
      case Rows::Sanitized: return "mbpp_sanitized";
    }
    return "mbpp";
  }
  std::string_view description() const override {
    switch (rows_) {
      case Rows::Test: return "MBPP, Python from a sentence, the paper's 500 test rows";
      case Rows::All: return "MBPP, Python from a sentence, all 974 rows";
      case Rows::Sanitized: return "MBPP, the rows that people looked through";
    }
    return "";
  }
  bool runs_code() const override { return true; }
  std::string_view caveat() const override {
    return "published in 2021 and widely leaked into training data; asked without the paper's "
           "three solved examples";
  }
  std::vector<std::string> files(const std::filesystem::path&) const override {
    return {rows_ == Rows::Sanitized ? "mbpp/sanitized-mbpp.json" : "mbpp/mbpp.jsonl"};
  }

  Result<std::vector<Item>> read(const std::filesystem::path& folder) const override {
    std::vector<Item> items;
    const auto add = [&](const Json& row, const std::string& where) -> Result<void> {
      if (!row.is_object() || !row.contains("task_id") || !row["task_id"].is_number_integer()) {
        return Error{ErrorCode::Corrupt, "there is no number `task_id`", where,
                     "fetch the file again"};
      }
      const int64_t id = row["task_id"].get<int64_t>();
      if (rows_ == Rows::Test && (id < kFirstTest || id > kLastTest)) return {};
      auto item = read_item(row, id, where);
      if (!item) return item.error();
      items.push_back(*std::move(item));
      return {};
    };
    auto read = rows_ == Rows::Sanitized ? each_sanitized(folder, add)
                                         : each_row(folder, files(folder).front(), add);
    if (!read) return read.error();
    return items;
  }

  Result<Verdict> score(const Item& item, std::string_view answer,
                        sandbox::Judge& judge) const override {
    const Json reference = Json::parse(item.reference);
    const std::string entry_point = reference.at("entry_point");
    const std::string code = extract_code(answer, {"python", entry_point});
    if (code.empty()) return Verdict{false, "no code"};
    return judged(judge, {.language = "python",
                          .source = code,
                          .tests = reference.at("tests").get<std::string>()});
  }

 private:
  // One JSON array; the place is then the row's number.
  Result<void> each_sanitized(const std::filesystem::path& folder, const RowSink& add) const {
    const auto text = read_data_file(folder, files(folder).front());
    if (!text) return text.error();
    const std::string path = (folder / files(folder).front()).string();
    const Json rows = Json::parse(*text, nullptr, false);
    if (!rows.is_array()) {
      return Error{ErrorCode::Corrupt, "is no JSON array", path, "fetch the file again"};
    }
    for (size_t i = 0; i < rows.size(); ++i) {
      if (auto added = add(rows[i], fmt::format("{}: row {}", path, i + 1)); !added) return added;
    }
    return {};
  }

  Result<Item> read_item(const Json& row, int64_t id, const std::string& where) const {
    const bool sanitized = rows_ == Rows::Sanitized;
    auto texts = texts_of(row, {sanitized ? "prompt" : "text", "code"}, where);
    if (!texts) return texts.error();
    auto tests = lines_in(row, "test_list", where);
    if (!tests) return tests.error();
    std::string setup;
    if (sanitized) {
      auto imports = lines_in(row, "test_imports", where);
      if (!imports) return imports.error();
      setup = *imports;
    } else {
      auto code = text_of(row, "test_setup_code", where);
      if (!code) return code.error();
      setup = *code;
    }
    Item item;
    item.id = fmt::format("Mbpp/{}", id);
    item.group = "python";
    item.messages = {{cascade::Role::User,
                      fmt::format("{}\n\nWrite it in Python, in one code block. These tests must "
                                  "pass:\n\n{}",
                                  (*texts)[0], fenced("python", *tests))}};
    item.tokens_max = 512;
    const std::string entry_point = entry_point_of((*texts)[1], *tests);
    // One function is called `sum`: the tests mean that one.
    item.reference = Json{{"entry_point", entry_point},
                          {"solution", (*texts)[1]},
                          {"tests", fmt::format("# of the solution: {}\n{}\n{}", entry_point,
                                                setup, *tests)}}
                         .dump();
    return item;
  }

  Rows rows_;
};

}  // namespace

std::unique_ptr<Task> make_mbpp() { return std::make_unique<Mbpp>(Rows::Test); }
std::unique_ptr<Task> make_mbpp_all() { return std::make_unique<Mbpp>(Rows::All); }
std::unique_ptr<Task> make_mbpp_sanitized() { return std::make_unique<Mbpp>(Rows::Sanitized); }

}  // namespace tinyarms::eval
