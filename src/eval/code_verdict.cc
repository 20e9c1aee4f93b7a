#include "eval/code_verdict.h"

#include <fmt/format.h>

#include "base/utf8.h"
#include "eval/data_file.h"

namespace tinyarms::eval {
namespace {

constexpr size_t kReasonBytesMax = 160;

std::string last_line(std::string_view text) {
  const size_t end = text.find_last_not_of(" \t\r\n");
  if (end == std::string_view::npos) return {};
  text = text.substr(0, end + 1);
  const size_t begin = text.rfind('\n');
  if (begin != std::string_view::npos) text = text.substr(begin + 1);
  if (text.size() > kReasonBytesMax) {
    text = text.substr(0, complete_utf8_prefix(text.substr(0, kReasonBytesMax)));
  }
  return std::string(text);
}

// Compilers say what is wrong first, and count the faults last.
std::string first_fault(std::string_view text) {
  const size_t at = text.find("error");
  if (at == std::string_view::npos) return last_line(text);
  return last_line(text.substr(0, std::min(text.find('\n', at), text.size())));
}

std::string joined(std::string_view head, const std::string& detail) {
  return detail.empty() ? std::string(head) : fmt::format("{}: {}", head, detail);
}

Error corrupt(std::string what, const std::string& where) {
  return {ErrorCode::Corrupt, std::move(what), where, "fetch the file again"};
}

}  // namespace

Verdict verdict_of(const sandbox::Outcome& outcome) {
  using End = sandbox::Outcome::End;
  switch (outcome.end) {
    case End::Exited:
      if (outcome.exit_code == 0) return {true, "passed"};
      return {false, joined("failed", last_line(outcome.errors))};
    case End::Signalled: return {false, fmt::format("ended by signal {}", outcome.exit_code)};
    case End::TimedOut: return {false, "timed out"};
    case End::MemoryExceeded: return {false, "took too much memory"};
    case End::OutputExceeded: return {false, "printed too much"};
    case End::NotCompiled: return {false, joined("did not compile", first_fault(outcome.errors))};
  }
  return {false, "ended in a way nobody foresaw"};
}

Result<Verdict> judged(sandbox::Judge& judge, const sandbox::Program& program) {
  auto outcome = judge.run(program);
  if (!outcome) return outcome.error();
  return verdict_of(*outcome);
}

std::string existing_file(const std::filesystem::path& folder,
                          const std::vector<std::string>& names) {
  std::error_code ignored;
  for (const std::string& name : names) {
    if (std::filesystem::is_regular_file(folder / name, ignored)) return name;
  }
  return names.front();
}

Result<void> each_row(const std::filesystem::path& folder, const std::string& name,
                      const RowSink& each) {
  auto text = read_data_file(folder, name);
  if (!text) return text.error();
  return each_line(*text, (folder / name).string(),
                   [&](std::string_view line, const std::string& where) -> Result<void> {
                     const auto row = nlohmann::json::parse(line, nullptr, false);
                     if (!row.is_object()) return corrupt("a line that is no JSON object", where);
                     return each(row, where);
                   });
}

Result<std::string> text_of(const nlohmann::json& row, const char* key, const std::string& where) {
  if (row.contains(key) && row[key].is_string()) return row[key].get<std::string>();
  return corrupt(fmt::format("there is no text `{}`", key), where);
}

Result<std::vector<std::string>> texts_of(const nlohmann::json& row,
                                          const std::vector<const char*>& keys,
                                          const std::string& where) {
  std::vector<std::string> texts;
  for (const char* key : keys) {
    auto text = text_of(row, key, where);
    if (!text) return text.error();
    texts.push_back(*std::move(text));
  }
  return texts;
}

std::string fenced(std::string_view language, std::string_view code) {
  const std::string_view end = code.empty() || code.back() != '\n' ? "\n" : "";
  return fmt::format("```{}\n{}{}```", language, code, end);
}

}  // namespace tinyarms::eval
