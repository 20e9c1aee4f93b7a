#include "rules/suppression.h"

#include <algorithm>

namespace tinyarms::rules {
namespace {

constexpr std::string_view kMark = "ast-grep-ignore";
constexpr std::string_view kBlanks = " \t\r\n\f\v";

std::string_view trim(std::string_view text) {
  const size_t start = text.find_first_not_of(kBlanks);
  if (start == std::string_view::npos) return {};
  return text.substr(start, text.find_last_not_of(kBlanks) - start + 1);
}

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c & 0x80) != 0;
}

// The mark must be the comment's first word: anything else is prose about it.
bool is_suppression(const FlatTree& tree, NodeIndex node) {
  const std::string_view text = tree.text(node);
  const auto letter = std::find_if(text.begin(), text.end(), is_letter);
  return std::string_view(tree.kind(node)).find("comment") != std::string_view::npos &&
         text.substr(static_cast<size_t>(letter - text.begin()), kMark.size()) == kMark;
}

}  // namespace

Suppressions::Suppressions(const FlatTree& tree) {
  const std::string_view text = tree.text();
  if (text.find(kMark) == std::string_view::npos) return;
  for (NodeIndex node = 0; node < tree.size(); ++node) {
    if (tree.end(node) - tree.start(node) < kMark.size() || !is_suppression(tree, node)) continue;
    add(tree, node);
    if (silence_all()) return;
  }
}

void Suppressions::add(const FlatTree& tree, NodeIndex node) {
  Comment comment;
  comment.range = {tree.start(node), tree.end(node)};
  const std::string_view text = trim(tree.text(node));
  const std::string_view after = trim(text.substr(text.find(kMark) + kMark.size()));
  const size_t colon = after.find(':');
  comment.all = colon == std::string_view::npos;
  for (std::string_view rest = comment.all ? "" : after.substr(colon + 1); !rest.empty();) {
    const size_t comma = std::min(rest.find(','), rest.size());
    std::string_view id = rest.substr(0, comma);
    const size_t start = std::min(id.find_first_not_of(kBlanks), id.size());
    id.remove_prefix(start);
    comment.rules.emplace_back(id.substr(0, id.find(' ')));
    rest.remove_prefix(std::min(comma + 1, rest.size()));
  }

  const auto start_line = [&](NodeIndex at) { return ts_node_start_point(tree.handle(at)).row; };
  const uint32_t line = start_line(node);
  const NodeIndex previous = tree.previous_sibling(node);
  const NodeIndex next = tree.next_sibling(node);
  const bool trails =
      previous != kNoNode && ts_node_end_point(tree.handle(previous)).row == line;
  const int index = static_cast<int>(comments_.size());
  comments_.push_back(std::move(comment));
  if (line == 0 && !trails && (next == kNoNode || start_line(next) >= 2)) {
    file_ = index;
  } else {
    by_line_[trails ? start_line(previous) : line + 1] = index;
  }
}

bool Suppressions::silences(int index, std::string_view rule) {
  Comment& comment = comments_[static_cast<size_t>(index)];
  const bool silent = comment.all || std::find(comment.rules.begin(), comment.rules.end(), rule) !=
                                         comment.rules.end();
  comment.used = comment.used || silent;
  return silent;
}

bool Suppressions::silence(std::string_view rule, uint32_t line) {
  if (comments_.empty()) return false;
  if (file_ >= 0 && silences(file_, rule)) return true;
  const auto entry = by_line_.find(line);
  return entry != by_line_.end() && silences(entry->second, rule);
}

std::vector<ByteRange> Suppressions::unused() const {
  std::vector<ByteRange> ranges;
  for (const Comment& comment : comments_) {
    if (!comment.used) ranges.push_back(comment.range);
  }
  return ranges;
}

}  // namespace tinyarms::rules
