#include "storage/question_key.h"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace tinyarms::storage {
namespace {

// White space of Unicode that stays within a line; CR and LF are dealt with before. U+0085,
// U+2028 and U+2029 break lines but never stand in code, so they fold like spaces.
constexpr std::string_view kSpaces[] = {
    " ", "\t", "\v", "\f",
    "\xC2\x85", "\xC2\xA0", "\xE1\x9A\x80",                                    // 0085 00A0 1680
    "\xE2\x80\x80", "\xE2\x80\x81", "\xE2\x80\x82", "\xE2\x80\x83",            // 2000 to 2003
    "\xE2\x80\x84", "\xE2\x80\x85", "\xE2\x80\x86", "\xE2\x80\x87",            // 2004 to 2007
    "\xE2\x80\x88", "\xE2\x80\x89", "\xE2\x80\x8A", "\xE2\x80\xA8",            // 2008 to 2028
    "\xE2\x80\xA9", "\xE2\x80\xAF", "\xE2\x81\x9F", "\xE3\x80\x80",            // 2029 to 3000
};
constexpr std::string_view kFinalMarks[] = {
    ".", "?", "!", "\xE2\x80\xA6",                         // 2026
    "\xE3\x80\x82", "\xEF\xBC\x9F", "\xEF\xBC\x81",  // 3002 FF1F FF01
};
constexpr size_t kFinalWordLettersMin = 3;

size_t space_length(std::string_view text) {
  for (std::string_view space : kSpaces) {
    if (text.starts_with(space)) return space.size();
  }
  return 0;
}

bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
bool is_letter(char c) {
  return is_lower(c) || is_upper(c) || static_cast<unsigned char>(c) >= 0x80;
}

std::string with_line_feeds(std::string_view text) {
  std::string lines;
  lines.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\r') {
      lines += text[i];
    } else if (i + 1 >= text.size() || text[i + 1] != '\n') {
      lines += '\n';
    }
  }
  return lines;
}

// A run of backticks up to the next run of the same length, or a pair of double quotes on one
// line: how many bytes are to be kept as they are. 0 where none begins, or it has no end.
size_t verbatim_length(std::string_view text) {
  if (text.starts_with('"')) {
    const size_t end = text.find_first_of("\"\n", 1);
    return end == std::string_view::npos || text[end] == '\n' ? 0 : end + 1;
  }
  const size_t ticks = std::min(text.find_first_not_of('`'), text.size());
  if (ticks == 0) return 0;
  for (size_t at = text.find('`', ticks); at != std::string_view::npos;) {
    const size_t run = std::min(text.find_first_not_of('`', at), text.size()) - at;
    if (run == ticks) return at + run;
    at = text.find('`', at + run);
  }
  return 0;
}

// One question being folded: `done` so far, and how much of it may not change any more.
struct Folding {
  std::string done;
  size_t verbatim_end = 0;

  bool at_line_start() const { return done.empty() || done.back() == '\n'; }
  void drop_final_spaces() {
    while (done.size() > verbatim_end && done.back() == ' ') done.pop_back();
  }
};

Folding fold_white_space(std::string_view text) {
  Folding folding;
  while (!text.empty()) {
    size_t length = verbatim_length(text);
    if (length > 0) {
      folding.done += text.substr(0, length);
      folding.verbatim_end = folding.done.size();
    } else if (text.front() == '\n') {
      length = 1;
      folding.drop_final_spaces();
      if (!folding.at_line_start()) folding.done += '\n';
    } else if (size_t space = space_length(text); space > 0) {
      while (size_t more = space_length(text.substr(length))) length += more;
      const bool indents = folding.at_line_start() && !folding.done.empty();
      const bool blank = length == text.size() || text[length] == '\n';
      if (indents && !blank) {
        folding.done += text.substr(0, length);
      } else if (!folding.at_line_start() && !blank) {
        folding.done += ' ';
      }
    } else {
      // To the next byte that could mean something; a tick or quote that opens nothing is text.
      length = std::min(text.find_first_of("`\"\n \t\v\f\xC2\xE1\xE2\xE3", 1), text.size());
      if (text.front() == '`') length = std::min(text.find_first_not_of('`'), text.size());
      folding.done += text.substr(0, length);
    }
    text.remove_prefix(length);
  }
  while (folding.done.size() > folding.verbatim_end && folding.done.back() == '\n') {
    folding.done.pop_back();
  }
  return folding;
}

void fold_final_marks(Folding& folding) {
  std::string_view text = folding.done;
  for (bool dropped = true; dropped;) {
    dropped = false;
    for (std::string_view mark : kFinalMarks) {
      if (text.size() >= folding.verbatim_end + mark.size() && text.ends_with(mark)) {
        text.remove_suffix(mark.size());
        dropped = true;
      }
    }
  }
  if (text.size() == folding.done.size()) return;
  const size_t before_word = text.find_last_of(" \n");
  const std::string_view word =
      text.substr(before_word == std::string_view::npos ? 0 : before_word + 1);
  const bool whole_word = word.size() >= kFinalWordLettersMin &&
                          text.size() >= folding.verbatim_end + word.size() &&
                          space_length(word) == 0 &&  // an indentation of wide spaces
                          std::all_of(word.begin(), word.end(), is_letter);
  if (whole_word) folding.done.resize(text.size());
}

void fold_initial_capital(std::string& text) {
  if (text.empty() || !is_upper(text[0])) return;
  const size_t end = std::min(text.find_first_of(" \n"), text.size());
  if (end >= 2 && std::all_of(text.begin() + 1, text.begin() + static_cast<std::ptrdiff_t>(end),
                              is_lower)) {
    text[0] = static_cast<char>(text[0] - 'A' + 'a');
  }
}

}  // namespace

std::string normalise_question(std::string_view question) {
  const std::string lines = with_line_feeds(question);
  Folding folding = fold_white_space(lines);
  fold_final_marks(folding);
  fold_initial_capital(folding.done);
  return std::move(folding.done);
}

}  // namespace tinyarms::storage
