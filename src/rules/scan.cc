#include "rules/scan.h"

#include <algorithm>

#include "base/utf8.h"
#include "rules/apply_rule.h"
#include "rules/bounded_parse.h"
#include "rules/compiled.h"
#include "rules/evaluator.h"
#include "rules/glob.h"
#include "rules/suppression.h"

namespace tinyarms::rules {

struct Scratch::Parts {
  ParseArena arena;
  FlatTree tree;
  Memo memo;
  Environment env;
  LiteralFilter::Found found;
  std::vector<uint8_t> active;                   // by place in LanguageRules::rules
  std::vector<std::vector<NodeIndex>> matches;   // beside it
  std::vector<std::vector<uint32_t>> wanted;     // by symbol: places of active rules
  size_t detail_bytes_left = 0;                  // of all pieces of the text
};

namespace {

// Visits of nodes by rules, all together.
constexpr uint64_t kStepsFree = 20'000'000;
constexpr uint64_t kStepsPerByte = 2'000;

// Texts that findings carry: of calls nested n deep, each is captured with all within it.
constexpr size_t kDetailBytesFree = size_t{64} << 20;
constexpr size_t kDetailBytesPerByte = 64;

size_t detail_bytes(const Finding& finding) {
  size_t bytes = finding.message.size();
  for (const Capture& capture : finding.captures) bytes += capture.text.size();
  for (const Fix& fix : finding.fixes) bytes += fix.replacement.size();
  return bytes;
}

// One text in one language.
class TextScan {
 public:
  TextScan(const RuleSet& set, const LanguageRules& rules, std::string_view text,
           const ScanOptions& options, Scratch::Parts& scratch)
      : set_(set), parts_(set.parts()), rules_(rules), text_(text), options_(options),
        scratch_(scratch) {}

  // Chooses the rules that could match; false: none.
  bool choose();
  // Parses `pieces` of the text, or all of it, and matches. After choose().
  void run(std::span<const TSRange> pieces, ScanResult& result);

 private:
  bool is_on(uint32_t rule) const;
  void match_all(Evaluator& evaluator);
  void report(Evaluator& evaluator, ScanResult& result);

  const RuleSet& set_;
  const RuleSetParts& parts_;
  const LanguageRules& rules_;
  std::string_view text_;
  const ScanOptions& options_;
  Scratch::Parts& scratch_;
};

bool TextScan::is_on(uint32_t rule) const {
  const RuleInfo& info = parts_.infos[rule];
  const Severity severity =
      options_.severities.empty() ? info.severity : options_.severities[rule];
  return severity != Severity::Off && applies_to(info, options_.path);
}

bool TextScan::choose() {
  rules_.filter.search(text_, scratch_.found);
  scratch_.active.assign(rules_.rules.size(), 0);
  bool any = false;
  for (size_t place = 0; place < rules_.rules.size(); ++place) {
    const uint32_t rule = rules_.rules[place];
    const bool chosen =
        rules_.filter.holds(parts_.rules[rule].formula, scratch_.found) && is_on(rule);
    scratch_.active[place] = chosen ? 1 : 0;
    any = any || chosen;
  }
  return any;
}

// Once through the tree; each node is shown to the rules that its kind could interest.
void TextScan::match_all(Evaluator& evaluator) {
  const FlatTree& tree = scratch_.tree;
  scratch_.matches.resize(std::max(scratch_.matches.size(), rules_.rules.size()));
  for (auto& matches : scratch_.matches) matches.clear();
  auto& wanted = scratch_.wanted;
  wanted.resize(std::max<size_t>(wanted.size(), rules_.symbols + 1u));
  for (auto& places : wanted) places.clear();
  for (uint32_t place = 0; place < rules_.rules.size(); ++place) {
    if (scratch_.active[place] == 0) continue;
    for (const uint32_t symbol : rules_.symbols_of[place]) wanted[symbol].push_back(place);
  }
  for (NodeIndex node = 0; node < tree.size() && !evaluator.exhausted(); ++node) {
    for (const uint32_t place : wanted[std::min<uint32_t>(tree.symbol(node), rules_.symbols)]) {
      const CompiledRule& rule = parts_.rules[rules_.rules[place]];
      scratch_.env.reset(rule.slots.size());
      const NodeIndex matched =
          apply_core(evaluator, rule, rule.core, node, scratch_.env, false);
      if (matched != kNoNode && !evaluator.exhausted()) scratch_.matches[place].push_back(node);
    }
  }
}

void TextScan::report(Evaluator& evaluator, ScanResult& result) {
  const FlatTree& tree = scratch_.tree;
  Suppressions suppressions(tree);
  if (suppressions.silence_all()) return;
  for (size_t place = 0; place < rules_.rules.size(); ++place) {
    const uint32_t rule = rules_.rules[place];
    const RuleInfo& info = parts_.infos[rule];
    for (const NodeIndex node : scratch_.matches[place]) {
      if (suppressions.silence(info.id, ts_node_start_point(tree.handle(node)).row)) continue;
      if (result.findings.size() >= options_.findings_max) {
        ++result.more;
        continue;
      }
      if (!options_.details) {
        Finding finding;
        finding.rule = &info;
        finding.range = {tree.start(node), tree.end(node)};
        result.findings.push_back(std::move(finding));
        continue;
      }
      result.findings.push_back(
          describe(evaluator, info, parts_.rules[rule], node, scratch_.env));
      const size_t bytes = detail_bytes(result.findings.back());
      if (bytes > scratch_.detail_bytes_left) {
        result.outcome = ScanResult::Outcome::GaveUp;
        return;
      }
      scratch_.detail_bytes_left -= bytes;
    }
  }
  for (const ByteRange& range : suppressions.unused()) result.unused_suppressions.push_back(range);
}

void TextScan::run(std::span<const TSRange> pieces, ScanResult& result) {
  scratch_.arena.reset();
  const TSTree* tree =
      parse_bounded(text_, rules_.language->grammar(), scratch_.arena, pieces);
  if (tree == nullptr) {
    result.outcome = ScanResult::Outcome::GaveUp;
    return;
  }
  scratch_.tree.build(tree, text_);
  scratch_.memo.clear();
  Evaluator evaluator(scratch_.tree, scratch_.memo, kStepsFree + kStepsPerByte * text_.size());
  match_all(evaluator);
  if (evaluator.exhausted()) result.outcome = ScanResult::Outcome::GaveUp;
  Evaluator describer(scratch_.tree, scratch_.memo, kStepsFree + kStepsPerByte * text_.size());
  report(describer, result);
}

// Pieces of other languages in a page: <script> and <style>, whose attribute `lang` may name which.
struct Island {
  const Language* language;
  TSRange range;
};

const Language* island_language(const FlatTree& tree, NodeIndex element, std::string_view usual) {
  std::string_view name;
  for (NodeIndex node = element; node < tree.subtree_end(element); ++node) {
    const std::string_view kind = tree.kind(node);
    if (kind == "attribute_name") name = tree.text(node);
    if (kind == "attribute_value" && name == "lang") return find_language(tree.text(node));
  }
  return find_language(usual);
}

std::vector<Island> find_islands(const FlatTree& tree) {
  std::vector<Island> islands;
  for (NodeIndex node = 0; node < tree.size(); ++node) {
    const std::string_view kind = tree.kind(node);
    const bool script = kind == "script_element";
    if (!script && kind != "style_element") continue;
    const Language* language = island_language(tree, node, script ? "javascript" : "css");
    for (NodeIndex child = tree.first_child(node); child != kNoNode && language != nullptr;
         child = tree.next_sibling(child)) {
      if (std::string_view(tree.kind(child)) != "raw_text") continue;
      const TSNode handle = tree.handle(child);
      islands.push_back({language, {ts_node_start_point(handle), ts_node_end_point(handle),
                                    tree.start(child), tree.end(child)}});
      break;
    }
  }
  return islands;
}

void scan_islands(const RuleSet& rules, std::string_view text, const ScanOptions& options,
                  Scratch::Parts& scratch, ScanResult& result) {
  scratch.arena.reset();
  const TSTree* page =
      parse_bounded(text, find_language("html")->grammar(), scratch.arena, {});
  if (page == nullptr) {
    result.outcome = ScanResult::Outcome::GaveUp;
    return;
  }
  scratch.tree.build(page, text);
  for (const Island& island : find_islands(scratch.tree)) {
    const LanguageRules* of = rules.parts().find(*island.language);
    if (of == nullptr) continue;
    TextScan piece(rules, *of, text, options, scratch);
    if (piece.choose()) piece.run({&island.range, 1}, result);
  }
}

const Language* language_of(const ScanOptions& options) {
  return options.language != nullptr ? options.language : language_of_path(options.path);
}

}  // namespace

Scratch::Scratch() : parts_(std::make_unique<Parts>()) {}
Scratch::~Scratch() = default;
Scratch::Scratch(Scratch&&) noexcept = default;
Scratch& Scratch::operator=(Scratch&&) noexcept = default;

bool may_match(const RuleSet& rules, std::string_view text, const ScanOptions& options,
               Scratch& scratch) {
  const Language* language = language_of(options);
  if (language == nullptr) return false;
  for (const LanguageRules& of : rules.parts().languages) {
    if (of.language != language && language->name != "html") continue;
    if (TextScan(rules, of, text, options, scratch.parts()).choose()) return true;
  }
  return false;
}

ScanResult scan(const RuleSet& rules, std::string_view text, const ScanOptions& options,
                Scratch& scratch) {
  ScanResult result;
  const Language* language = language_of(options);
  if (language == nullptr) {
    result.outcome = ScanResult::Outcome::NoLanguage;
    return result;
  }
  if (text.size() > options.bytes_max || text.size() > kScanBytesMax) {
    result.outcome = ScanResult::Outcome::TooLarge;
    return result;
  }
  const LanguageRules* of = rules.parts().find(*language);
  const auto chosen = [&](const LanguageRules& some) {
    return TextScan(rules, some, text, options, scratch.parts()).choose();
  };
  bool islands_wanted = false;
  if (language->name == "html") {
    for (const LanguageRules& other : rules.parts().languages) {
      islands_wanted = islands_wanted || (&other != of && chosen(other));
    }
  }
  const bool wanted = of != nullptr && chosen(*of);
  if (!wanted && !islands_wanted) {
    result.outcome = ScanResult::Outcome::Unneeded;
    return result;
  }
  if (find_invalid_utf8(text)) {
    result.outcome = ScanResult::Outcome::InvalidText;
    return result;
  }
  scratch.parts().detail_bytes_left = kDetailBytesFree + kDetailBytesPerByte * text.size();
  if (wanted) TextScan(rules, *of, text, options, scratch.parts()).run({}, result);
  if (islands_wanted) scan_islands(rules, text, options, scratch.parts(), result);
  return result;
}

bool applies_to(const RuleInfo& rule, std::string_view path) {
  const auto holds = [&](const FileGlob& glob) {
    return matches_glob(glob.glob, path, glob.any_case);
  };
  if (std::any_of(rule.ignores.begin(), rule.ignores.end(), holds)) return false;
  return !rule.has_files || std::any_of(rule.files.begin(), rule.files.end(), holds);
}

}  // namespace tinyarms::rules
