#include "rules/rule_set.h"

#include <fmt/format.h>
#include <tree_sitter/api.h>

#include <algorithm>

#include "rules/compiled.h"
#include "rules/rule_document.h"

namespace tinyarms::rules {
namespace {

// Loads the documents of all sources; what is wrong goes to the problems.
class Loader {
 public:
  explicit Loader(RuleSetParts& parts) : parts_(parts) {}

  void read_globals(const std::vector<RuleSource>& sources);
  void read_rules(const std::vector<RuleSource>& sources);

 private:
  struct Source {
    std::string_view name;
    YamlFile file;
  };

  YamlFile read_file(const RuleSource& source) {
    YamlFile file = read_yaml(source.name, source.bytes);
    for (const Error& error : file.errors) parts_.problems.push_back({"", error});
    return file;
  }
  void problem(const RuleDocument& document, Error error) {
    parts_.problems.push_back({id_of(document.node), std::move(error)});
  }

  RuleSetParts& parts_;
  ReadingContext context_;
};

// In the order of their dependence, so that a utility knows the kinds of those it uses.
void Loader::read_globals(const std::vector<RuleSource>& sources) {
  std::vector<Source> files;
  for (const RuleSource& source : sources) files.push_back({source.name, read_file(source)});
  std::map<std::string, RuleDocument> documents;
  std::map<std::string, std::set<std::string, std::less<>>> graph;
  for (const Source& source : files) {
    for (const YamlNode& node : source.file.documents) {
      if (node.kind == YamlNode::Kind::Null) continue;
      const RuleDocument document{source.name, node};
      auto utility = declare_global(document);
      if (!utility) {
        problem(document, utility.error());
        continue;
      }
      const std::string id = (*utility)->id;
      if (!documents.emplace(id, document).second) {
        problem(document, Error{ErrorCode::Config, fmt::format("there are two utilities '{}'", id),
                                yaml_position(source.name, node), ""});
        continue;
      }
      context_.globals[id] = utility->get();
      parts_.globals.push_back(std::move(*utility));
      if (const YamlNode* rule = node.find("rule")) collect_dependencies(*rule, graph[id]);
    }
  }
  auto order = order_by_dependence(graph);
  if (!order) {
    parts_.problems.push_back({"", order.error()});
    context_.globals.clear();
    return;
  }
  for (const std::string& id : *order) {
    const auto document = documents.find(id);
    Utility& utility = *context_.globals[id];
    Result<void> read = read_global(document->second, context_, utility, parts_.notices);
    if (!read) problem(document->second, read.error());
  }
}

void Loader::read_rules(const std::vector<RuleSource>& sources) {
  for (const RuleSource& source : sources) {
    const YamlFile file = read_file(source);
    for (const YamlNode& node : file.documents) {
      if (node.kind == YamlNode::Kind::Null) continue;
      const RuleDocument document{source.name, node};
      Result<ReadRule> rule = read_rule(document, context_, parts_.notices);
      if (!rule) {
        problem(document, rule.error());
        continue;
      }
      parts_.infos.push_back(std::move(rule->info));
      parts_.rules.push_back(std::move(rule->rule));
    }
  }
}

// Constraints bind every finding only where their variable always has a value: an `all` of
// patterns at the top.
void collect_sure_slots(const PatternNode& node, std::set<Slot>& slots) {
  if (node.kind == PatternNode::Kind::MetaVariable &&
      node.variable == MetaVariable::Kind::Capture) {
    slots.insert(node.slot);
  }
  for (const PatternNode& child : node.children) collect_sure_slots(child, slots);
}

void collect_sure_slots(const Matcher& matcher, std::set<Slot>& slots) {
  if (matcher.pattern && matcher.pattern->strictness() == Strictness::Smart) {
    collect_sure_slots(matcher.pattern->root(), slots);
  }
  if (matcher.op != Matcher::Op::All) return;
  for (const Matcher& part : matcher.parts) collect_sure_slots(part, slots);
}

LiteralNeed need_of(const RuleCore& core) {
  LiteralNeed need = need_of(core.matcher);
  std::set<Slot> sure;
  collect_sure_slots(core.matcher, sure);
  for (const auto& [slot, constraint] : core.constraints) {
    if (sure.count(slot) > 0) need.add(need_of(constraint));
  }
  return need;
}

void index_by_language(RuleSetParts& parts) {
  for (uint32_t i = 0; i < parts.rules.size(); ++i) {
    const Language* language = parts.infos[i].language;
    auto of = std::find_if(parts.languages.begin(), parts.languages.end(),
                           [&](const LanguageRules& rules) { return rules.language == language; });
    if (of == parts.languages.end()) {
      parts.languages.emplace_back();
      of = std::prev(parts.languages.end());
      of->language = language;
    }
    of->rules.push_back(i);
  }
  for (LanguageRules& of : parts.languages) {
    of.symbols = ts_language_symbol_count(of.language->grammar());
    for (const uint32_t number : of.rules) {
      CompiledRule& rule = parts.rules[number];
      rule.formula = of.filter.add(need_of(rule.core));
      std::vector<uint32_t>& symbols = of.symbols_of.emplace_back();
      for (const uint16_t symbol : rule.core.matcher.kinds->symbols()) {
        symbols.push_back(std::min<uint32_t>(symbol, of.symbols));
      }
    }
    of.filter.compile();
  }
}

}  // namespace

std::string_view severity_name(Severity severity) {
  switch (severity) {
    case Severity::Off:
      return "off";
    case Severity::Hint:
      return "hint";
    case Severity::Info:
      return "info";
    case Severity::Warning:
      return "warning";
    case Severity::Error:
      return "error";
  }
  return "";
}

RuleSet::RuleSet() : parts_(std::make_unique<RuleSetParts>()) {}
RuleSet::~RuleSet() = default;
RuleSet::RuleSet(RuleSet&&) noexcept = default;
RuleSet& RuleSet::operator=(RuleSet&&) noexcept = default;

RuleSet RuleSet::load(const RuleSources& sources) {
  RuleSet set;
  Loader loader(*set.parts_);
  loader.read_globals(sources.utils);
  loader.read_rules(sources.rules);
  index_by_language(*set.parts_);
  return set;
}

Result<RuleSet> RuleSet::of_pattern(const PatternQuery& query) {
  const Language* language = find_language(query.language);
  if (language == nullptr) {
    return Error{ErrorCode::Unsupported, fmt::format("no grammar for the language '{}'",
                                                     query.language), "", ""};
  }
  const auto strictness =
      query.strictness.empty() ? Strictness::Smart : find_strictness(query.strictness);
  if (!strictness) {
    return Error{ErrorCode::InvalidArgument, fmt::format("unknown strictness '{}'",
                                                         query.strictness), "",
                 "there are cst, smart, ast, relaxed, signature, template"};
  }
  RuleSet set;
  CompiledRule rule;
  auto pattern = Pattern::compile({query.pattern, query.selector, *strictness}, *language,
                                  rule.slots);
  if (!pattern) return pattern.error();
  Matcher& matcher = rule.core.matcher;
  matcher.op = Matcher::Op::Pattern;
  matcher.pure = !pattern->has_variables();
  matcher.kinds.emplace();
  const uint32_t symbols = ts_language_symbol_count(language->grammar());
  if (pattern->kind()) {
    matcher.kinds->insert(*pattern->kind());
  } else {
    for (uint32_t symbol = 0; symbol < symbols; ++symbol) {
      matcher.kinds->insert(static_cast<uint16_t>(symbol));
    }
    matcher.kinds->insert(kErrorSymbol);
  }
  matcher.pattern.emplace(std::move(*pattern));
  matcher.text = "pattern: " + query.pattern;
  if (query.rewrite) {
    Fixer fixer;
    fixer.text = TemplateText(*query.rewrite, rule.slots, {});
    rule.fixers.push_back(std::move(fixer));
    rule.end_at_pattern = true;
  }
  RuleInfo info;
  info.id = "pattern";
  info.language = language;
  info.fixes = rule.fixers.size();
  set.parts_->infos.push_back(std::move(info));
  set.parts_->rules.push_back(std::move(rule));
  index_by_language(*set.parts_);
  return set;
}

std::span<const RuleInfo> RuleSet::rules() const { return parts_->infos; }
const std::vector<RuleProblem>& RuleSet::problems() const { return parts_->problems; }
const std::vector<RuleProblem>& RuleSet::notices() const { return parts_->notices; }

const RuleInfo* RuleSet::find(std::string_view id) const {
  const auto has_id = [&](const RuleInfo& info) { return info.id == id; };
  const auto found = std::find_if(parts_->infos.begin(), parts_->infos.end(), has_id);
  return found == parts_->infos.end() ? nullptr : &*found;
}

}  // namespace tinyarms::rules
