#include "questions/computation.h"

#include <fmt/format.h>

#include "questions/arithmetic.h"
#include "questions/number_base.h"
#include "rules/syntax_tree.h"

namespace tinyarms::questions {
namespace {

std::string capture(const ComputationInput& input, const char* name) {
  const auto found = input.captures.find(name);
  return found == input.captures.end() ? std::string() : found->second;
}

std::optional<Variables> arithmetic(const ComputationInput& input) {
  const auto result = evaluate_arithmetic(capture(input, "expression"));
  if (!result) return std::nullopt;
  return Variables{{"expression", result->expression},
                   {"relation", result->relation},
                   {"result", result->value}};
}

std::optional<Variables> convert_units(const ComputationInput& input) {
  const std::string value = capture(input, "value");
  const std::string from = capture(input, "from");
  const std::string to = capture(input, "to");
  const auto conversion = input.units.table().convert({value, from, to});
  if (!conversion) return std::nullopt;
  return Variables{{"value", conversion->value},
                   {"relation", conversion->relation},
                   {"result", conversion->result}};
}

std::optional<Variables> convert_number_base(const ComputationInput& input) {
  const std::string value = capture(input, "value");
  const std::string from = capture(input, "from");
  const int to = find_base(capture(input, "to"));
  const auto answer = convert_base({value, from.empty() ? 0 : find_base(from), to});
  if (to == 0 || !answer || answer->from == to) return std::nullopt;
  return Variables{{"value", answer->value},
                   {"result", answer->result},
                   {"from", std::string(base_name(answer->from))},
                   {"to", std::string(base_name(to))}};
}

// "755" or "0755" or "4755" → rwxr-xr-x and who may do what.
std::optional<Variables> file_mode(const ComputationInput& input) {
  std::string mode = capture(input, "mode");
  if (mode.size() == 4 && mode[0] == '0') mode.erase(0, 1);
  const bool octal = mode.find_first_not_of("01234567") == std::string::npos;
  if (mode.size() != 3 || !octal) return std::nullopt;
  std::string symbolic;
  std::vector<std::string> sentences;
  constexpr const char* kWho[] = {"owner", "group", "others"};
  for (int i = 0; i < 3; ++i) {
    const int bits = mode[static_cast<size_t>(i)] - '0';
    std::vector<const char*> rights;
    if (bits & 4) rights.push_back("read");
    if (bits & 2) rights.push_back("write");
    if (bits & 1) rights.push_back("execute");
    symbolic += (bits & 4) ? 'r' : '-';
    symbolic += (bits & 2) ? 'w' : '-';
    symbolic += (bits & 1) ? 'x' : '-';
    if (rights.empty()) rights.push_back("nothing");
    sentences.push_back(fmt::format("{}: {}", kWho[i], fmt::join(rights, ", ")));
  }
  return Variables{{"mode", mode},
                   {"symbolic", symbolic},
                   {"rights", fmt::format("{}", fmt::join(sentences, "; "))}};
}

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
  std::string language = rules::normalise_language(capture(input, "language"));
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

const std::vector<Computation>& computations() {
  static const std::vector<Computation> kComputations = {
      {"arithmetic", false, {"expression"}, {"relation", "result"}, arithmetic},
      {"convert-units", false, {"from", "to"}, {"value", "relation", "result"}, convert_units},
      {"convert-base", false, {"value", "to"}, {"from", "result"}, convert_number_base},
      {"file-mode", false, {"mode"}, {"symbolic", "rights"}, file_mode},
      {"code-language", true, {}, {"language"}, code_language},
      {"code-parses", true, {}, {"language", "verdict"}, code_parses},
  };
  return kComputations;
}

}  // namespace

const Computation* find_computation(std::string_view name) {
  for (const Computation& computation : computations()) {
    if (computation.name == name) return &computation;
  }
  return nullptr;
}

std::vector<std::string_view> computation_names() {
  std::vector<std::string_view> names;
  for (const Computation& computation : computations()) names.push_back(computation.name);
  return names;
}

}  // namespace tinyarms::questions
