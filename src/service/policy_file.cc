#include "service/policy_file.h"

#include <fmt/format.h>

#include <cmath>

#include "base/nearest.h"
#include "service/config_file.h"

namespace tinyarms::service {
namespace {

using cascade::Level;
using cascade::PolicyRule;
using cascade::PolicyTerms;
using cascade::TierTerms;

// Walks the tree and keeps the first fault; what follows a fault is of no interest.
class Reader {
 public:
  explicit Reader(std::string file) : file_(std::move(file)) {}

  const std::optional<Error>& fault() const { return fault_; }

  void refuse(const TomlNode& node, std::string what, std::string hint) {
    if (fault_) return;
    fault_ = Error{ErrorCode::Config, std::move(what),
                   fmt::format("{}:{}:{}", file_, node.line, node.column), std::move(hint)};
  }

  void unknown(const TomlNode& node, const std::vector<std::string>& known) {
    const auto close = nearest(node.key, known);
    refuse(node, fmt::format("unknown key {}", printable(node.key)),
           close ? fmt::format("did you mean {}?", *close)
                 : fmt::format("known here: {}", fmt::join(known, ", ")));
  }

  // A finite number in [low, high].
  double number(const TomlNode& node, double low, double high) {
    const auto* whole = std::get_if<int64_t>(&node.value);
    const auto* real = std::get_if<double>(&node.value);
    const double value = whole != nullptr  ? static_cast<double>(*whole)
                         : real != nullptr ? *real
                                           : std::nan("");
    if (node.kind == TomlNode::Kind::Value && value >= low && value <= high) return value;
    refuse(node, fmt::format("{} is not a number from {} to {}", printable(node.key), low, high),
           "");
    return low;
  }
  double share(const TomlNode& node) { return number(node, 0, 1); }
  double amount(const TomlNode& node) { return number(node, 0, 1e12); }

  bool flag(const TomlNode& node) {
    if (const auto* value = std::get_if<bool>(&node.value)) return *value;
    refuse(node, fmt::format("{} is not true or false", printable(node.key)), "");
    return false;
  }

  std::string text(const TomlNode& node) {
    if (const auto* value = std::get_if<std::string>(&node.value)) {
      if (!value->empty()) return *value;
    }
    refuse(node, fmt::format("{} is not a text", printable(node.key)), "");
    return {};
  }

  std::vector<std::string> texts(const TomlNode& node) {
    if (const auto* one = std::get_if<std::string>(&node.value)) return {*one};
    if (const auto* many = std::get_if<std::vector<std::string>>(&node.value)) return *many;
    refuse(node, fmt::format("{} is not a list of texts", printable(node.key)), "");
    return {};
  }

  Level level(const TomlNode& node) {
    const auto* name = std::get_if<std::string>(&node.value);
    if (name != nullptr) {
      if (auto known = cascade::parse_level(*name)) return *known;
    }
    refuse(node, fmt::format("{} is not a tier", printable(node.key)),
           "the tiers are \"l0\" to \"l4\"");
    return Level::L0;
  }

  // True where the node is a table; else refuses it.
  bool table(const TomlNode& node) {
    if (node.kind == TomlNode::Kind::Table) return true;
    refuse(node, fmt::format("{} is not a table", printable(node.key)), "");
    return false;
  }

 private:
  std::string file_;
  std::optional<Error> fault_;
};

void read_rule_entry(Reader& reader, const TomlNode& entry, PolicyRule& rule) {
  if (entry.key == "at_least") {
    rule.at_least = reader.level(entry);
  } else if (entry.key == "at_most") {
    rule.at_most = reader.level(entry);
  } else if (entry.key == "threshold") {
    rule.threshold = reader.share(entry);
  } else if (auto level = cascade::parse_level(entry.key)) {
    rule.thresholds[*level] = reader.share(entry);
  } else if (entry.key == "name") {
    rule.name = reader.text(entry);
  } else if (entry.key == "group" || entry.key == "intent") {
    rule.group = reader.text(entry);
  } else if (entry.key == "words") {
    rule.words = reader.texts(entry);
    for (const std::string& word : rule.words) {
      if (word.empty()) reader.refuse(entry, "words holds an empty text", "it would match all");
    }
  } else {
    reader.unknown(entry, {"name", "group", "intent", "words", "at_least", "at_most", "threshold",
                           "l0", "l1", "l2", "l3", "l4"});
  }
}

PolicyRule read_rule(Reader& reader, const TomlNode& node, size_t number) {
  PolicyRule rule;
  rule.name = fmt::format("rule {}", number);
  if (!reader.table(node)) return rule;
  for (const TomlNode& entry : node.children) read_rule_entry(reader, entry, rule);
  if (rule.group.empty() && rule.words.empty()) {
    reader.refuse(node, "a rule names neither group nor words, and would never match",
                  "write words = [\"…\"] or group = \"…\"");
  }
  return rule;
}

// [group.code] and [intent.code] are rules that name the group.
void read_groups(Reader& reader, const TomlNode& node, PolicyTerms& terms) {
  if (!reader.table(node)) return;
  for (const TomlNode& group : node.children) {
    if (!reader.table(group)) return;
    PolicyRule rule;
    rule.name = group.key;
    rule.group = group.key;
    for (const TomlNode& entry : group.children) read_rule_entry(reader, entry, rule);
    terms.rules.push_back(std::move(rule));
  }
}

void read_tiers(Reader& reader, const TomlNode& node, PolicyTerms& terms) {
  if (!reader.table(node)) return;
  for (const TomlNode& tier : node.children) {
    const auto level = cascade::parse_level(tier.key);
    if (!level) return reader.unknown(tier, {"l0", "l1", "l2", "l3", "l4"});
    if (!reader.table(tier)) return;
    TierTerms& own = terms.tiers[*level];
    for (const TomlNode& entry : tier.children) {
      if (entry.key == "threshold") own.threshold = reader.share(entry);
      else if (entry.key == "accuracy") own.accuracy = reader.share(entry);
      else if (entry.key == "price") own.price = reader.amount(entry);
      else if (entry.key == "seconds") own.seconds = reader.amount(entry);
      else reader.unknown(entry, {"threshold", "price", "seconds", "accuracy"});
    }
  }
}

void read_entry(Reader& reader, const TomlNode& node, PolicyTerms& terms) {
  if (node.key == "tier") {
    read_tiers(reader, node, terms);
  } else if (node.key == "group" || node.key == "intent") {
    read_groups(reader, node, terms);
  } else if (node.key == "rule") {
    if (node.kind != TomlNode::Kind::Tables) {
      return reader.refuse(node, "rule is not a list of tables", "write [[rule]]");
    }
    for (const TomlNode& rule : node.children) {
      terms.rules.push_back(read_rule(reader, rule, terms.rules.size() + 1));
    }
  } else if (node.key == "worth_of_right") {
    terms.worth_of_right = reader.number(node, 1e-12, 1e12);
  } else if (node.key == "seconds_max") {
    terms.seconds_max = reader.amount(node);
  } else if (node.key == "cost_max") {
    terms.cost_max = reader.amount(node);
  } else if (node.key == "withhold_below") {
    terms.withhold_below = reader.share(node);
  } else if (node.key == "certified_only") {
    terms.certified_only = reader.flag(node);
  } else if (node.key == "safe_threshold") {
    terms.safe_threshold = reader.share(node);
  } else if (node.key == "explore") {
    terms.explore = reader.number(node, 0, 0.5);
  } else {
    reader.unknown(node, {"worth_of_right", "seconds_max", "cost_max", "withhold_below",
                          "certified_only", "safe_threshold", "explore", "tier", "group", "intent",
                          "rule"});
  }
}

}  // namespace

Result<PolicyTerms> read_policy_file(const std::filesystem::path& path) {
  auto tree = read_toml_tree(path);
  if (!tree) return tree.error();
  Reader reader(printable(path.string(), 4096));
  PolicyTerms terms;
  for (const TomlNode& node : tree->children) read_entry(reader, node, terms);
  if (reader.fault()) return *reader.fault();
  return terms;
}

}  // namespace tinyarms::service
