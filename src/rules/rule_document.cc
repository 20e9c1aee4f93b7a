#include "rules/rule_document.h"

#include <fmt/format.h>

#include <algorithm>

#include "rules/read_transform.h"

namespace tinyarms::rules {
namespace {

constexpr std::string_view kKnownKeys[] = {
    "id",   "language", "rule", "constraints", "utils",  "transform", "fix",     "rewriters",
    "note", "severity", "url",  "message",     "labels", "files",     "ignores", "metadata",
    "arguments"};

bool contains(const std::vector<Slot>& slots, Slot slot) {
  return std::find(slots.begin(), slots.end(), slot) != slots.end();
}

// Reads one rule document part by part; the parts share the rule's names.
class DocumentReader {
 public:
  DocumentReader(const RuleDocument& document, const Language& language, ReadingContext& context,
                 SlotTable& slots)
      : document_(document), language_(language), slots_(slots),
        reader_(context, document.file, language, slots) {}

  RuleReader& reader() { return reader_; }

  Result<void> read_core(const YamlNode& node, std::vector<std::unique_ptr<Utility>>& utilities,
                         RuleCore& core);
  Result<void> read_rewriters(CompiledRule& rule);
  Result<void> read_fixes(const YamlNode& owner, const RuleCore& core,
                          const std::vector<Slot>& more, std::vector<Fixer>& fixers);
  Result<void> read_labels(CompiledRule& rule);
  Result<void> check_rewriters(const CompiledRule& rule) const;
  std::vector<Slot> node_variables(const RuleCore& core) const;

 private:
  Result<Fixer> read_fixer(const YamlNode& node, const std::vector<Slot>& known,
                           const std::vector<Slot>& transformed);
  Result<std::optional<Expansion>> read_expansion(const YamlNode* node);
  Result<void> check_rewriters_of(const RuleCore& core, const CompiledRule& rule) const;

  const RuleDocument& document_;
  const Language& language_;
  SlotTable& slots_;
  RuleReader reader_;
  std::vector<Slot> utility_variables_;
};

Result<void> DocumentReader::read_core(const YamlNode& node,
                                       std::vector<std::unique_ptr<Utility>>& utilities,
                                       RuleCore& core) {
  if (const YamlNode* utils = node.find("utils")) {
    Result<void> read = reader_.read_utilities(*utils, utilities);
    if (!read) return read;
    for (const auto& utility : utilities) {
      for (const Slot slot : defined_slots(utility->matcher)) utility_variables_.push_back(slot);
    }
  }
  const YamlNode* rule = node.find("rule");
  if (rule == nullptr) return reader_.wrong(node, "there is no 'rule'");
  Result<Matcher> matcher = reader_.read_matcher(*rule);
  if (!matcher) return matcher.error();
  core.matcher = std::move(*matcher);
  if (const YamlNode* constraints = node.find("constraints")) {
    for (const auto& [name, value] : constraints->entries) {
      Result<Matcher> constraint = reader_.read_matcher(value);
      if (!constraint) return constraint.error().wrap(fmt::format("constraint '{}'", name.scalar));
      core.constraints.emplace_back(slots_.slot(name.scalar), std::move(*constraint));
    }
    for (const auto& [name, value] : constraints->entries) {
      if (contains(node_variables(core), slots_.slot(name.scalar))) continue;
      return reader_.wrong(name, fmt::format("no pattern has the variable ${}", name.scalar));
    }
  }
  const YamlNode* transform = node.find("transform");
  if (transform == nullptr) return {};
  auto transforms = read_transforms(reader_, *transform, language_, slots_, node_variables(core));
  if (!transforms) return transforms.error();
  core.transforms = std::move(*transforms);
  return {};
}

std::vector<Slot> DocumentReader::node_variables(const RuleCore& core) const {
  std::vector<Slot> all = defined_slots(core.matcher);
  all.insert(all.end(), utility_variables_.begin(), utility_variables_.end());
  for (const auto& [slot, constraint] : core.constraints) {
    const std::vector<Slot> more = defined_slots(constraint);
    all.insert(all.end(), more.begin(), more.end());
  }
  return all;
}

Result<std::optional<Expansion>> DocumentReader::read_expansion(const YamlNode* node) {
  if (node == nullptr) return std::optional<Expansion>();
  Result<StopBy> stop_by = reader_.read_stop_by(*node);
  if (!stop_by) return stop_by.error();
  Result<Matcher> matcher = reader_.read_matcher(*node, true);
  if (!matcher) return matcher.error();
  std::optional<Expansion> expansion;
  expansion.emplace();
  expansion->matcher = std::move(*matcher);
  expansion->stop_by = std::move(*stop_by);
  return expansion;
}

Result<Fixer> DocumentReader::read_fixer(const YamlNode& node, const std::vector<Slot>& known,
                                         const std::vector<Slot>& transformed) {
  const bool is_map = node.kind == YamlNode::Kind::Map;
  const YamlNode* text = is_map ? node.find("template") : &node;
  if (text == nullptr || text->kind == YamlNode::Kind::Sequence ||
      text->kind == YamlNode::Kind::Map) {
    return reader_.wrong(node, "a fix is a text, or a map with a 'template'");
  }
  Fixer fixer;
  fixer.text = TemplateText(text->scalar, slots_, transformed);
  for (const Slot slot : fixer.text.slots()) {
    if (contains(known, slot) || contains(transformed, slot)) continue;
    return reader_.wrong(*text, fmt::format("the fix uses ${}, which no pattern has",
                                            slots_.name(slot)));
  }
  if (!is_map) return fixer;
  auto start = read_expansion(node.find("expandStart"));
  if (!start) return start.error();
  auto end = read_expansion(node.find("expandEnd"));
  if (!end) return end.error();
  fixer.start = std::move(*start);
  fixer.end = std::move(*end);
  if (const YamlNode* title = node.find("title")) fixer.title = title->scalar;
  return fixer;
}

Result<void> DocumentReader::read_fixes(const YamlNode& owner, const RuleCore& core,
                                        const std::vector<Slot>& more,
                                        std::vector<Fixer>& fixers) {
  const YamlNode* fix = owner.find("fix");
  if (fix == nullptr || fix->kind == YamlNode::Kind::Null) return {};
  std::vector<Slot> known = node_variables(core);
  known.insert(known.end(), more.begin(), more.end());
  std::vector<Slot> transformed;
  for (const Transform& transform : core.transforms) transformed.push_back(transform.target);
  if (fix->kind != YamlNode::Kind::Sequence) {
    Result<Fixer> fixer = read_fixer(*fix, known, transformed);
    if (!fixer) return fixer.error();
    fixers.push_back(std::move(*fixer));
    return {};
  }
  for (const YamlNode& item : fix->items) {
    Result<Fixer> fixer = read_fixer(item, known, transformed);
    if (!fixer) return fixer.error();
    if (fixer->title.empty()) return reader_.wrong(item, "a fix of several needs a 'title'");
    fixers.push_back(std::move(*fixer));
  }
  return {};
}

Result<void> DocumentReader::read_rewriters(CompiledRule& rule) {
  const YamlNode* list = document_.node.find("rewriters");
  if (list == nullptr || list->kind == YamlNode::Kind::Null) return {};
  if (list->kind != YamlNode::Kind::Sequence) {
    return reader_.wrong(*list, "'rewriters' must be a list");
  }
  std::vector<Slot> outer = node_variables(rule.core);
  for (const Transform& transform : rule.core.transforms) outer.push_back(transform.target);
  for (const YamlNode& item : list->items) {
    Rewriter rewriter;
    rewriter.id = id_of(item);
    const std::string context = fmt::format("rewriter '{}'", rewriter.id);
    if (rewriter.id.empty()) return reader_.wrong(item, "a rewriter needs an 'id'");
    Result<void> core = read_core(item, rule.utilities, rewriter.core);
    if (!core) return core.error().wrap(context);
    std::vector<Fixer> fixers;
    Result<void> fixes = read_fixes(item, rewriter.core, outer, fixers);
    if (!fixes) return fixes.error().wrap(context);
    if (fixers.empty()) return reader_.wrong(item, "a rewriter needs a 'fix'").wrap(context);
    rewriter.fixer = std::move(fixers.front());
    rule.rewriters.push_back(std::move(rewriter));
  }
  return {};
}

Result<void> DocumentReader::check_rewriters_of(const RuleCore& core,
                                                const CompiledRule& rule) const {
  for (const Transform& transform : core.transforms) {
    for (const std::string& id : transform.rewriters) {
      const auto has_id = [&](const Rewriter& rewriter) { return rewriter.id == id; };
      if (std::any_of(rule.rewriters.begin(), rule.rewriters.end(), has_id)) continue;
      return reader_.wrong(document_.node, fmt::format("there is no rewriter '{}'", id));
    }
  }
  return {};
}

Result<void> DocumentReader::check_rewriters(const CompiledRule& rule) const {
  if (document_.node.find("rewriters") == nullptr) return {};
  Result<void> own = check_rewriters_of(rule.core, rule);
  if (!own) return own;
  for (const Rewriter& rewriter : rule.rewriters) {
    Result<void> checked = check_rewriters_of(rewriter.core, rule);
    if (!checked) return checked;
  }
  return {};
}

Result<void> DocumentReader::read_labels(CompiledRule& rule) {
  const YamlNode* labels = document_.node.find("labels");
  if (labels == nullptr || labels->kind == YamlNode::Kind::Null) return {};
  rule.has_labels = true;
  const std::vector<Slot> known = node_variables(rule.core);
  for (const auto& [name, value] : labels->entries) {
    LabelConfig label{slots_.slot(name.scalar), true, ""};
    if (!contains(known, label.slot)) {
      return reader_.wrong(name, fmt::format("no pattern has the label's variable ${}",
                                             name.scalar));
    }
    const YamlNode* style = value.find("style");
    if (style == nullptr || (style->scalar != "primary" && style->scalar != "secondary")) {
      return reader_.wrong(value, "a label needs the 'style' primary or secondary");
    }
    label.primary = style->scalar == "primary";
    if (const YamlNode* message = value.find("message")) label.message = message->scalar;
    rule.labels.push_back(std::move(label));
  }
  return {};
}

Error misplaced(const RuleDocument& document, const YamlNode& node, std::string what) {
  return Error{ErrorCode::Config, std::move(what), yaml_position(document.file, node), ""};
}

Result<const Language*> read_language(const RuleDocument& document) {
  const YamlNode* name = document.node.find("language");
  if (name == nullptr) return misplaced(document, document.node, "there is no 'language'");
  const Language* language = find_language(name->scalar);
  if (language != nullptr) return language;
  std::vector<std::string_view> names;
  for (const Language& known : languages()) names.push_back(known.name);
  Error error = misplaced(document, *name, fmt::format("no grammar for the language '{}'",
                                                       name->scalar));
  error.code = ErrorCode::Unsupported;
  error.hint = fmt::format("this build has {}", fmt::join(names, ", "));
  return error;
}

Result<Severity> read_severity(const RuleDocument& document) {
  const YamlNode* node = document.node.find("severity");
  if (node == nullptr) return Severity::Hint;
  for (const Severity severity : {Severity::Off, Severity::Hint, Severity::Info,
                                  Severity::Warning, Severity::Error}) {
    if (severity_name(severity) == node->scalar) return severity;
  }
  return misplaced(document, *node, fmt::format("unknown severity '{}'; there are error, warning, "
                                                "info, hint, off", node->scalar));
}

Result<std::vector<FileGlob>> read_globs(const RuleDocument& document, const YamlNode& list) {
  std::vector<FileGlob> globs;
  if (list.kind != YamlNode::Kind::Sequence) {
    return misplaced(document, list, "a list of globs was expected");
  }
  for (const YamlNode& item : list.items) {
    const YamlNode* glob = item.kind == YamlNode::Kind::Map ? item.find("glob") : &item;
    if (glob == nullptr || glob->kind != YamlNode::Kind::Scalar) {
      return misplaced(document, item, "a glob is a text, or a map with a 'glob'");
    }
    const YamlNode* any_case = item.find("caseInsensitive");
    globs.push_back({glob->scalar, any_case != nullptr && any_case->scalar == "true"});
  }
  return globs;
}

Result<RuleInfo> read_info(const RuleDocument& document) {
  RuleInfo info;
  info.file = document.file;
  info.line = document.node.line;
  info.id = id_of(document.node);
  const auto language = read_language(document);
  if (!language) return language.error();
  info.language = *language;
  const auto severity = read_severity(document);
  if (!severity) return severity.error();
  info.severity = *severity;
  const auto text = [&](std::string_view key, std::string& target) {
    if (const YamlNode* node = document.node.find(key)) target = node->scalar;
  };
  text("message", info.message);
  text("note", info.note);
  text("url", info.url);
  if (const YamlNode* metadata = document.node.find("metadata")) info.metadata = metadata->clone();
  for (const std::string_view key : {"files", "ignores"}) {
    const YamlNode* node = document.node.find(key);
    if (node == nullptr || node->kind == YamlNode::Kind::Null) continue;
    auto globs = read_globs(document, *node);
    if (!globs) return globs.error();
    (key == "files" ? info.files : info.ignores) = std::move(*globs);
    info.has_files = info.has_files || key == "files";
  }
  return info;
}

void notice_unknown_keys(const RuleDocument& document, std::vector<RuleProblem>& notices) {
  for (const auto& [key, value] : document.node.entries) {
    if (std::find(std::begin(kKnownKeys), std::end(kKnownKeys), key.scalar) !=
        std::end(kKnownKeys)) {
      continue;
    }
    notices.push_back({id_of(document.node),
                       misplaced(document, key, fmt::format("unknown key '{}' is ignored",
                                                            key.scalar))});
  }
}

}  // namespace

std::string id_of(const YamlNode& document) {
  const YamlNode* id = document.find("id");
  return id == nullptr ? "" : id->scalar;
}

Result<ReadRule> read_rule(const RuleDocument& document, ReadingContext& context,
                           std::vector<RuleProblem>& notices) {
  if (document.node.kind != YamlNode::Kind::Map) {
    return misplaced(document, document.node, "a rule must be a map with id, language and rule");
  }
  Result<RuleInfo> info = read_info(document);
  if (!info) return info.error();
  ReadRule read;
  read.info = std::move(*info);
  CompiledRule& rule = read.rule;
  DocumentReader parts(document, *read.info.language, context, rule.slots);
  Result<void> done = parts.read_core(document.node, rule.utilities, rule.core);
  if (done) done = parts.read_labels(rule);
  if (done) done = parts.read_rewriters(rule);
  if (done) done = parts.check_rewriters(rule);
  if (done) done = parts.read_fixes(document.node, rule.core, {}, rule.fixers);
  if (!done) return done.error();
  if (!rule.core.matcher.kinds) {
    return misplaced(document, *document.node.find("rule"),
                     "the rule could match any node; say which kinds with 'kind' or a 'pattern'");
  }
  std::vector<Slot> transformed;
  for (const Transform& transform : rule.core.transforms) transformed.push_back(transform.target);
  rule.message = TemplateText(read.info.message, rule.slots, transformed);
  read.info.fixes = rule.fixers.size();
  notice_unknown_keys(document, notices);
  for (const Error& notice : parts.reader().notices()) notices.push_back({read.info.id, notice});
  return read;
}

Result<std::unique_ptr<Utility>> declare_global(const RuleDocument& document) {
  if (document.node.kind != YamlNode::Kind::Map || id_of(document.node).empty()) {
    return misplaced(document, document.node, "a utility rule must be a map with an 'id'");
  }
  const auto language = read_language(document);
  if (!language) return language.error();
  auto utility = std::make_unique<Utility>();
  utility->id = id_of(document.node);
  utility->global = true;
  if (const YamlNode* arguments = document.node.find("arguments")) {
    for (const YamlNode& name : arguments->items) utility->parameters.push_back(name.scalar);
  }
  return utility;
}

Result<void> read_global(const RuleDocument& document, ReadingContext& context, Utility& utility,
                         std::vector<RuleProblem>& notices) {
  const auto language = read_language(document);
  if (!language) return language.error();
  DocumentReader parts(document, **language, context, utility.slots);
  parts.reader().allow_parameters(utility.parameters);
  RuleCore core;
  Result<void> read = parts.read_core(document.node, utility.locals, core);
  if (!read) return read;
  utility.matcher = std::move(core.matcher);
  utility.constraints = std::move(core.constraints);
  utility.compiled = true;
  for (const Error& notice : parts.reader().notices()) notices.push_back({utility.id, notice});
  return {};
}

}  // namespace tinyarms::rules
