// Fences as CommonMark 0.31 has them (section 4.5), outside of lists and quotes.
#include "rules/code_blocks.h"

#include <algorithm>
#include <optional>

namespace tinyarms::rules {
namespace {

constexpr std::string_view kBlank = " \t\r";

struct Fence {
  char mark = 0;
  size_t length = 0;
  size_t indent = 0;
  std::string_view info;
};

std::string_view take_line(std::string_view& rest) {
  const size_t end = rest.find('\n');
  const std::string_view line = rest.substr(0, end);
  rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  return line;
}

std::string_view trim(std::string_view text) {
  const size_t start = text.find_first_not_of(kBlank);
  if (start == std::string_view::npos) return {};
  return text.substr(start, text.find_last_not_of(kBlank) - start + 1);
}

std::optional<Fence> read_fence(std::string_view line) {
  Fence fence;
  fence.indent = std::min(line.find_first_not_of(' '), line.size());
  if (fence.indent > 3 || fence.indent == line.size()) return std::nullopt;
  line.remove_prefix(fence.indent);
  fence.mark = line.front();
  if (fence.mark != '`' && fence.mark != '~') return std::nullopt;
  fence.length = std::min(line.find_first_not_of(fence.mark), line.size());
  if (fence.length < 3) return std::nullopt;
  fence.info = trim(line.substr(fence.length));
  // A backtick in the info string means that this is inline code.
  if (fence.mark == '`' && fence.info.find('`') != std::string_view::npos) return std::nullopt;
  return fence;
}

bool closes(const Fence& open, std::string_view line) {
  const std::optional<Fence> fence = read_fence(line);
  return fence && fence->mark == open.mark && fence->length >= open.length && fence->info.empty();
}

// The first word of the info string; "{.python}" and "python,ignore" are in use as well.
std::string language_of(std::string_view info) {
  const size_t start = info.find_first_not_of("{. ");
  if (start == std::string_view::npos) return {};
  info.remove_prefix(start);
  return normalise_language(info.substr(0, info.find_first_of(" \t,{}:;")));
}

}  // namespace

SplitText split_code_blocks(std::string_view markdown) {
  SplitText result;
  while (!markdown.empty()) {
    const std::string_view first = take_line(markdown);
    const std::optional<Fence> open = read_fence(first);
    if (!open) {
      result.prose.append(first);
      result.prose += '\n';
      continue;
    }
    result.prose += "\n\n";
    CodeBlock block;
    block.language = language_of(open->info);
    while (!markdown.empty()) {
      std::string_view line = take_line(markdown);
      if (closes(*open, line)) break;
      const size_t indent = std::min(line.find_first_not_of(' '), line.size());
      line.remove_prefix(std::min(indent, open->indent));
      block.code.append(line);
      block.code += '\n';
    }
    result.blocks.push_back(std::move(block));
  }
  return result;
}

std::vector<CodeBlock> extract_code_blocks(std::string_view markdown) {
  return split_code_blocks(markdown).blocks;
}

}  // namespace tinyarms::rules
