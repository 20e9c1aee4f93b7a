#include "rules/transform.h"

#include <algorithm>

namespace tinyarms::rules {

std::optional<std::string> text_of_variable(const FlatTree& tree, const Environment& env,
                                            Slot slot, bool is_list) {
  if (is_list) {
    const std::span<const NodeIndex> list = env.list(slot);
    if (list.empty()) return std::nullopt;
    const uint32_t start = tree.start(list.front());
    return std::string(tree.text().substr(start, tree.end(list.back()) - start));
  }
  const NodeIndex node = env.single(slot);
  if (node != kNoNode) return std::string(tree.text(node));
  const std::string* transformed = env.transformed(slot);
  if (transformed == nullptr) return std::nullopt;
  return *transformed;
}

std::string substring(std::string_view text, std::optional<int32_t> start,
                      std::optional<int32_t> end) {
  std::vector<size_t> offsets;  // of characters
  for (size_t at = 0; at < text.size(); ++at) {
    if ((text[at] & 0xC0) != 0x80) offsets.push_back(at);
  }
  const auto length = static_cast<int64_t>(offsets.size());
  offsets.push_back(text.size());
  const auto resolve = [&](std::optional<int32_t> index, int64_t otherwise) {
    const int64_t at = index ? *index : otherwise;
    return static_cast<size_t>(std::clamp<int64_t>(at < 0 ? length + at : at, 0, length));
  };
  const size_t first = resolve(start, 0);
  const size_t last = resolve(end, length);
  if (first >= last) return "";
  return std::string(text.substr(offsets[first], offsets[last] - offsets[first]));
}

std::string apply_to_text(const Transform& transform, std::string_view text) {
  switch (transform.kind) {
    case Transform::Kind::Substring:
      return substring(text, transform.start, transform.end);
    case Transform::Kind::Replace:
      return transform.regex->replace_all(text, transform.by);
    case Transform::Kind::Convert:
      return convert_case(text, transform.to_case, transform.split);
    case Transform::Kind::Rewrite:
      break;
  }
  return std::string(text);
}

}  // namespace tinyarms::rules
