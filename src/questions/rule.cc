#include "questions/rule.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "questions/phrases.h"

namespace tinyarms::questions {
namespace {

// Of ast-grep's form or of a pack's tests: known, and of no use to an answer.
constexpr std::string_view kIgnoredKeys[] = {"language", "severity", "message", "url",
                                             "metadata", "valid",    "invalid"};

Error wrong(std::string_view file, const rules::YamlNode& node, std::string what) {
  return Error{ErrorCode::Config, std::move(what), rules::yaml_position(file, node),
               "see docs/rules.md for what a rule may say"};
}

Result<std::vector<std::string>> read_strings(std::string_view file, const rules::YamlNode& node) {
  if (node.kind == rules::YamlNode::Kind::Scalar) return std::vector<std::string>{node.scalar};
  std::vector<std::string> list;
  for (const rules::YamlNode& item : node.items) {
    if (item.kind != rules::YamlNode::Kind::Scalar) return wrong(file, item, "a text was expected");
    list.push_back(item.scalar);
  }
  if (list.empty()) return wrong(file, node, "a text or a list of texts was expected");
  return list;
}

Result<std::vector<std::string>> read_regexes(std::string_view file,
                                              const rules::YamlNode& node) {
  auto list = read_strings(file, node);
  if (!list) return list;
  for (std::string& regex : *list) {
    auto expanded = expand_phrases(regex);
    if (!expanded) return wrong(file, node, expanded.error().what);
    regex = std::move(*expanded);
  }
  return list;
}

Result<void> read_table(std::string_view file, const rules::YamlNode& node, Rule& rule) {
  const rules::YamlNode* key = node.find("key");
  const rules::YamlNode* values = node.find("values");
  if (key == nullptr || values == nullptr || values->entries.empty()) {
    return wrong(file, node, "a table needs 'key' and 'values'");
  }
  rule.table_key = key->scalar;
  if (const rules::YamlNode* letters = node.find("case")) {
    if (letters->scalar != "kept") return wrong(file, *letters, "'case' can only be 'kept'");
    rule.table_keeps_case = true;
  }
  for (const auto& [name, value] : values->entries) {
    if (!rule.table.emplace(name.scalar, value.scalar).second) {
      return wrong(file, name, fmt::format("'{}' is in the table twice", name.scalar));
    }
  }
  return {};
}

Result<void> read_key(std::string_view file, const rules::YamlNode& document,
                      const rules::YamlNode& key, const rules::YamlNode& value, Rule& rule) {
  const std::string& name = key.scalar;
  if (name == "words") {
    // pack_text.h looked at them already, and only at lists it could read.
    auto words = read_strings(file, value);
    return words ? Result<void>() : Result<void>(words.error());
  }
  if (name == "question" || name == "unless") {
    auto list = read_regexes(file, value);
    if (!list) return list.error();
    (name == "question" ? rule.questions : rule.unless) = std::move(*list);
  } else if (name == "id" || name == "answer" || name == "otherwise" || name == "note") {
    if (value.kind != rules::YamlNode::Kind::Scalar) {
      return wrong(file, value, "a text was expected");
    }
    std::string& target = name == "id"          ? rule.id
                          : name == "answer"    ? rule.answer
                          : name == "otherwise" ? rule.otherwise
                                                : rule.note;
    target = value.scalar;
  } else if (name == "compute") {
    rule.computation = find_computation(value.scalar);
    if (rule.computation == nullptr) {
      return wrong(file, value, fmt::format("unknown computation '{}'; there are {}", value.scalar,
                                            fmt::join(computation_names(), ", ")));
    }
  } else if (name == "table") {
    return read_table(file, value, rule);
  } else if (name == "rule") {
    const rules::YamlNode* language = document.find("language");
    if (language == nullptr) return wrong(file, key, "a code rule needs a 'language'");
    auto code_rule = rules::CodeRule::compile(file, value, language->scalar);
    if (!code_rule) return code_rule.error();
    rule.code_rule.emplace(std::move(*code_rule));
  } else if (std::find(std::begin(kIgnoredKeys), std::end(kIgnoredKeys), name) ==
             std::end(kIgnoredKeys)) {
    return wrong(file, key, fmt::format("unknown key '{}'", name));
  }
  return {};
}

// Every {{name}} of a template; nothing where a brace is not closed.
std::optional<std::vector<std::string>> template_names(std::string_view text) {
  std::vector<std::string> names;
  for (size_t at = text.find("{{"); at != std::string_view::npos; at = text.find("{{", at)) {
    const size_t end = text.find("}}", at);
    if (end == std::string_view::npos) return std::nullopt;
    names.emplace_back(text.substr(at + 2, end - at - 2));
    at = end + 2;
  }
  return names;
}

// The named groups of a regex, read off its text: compiling each regex just for this would be
// most of the time that loading takes.
std::set<std::string> named_groups(std::string_view regex) {
  constexpr std::string_view kOpening = "(?P<";
  std::set<std::string> names;
  bool in_class = false;
  for (size_t at = 0; at < regex.size(); ++at) {
    if (regex[at] == '\\') {
      ++at;
    } else if (in_class) {
      in_class = regex[at] != ']';
    } else if (regex[at] == '[') {
      in_class = true;
    } else if (regex.substr(at, kOpening.size()) == kOpening) {
      const size_t start = at + kOpening.size();
      names.emplace(regex.substr(start, regex.find('>', start) - start));
    }
  }
  return names;
}

// Those that every question names: only they are sure to be there.
std::set<std::string> common_captures(const Rule& rule) {
  std::set<std::string> common = named_groups(rule.questions.front());
  for (const std::string& question : rule.questions) {
    const std::set<std::string> names = named_groups(question);
    std::erase_if(common, [&](const std::string& name) { return names.count(name) == 0; });
  }
  return common;
}

// {{NAME}} in the answer of a code rule is the text of $NAME in the first match.
bool is_metavariable(const std::string& name) {
  return name.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") == std::string::npos;
}

Result<void> check_names(std::string_view file, const rules::YamlNode& document, Rule& rule) {
  const bool captures = !rule.table_key.empty() || rule.computation != nullptr ||
                        rule.answer.find("{{") != std::string::npos;
  if (!captures && rule.otherwise.empty()) return {};
  std::set<std::string> known = common_captures(rule);
  if (!rule.table_key.empty() && known.count(rule.table_key) == 0) {
    return wrong(file, document, fmt::format("the table's key '{}' is not a named group of every "
                                             "question", rule.table_key));
  }
  if (rule.computation != nullptr) {
    for (const std::string_view name : rule.computation->captures) {
      if (known.count(std::string(name)) > 0) continue;
      return wrong(file, document, fmt::format("'{}' needs a group named '{}' in every question",
                                               rule.computation->name, name));
    }
    for (const std::string_view name : rule.computation->variables) known.emplace(name);
  }
  if (!rule.table_key.empty()) known.insert("entry");
  if (rule.code_rule) known.insert({"count", "line", "lines"});
  for (const std::string* text : {&rule.answer, &rule.otherwise}) {
    const auto names = template_names(*text);
    if (!names) return wrong(file, document, "a '{{' in the answer is not closed");
    for (const std::string& name : *names) {
      if (known.count(name) > 0) continue;
      if (rule.code_rule && text == &rule.answer && is_metavariable(name)) {
        rule.metavariables.push_back(name);
        continue;
      }
      return wrong(file, document, fmt::format("the answer uses '{}', which nothing gives", name));
    }
  }
  return {};
}

Result<void> check(std::string_view file, const rules::YamlNode& document, Rule& rule) {
  if (rule.questions.empty()) return wrong(file, document, "a rule needs a 'question'");
  if (rule.answer.empty()) return wrong(file, document, "a rule needs an 'answer'");
  if (rule.code_rule && rule.computation != nullptr) {
    return wrong(file, document, "a rule has either 'rule' or 'compute'");
  }
  if (!rule.otherwise.empty() && !rule.code_rule) {
    return wrong(file, document, "'otherwise' belongs to a code rule");
  }
  return check_names(file, document, rule);
}

}  // namespace

Result<Rule> read_rule(std::string_view file, const rules::YamlNode& document) {
  const rules::YamlNode* id = document.find("id");
  if (document.kind != rules::YamlNode::Kind::Map || id == nullptr || id->scalar.empty()) {
    return wrong(file, document, "a rule must be a map with an 'id'");
  }
  const std::string context = fmt::format("rule '{}'", id->scalar);
  Rule rule;
  for (const auto& [key, value] : document.entries) {
    Result<void> read = read_key(file, document, key, value, rule);
    if (!read) return read.error().wrap(context);
  }
  Result<void> sound = check(file, document, rule);
  if (!sound) return sound.error().wrap(context);
  return rule;
}

std::string fill_template(std::string_view text, const Variables& variables) {
  std::string result;
  while (!text.empty()) {
    const size_t open = std::min(text.find("{{"), text.size());
    result.append(text.substr(0, open));
    text.remove_prefix(open);
    if (text.empty()) break;
    const size_t close = text.find("}}");
    const auto variable = variables.find(std::string(text.substr(2, close - 2)));
    if (variable != variables.end()) result.append(variable->second);
    text.remove_prefix(close + 2);
  }
  return result;
}

}  // namespace tinyarms::questions
