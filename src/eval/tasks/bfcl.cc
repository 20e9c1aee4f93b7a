// BFCL v4, the Berkeley Function Calling Leaderboard (Patil et al. 2025), single turn: simple
// (Python, Java, JavaScript), multiple, parallel, parallel_multiple, irrelevance. The functions are
// described in the system prompt and the answer is calls as text: upstream's prompting mode, in our
// words. Every difference from upstream is in docs/scorers-bfcl.md.
#include <fmt/format.h>

#include <array>
#include <nlohmann/json.hpp>

#include "eval/data_file.h"
#include "eval/task_registry.h"
#include "eval/tasks/bfcl_check.h"
#include "eval/tasks/bfcl_decode.h"

namespace tinyarms::eval {
namespace {

using bfcl::Language;
using nlohmann::ordered_json;

struct Category {
  std::string_view name;
  Language language;
  bool calls;  // or none at all are wanted
};

constexpr std::array kCategories = {
    Category{"simple_python", Language::Python, true},
    Category{"simple_java", Language::Java, true},
    Category{"simple_javascript", Language::JavaScript, true},
    Category{"multiple", Language::Python, true},
    Category{"parallel", Language::Python, true},
    Category{"parallel_multiple", Language::Python, true},
    Category{"irrelevance", Language::Python, false},
};

constexpr std::string_view kInstructions =
    "You answer requests by calling functions. From the request and the functions described below, "
    "work out which calls are needed, one or several.\n"
    "When no function fits the request, or a required parameter is not given, say so in words and "
    "call nothing.\n"
    "Otherwise reply with the calls alone, as one list of this form and with no other text:\n"
    "[function_name(parameter=value, parameter=value), other_function(parameter=value)]\n\n"
    "The functions, as JSON:\n";

std::string questions_file(const Category& category) {
  return fmt::format("bfcl/BFCL_v4_{}.json", category.name);
}
std::string answers_file(const Category& category) {
  return fmt::format("bfcl/possible_answer/BFCL_v4_{}.json", category.name);
}

std::string language_note(Language language) {
  switch (language) {
    case Language::Python: return "";
    case Language::Java: return "\nWrite values as Java 8 source.";
    case Language::JavaScript: return "\nWrite values as JavaScript source.";
  }
  return "";
}

Error bad_line(const std::string& where, std::string what) {
  return Error{ErrorCode::Corrupt, std::move(what), where, "fetch the file again"};
}

using BfclRows = std::vector<std::pair<std::string, ordered_json>>;  // place and object

Result<BfclRows> read_rows(const std::filesystem::path& folder, const std::string& file) {
  auto text = read_data_file(folder, file);
  if (!text) return text.error();
  BfclRows rows;
  auto read = each_line(
      *text, (folder / file).string(),
      [&](std::string_view line, const std::string& where) -> Result<void> {
        ordered_json row = ordered_json::parse(line, nullptr, false);
        const bool named = row.is_object() && row.contains("id") && row["id"].is_string();
        if (!named) return bad_line(where, "is no object with an id");
        rows.emplace_back(where, std::move(row));
        return {};
      });
  if (!read) return read.error();
  return rows;
}

// Upstream's single turn: a list of one list of messages.
Result<std::vector<cascade::Message>> messages_of(const ordered_json& row, Language language,
                                                  const std::string& where) {
  const bool shaped = row.contains("question") && row["question"].is_array() &&
                      row["question"].size() == 1 && row["question"][0].is_array() &&
                      row.contains("function") && row["function"].is_array();
  if (!shaped) return bad_line(where, "has no single turn with functions");
  std::string system = std::string(kInstructions) + row["function"].dump(2) +
                       language_note(language);
  std::vector<cascade::Message> messages;
  for (const ordered_json& turn : row["question"][0]) {
    const bool said = turn.is_object() && turn.contains("role") && turn.contains("content") &&
                      turn["role"].is_string() && turn["content"].is_string();
    if (!said) return bad_line(where, "has a message without role and content");
    const std::string content = turn["content"].get<std::string>();
    if (turn["role"] == "system") {
      system += "\n\n" + content;
    } else {
      const bool user = turn["role"] == "user";
      messages.push_back({user ? cascade::Role::User : cascade::Role::Assistant, content});
    }
  }
  messages.insert(messages.begin(), {cascade::Role::System, system});
  return messages;
}

class Bfcl final : public Task {
 public:
  explicit Bfcl(bool strict) : strict_(strict) {}

  std::string_view name() const override { return strict_ ? "bfcl_strict" : "bfcl"; }
  std::string_view description() const override {
    return strict_ ? "BFCL v4, single turn, answers decoded exactly as upstream does"
                   : "BFCL v4, single turn, calls found in prose, fences and JSON too";
  }
  std::string_view caveat() const override {
    return "the system prompt is in our words; see docs/scorers-bfcl.md";
  }
  std::vector<std::string> files(const std::filesystem::path&) const override {
    std::vector<std::string> names;
    for (const Category& category : kCategories) {
      names.push_back(questions_file(category));
      if (category.calls) names.push_back(answers_file(category));
    }
    return names;
  }

  Result<std::vector<Item>> read(const std::filesystem::path& folder) const override {
    std::vector<Item> items;
    for (const Category& category : kCategories) {
      auto done = read_category(folder, category, items);
      if (!done) return done.error();
    }
    return items;
  }

  Result<Verdict> score(const Item& item, std::string_view answer,
                        sandbox::Judge&) const override {
    const auto reference = nlohmann::json::parse(item.reference, nullptr, false);
    if (!reference.is_object()) {
      return Error{ErrorCode::Internal, "the item has no reference", item.id, ""};
    }
    const auto language = static_cast<Language>(reference.value("language", 0));
    const auto calls = strict_ ? bfcl::decode_strictly(answer, language)
                               : bfcl::decode_kindly(answer, language);
    if (!reference.contains("answers")) {
      const bool none = !calls || calls->empty();
      return Verdict{none, none ? "passed" : "calls a function where none fits"};
    }
    if (!calls) return Verdict{false, "no calls"};
    std::string wrong =
        bfcl::mismatch(*calls, {reference["functions"], reference["answers"], language});
    return Verdict{wrong.empty(), wrong.empty() ? "passed" : wrong};
  }

 private:
  static Result<void> read_category(const std::filesystem::path& folder, const Category& category,
                                    std::vector<Item>& items) {
    auto questions = read_rows(folder, questions_file(category));
    if (!questions) return questions.error();
    BfclRows answers;
    if (category.calls) {
      auto rows = read_rows(folder, answers_file(category));
      if (!rows) return rows.error();
      answers = std::move(*rows);
    }
    for (size_t i = 0; i < questions->size(); ++i) {
      const auto& [where, row] = (*questions)[i];
      auto messages = messages_of(row, category.language, where);
      if (!messages) return messages.error();
      nlohmann::json reference = {{"language", static_cast<int>(category.language)}};
      if (category.calls) {
        const bool paired = i < answers.size() && answers[i].second["id"] == row["id"] &&
                            answers[i].second.contains("ground_truth");
        if (!paired) return bad_line(where, "has no possible answer on the same line");
        reference["answers"] = nlohmann::json(answers[i].second["ground_truth"]);
        reference["functions"] = nlohmann::json(row["function"]);
      }
      Item item;
      item.id = row["id"].get<std::string>();
      item.group = category.name;
      item.messages = std::move(*messages);
      item.tokens_max = 384;
      item.reference = reference.dump();
      items.push_back(std::move(item));
    }
    return {};
  }

  bool strict_;
};

}  // namespace

std::unique_ptr<Task> make_bfcl(bool strict) { return std::make_unique<Bfcl>(strict); }

}  // namespace tinyarms::eval
