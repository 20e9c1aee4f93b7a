#include "service/policy_file.h"

#include <fmt/format.h>

#include "service/toml_reader.h"

namespace tinyarms::service {
namespace {

using cascade::Level;
using cascade::PolicyRule;
using cascade::PolicyTerms;
using cascade::TierTerms;

class Reader : public TomlReader {
 public:
  using TomlReader::TomlReader;

  double share(const TomlNode& node) { return number(node, 0, 1); }
  double amount(const TomlNode& node) { return number(node, 0, 1e12); }

  // A list, or one text alone.
  std::vector<std::string> words(const TomlNode& node) {
    if (const auto* one = std::get_if<std::string>(&node.value)) return {*one};
    return texts(node);
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
    rule.words = reader.words(entry);
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
