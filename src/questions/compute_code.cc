// Computations over the code that comes with a question.
#include <fmt/format.h>

#include "questions/computation.h"
#include "rules/syntax_tree.h"

namespace tinyarms::questions {
namespace {

std::optional<Variables> code_language(const ComputationInput& input) {
  const auto language = rules::guess_language(input.code->code);
  if (!language) return std::nullopt;
  // A fence that says otherwise is a contradiction, not a question.
  const std::string& fence = input.code->language;
  if (!fence.empty() && fence != *language && fence != "text") return std::nullopt;
  return Variables{{"language", rules::display_language(*language)}};
}

// Preprocessor macros can make anything of C and C++, which no grammar sees.
bool may_use_macros(std::string_view code, std::string_view language) {
  if (language != "c" && language != "cpp") return false;
  if (code.find('#') != std::string_view::npos) return true;
  size_t capitals = 0;
  for (const char c : code) {
    capitals = (c >= 'A' && c <= 'Z') || (c == '_' && capitals > 0) ? capitals + 1 : 0;
    if (capitals > 2) return true;
  }
  return false;
}

std::optional<Variables> code_parses(const ComputationInput& input) {
  const rules::CodeBlock& code = *input.code;
  std::string language = rules::normalise_language(input.get("language"));
  if (!language.empty() && !code.language.empty() && language != code.language) {
    return std::nullopt;
  }
  if (language.empty()) language = code.language;
  if (language.empty()) language = rules::guess_language(code.code).value_or("");
  const auto tree = rules::SyntaxTree::parse(code.code, language);
  if (!tree) return std::nullopt;
  const auto error = tree->first_error();
  if (error && may_use_macros(code.code, language)) return std::nullopt;
  const std::string shown = rules::display_language(language);
  return Variables{
      {"language", shown},
      {"verdict",
       error ? fmt::format("No: as {}, it has a syntax error at line {}, column {}.", shown,
                           error->line, error->column)
             : fmt::format("Yes: it parses as {}, no syntax error found.", shown)}};
}

}  // namespace

const std::vector<Computation>& code_computations() {
  static const std::vector<Computation> kComputations = {
      {"code-language", true, {}, {"language"}, code_language},
      {"code-parses", true, {}, {"language", "verdict"}, code_parses},
  };
  return kComputations;
}

}  // namespace tinyarms::questions
