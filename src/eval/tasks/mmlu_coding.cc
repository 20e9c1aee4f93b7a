// MMLU (Hendrycks et al. 2021), its four computing subjects. Asked as the authors' evaluate.py
// asks: a heading that names the subject, 5 (or 0) solved examples of the dev split, the question
// with its options, "Answer:"; the option letter with the largest log-probability is the answer.
#include <fmt/format.h>

#include <array>
#include <nlohmann/json.hpp>

#include "eval/data_file.h"
#include "eval/option_letter.h"
#include "eval/task_registry.h"

namespace tinyarms::eval {
namespace {

constexpr std::array<std::string_view, 4> kSubjects = {
    "college_computer_science", "computer_security", "high_school_computer_science",
    "machine_learning"};
constexpr size_t kColumns = 6;  // question, A, B, C, D, answer

std::string file_name(std::string_view subject, std::string_view split) {
  return fmt::format("mmlu_coding/{}_{}.csv", subject, split);
}

// The authors' files have no header row, common carriers have one.
Result<std::vector<CsvRow>> read_rows(const std::filesystem::path& folder, std::string_view name) {
  auto text = read_data_file(folder, name);
  if (!text) return text.error();
  const std::string place = (folder / name).string();
  auto rows = parse_csv(*text, place);
  if (!rows) return rows;
  if (!rows->empty() && rows->front().fields.back() == "answer") rows->erase(rows->begin());
  for (const CsvRow& row : *rows) {
    const bool letter = row.fields.back().size() == 1 && row.fields.back()[0] >= 'A' &&
                        row.fields.back()[0] <= 'D';
    if (row.fields.size() == kColumns && letter) continue;
    return Error{ErrorCode::Corrupt, "is not a question, four options and a letter from A to D",
                 fmt::format("{}:{}", place, row.line), "fetch the file again"};
  }
  return rows;
}

std::string question_text(const CsvRow& row) {
  return fmt::format("{}\nA. {}\nB. {}\nC. {}\nD. {}\nAnswer:", row.fields[0], row.fields[1],
                     row.fields[2], row.fields[3], row.fields[4]);
}

class MmluCoding final : public Task {
 public:
  explicit MmluCoding(size_t shots) : shots_(shots) {}

  std::string_view name() const override {
    return shots_ == 0 ? "mmlu_coding_0shot" : "mmlu_coding";
  }
  std::string_view description() const override {
    return shots_ == 0 ? "MMLU, four computing subjects, no solved example"
                       : "MMLU, four computing subjects, 5 solved examples before each question";
  }
  std::string_view caveat() const override {
    return "published in 2020 and widely leaked into training data: compare, do not read as "
           "absolute";
  }

  std::vector<std::string> files(const std::filesystem::path&) const override {
    std::vector<std::string> names;
    for (const std::string_view subject : kSubjects) {
      names.push_back(file_name(subject, "test"));
      if (shots_ > 0) names.push_back(file_name(subject, "dev"));
    }
    return names;
  }

  Result<std::vector<Item>> read(const std::filesystem::path& folder) const override {
    std::vector<Item> items;
    for (const std::string_view subject : kSubjects) {
      auto examples = examples_of(folder, subject);
      if (!examples) return examples.error();
      auto rows = read_rows(folder, file_name(subject, "test"));
      if (!rows) return rows.error();
      for (size_t i = 0; i < rows->size(); ++i) {
        Item item;
        item.id = fmt::format("{}/{}", subject, i);
        item.group = subject;
        item.mode = Mode::Choose;
        item.plain = true;
        item.shared_bytes = examples->size();
        item.messages = {{cascade::Role::User, *examples + question_text((*rows)[i])}};
        item.options = {" A", " B", " C", " D"};
        item.tokens_max = 8;  // of who cannot compare options and writes its answer
        item.reference = nlohmann::json((*rows)[i].fields[5]).dump();
        items.push_back(std::move(item));
      }
    }
    return items;
  }

  Result<Verdict> score(const Item& item, std::string_view answer,
                        sandbox::Judge&) const override {
    return judge_letter(item, answer);
  }

 private:
  // The heading and the solved examples.
  Result<std::string> examples_of(const std::filesystem::path& folder,
                                  std::string_view subject) const {
    std::string spoken(subject);
    for (char& letter : spoken) letter = letter == '_' ? ' ' : letter;
    std::string text = fmt::format(
        "The following are multiple choice questions (with answers) about {}.\n\n", spoken);
    if (shots_ == 0) return text;
    auto rows = read_rows(folder, file_name(subject, "dev"));
    if (!rows) return rows.error();
    for (size_t i = 0; i < rows->size() && i < shots_; ++i) {
      text += fmt::format("{} {}\n\n", question_text((*rows)[i]), (*rows)[i].fields[5]);
    }
    return text;
  }

  size_t shots_;
};

}  // namespace

std::unique_ptr<Task> make_mmlu_coding(size_t shots) { return std::make_unique<MmluCoding>(shots); }

}  // namespace tinyarms::eval
