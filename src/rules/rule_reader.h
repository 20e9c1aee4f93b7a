// From YAML to compiled rules: one RuleReader a rule document, with the names that it may use.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "rules/compiled.h"
#include "rules/matcher.h"
#include "rules/yaml_document.h"

namespace tinyarms::rules {

// What all rules of a set share while they are read.
struct ReadingContext {
  std::map<std::string, Utility*, std::less<>> globals;
  std::map<std::string, std::shared_ptr<const TextRegex>, std::less<>> regexes;
  int memos = 0;  // numbers given out
};

class RuleReader {
 public:
  RuleReader(ReadingContext& context, std::string_view file, const Language& language,
             SlotTable& slots)
      : context_(context), file_(file), language_(language), slots_(slots) {}

  // Notices of what is tolerated: "file:line:column" and what.
  const std::vector<Error>& notices() const { return notices_; }

  // Parameters of the utility rule that is being read.
  void allow_parameters(std::vector<std::string> names) { parameters_ = std::move(names); }

  // The map under `utils:`; the utilities are added to `store`, in the order of their dependence.
  Result<void> read_utilities(const YamlNode& map, std::vector<std::unique_ptr<Utility>>& store);

  // A rule object. Of a relation, `stopBy` and `field` are left for the caller.
  Result<Matcher> read_matcher(const YamlNode& map, bool of_relation = false);
  Result<StopBy> read_stop_by(const YamlNode& relation);
  Result<Matcher> read_selector(const YamlNode& node, std::string_view text);

  // Errors with the place of the node.
  Error wrong(const YamlNode& node, std::string what) const;
  void notice(const YamlNode& node, std::string what);

 private:
  friend class SelectorReader;

  Result<Matcher> read_key(std::string_view key, const YamlNode& value);
  Result<Matcher> read_pattern(const YamlNode& value);
  Result<Matcher> read_regex(const YamlNode& value);
  Result<Matcher> read_nth_child(const YamlNode& value);
  Result<Matcher> read_range(const YamlNode& value);
  Result<Matcher> read_list(Matcher::Op op, const YamlNode& value);
  Result<Matcher> read_relation(Matcher::Op op, const YamlNode& value);
  Result<Matcher> read_matches(const YamlNode& value);
  Result<Matcher> read_call(const YamlNode& key, const YamlNode& arguments);
  Result<void> check_keys(const YamlNode& map, bool of_relation);
  const Utility* find_utility(std::string_view id) const;
  Matcher finish(Matcher matcher);
  Result<Matcher> kind_matcher(const YamlNode& node, std::string_view kind);

  ReadingContext& context_;
  std::string_view file_;
  const Language& language_;
  SlotTable& slots_;
  std::map<std::string, Utility*, std::less<>> locals_;
  std::vector<std::string> parameters_;
  std::vector<Error> notices_;
  int relations_ = 0;  // how many we are inside of
};

// Which utilities a rule object asks about its own node (matches, all, any, not: not relations,
// which look at other nodes and so may be recursive).
void collect_dependencies(const YamlNode& rule, std::set<std::string, std::less<>>& names);

// The names in an order in which each comes after those it depends on. Error: Config, naming the
// cycle.
Result<std::vector<std::string>> order_by_dependence(
    const std::map<std::string, std::set<std::string, std::less<>>>& graph);

}  // namespace tinyarms::rules
