#include "encoder/wordpiece.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <limits>

#include "base/utf8.h"
#include "encoder/unicode_tables.h"

namespace tinyarms::encoder {
namespace {

constexpr std::string_view kWordMark = "▁";
constexpr size_t kPieceBytesMax = 1024;
constexpr uint64_t kHashSeed = 0xcbf29ce484222325;

// FNV-1a: a piece's hash is that of the piece one byte shorter and one step.
uint64_t extend(uint64_t hash, char byte) {
  return (hash ^ static_cast<unsigned char>(byte)) * 0x100000001b3;
}

size_t home(uint64_t hash, size_t slots) { return (hash ^ (hash >> 29)) & (slots - 1); }

bool contains(std::span<const CodeRange> ranges, uint32_t code) {
  const auto after = std::upper_bound(
      ranges.begin(), ranges.end(), code,
      [](uint32_t value, const CodeRange& range) { return value < range.first; });
  return after != ranges.begin() && code <= std::prev(after)->last;
}

uint32_t mapped(std::span<const CodeRun> runs, uint32_t code) {
  const auto after =
      std::upper_bound(runs.begin(), runs.end(), code,
                       [](uint32_t value, const CodeRun& run) { return value < run.first; });
  if (after == runs.begin()) return code;
  const CodeRun& run = *std::prev(after);
  const uint32_t steps = (code - run.first) / run.step;
  if (steps >= run.count || run.first + steps * run.step != code) return code;
  return run.target + steps * run.target_step;
}

bool is_space(uint32_t code) {
  return (code >= 0x09 && code <= 0x0d) || code == 0x20 || code == 0x85 || code == 0xa0 ||
         code == 0x1680 || (code >= 0x2000 && code <= 0x200a) || code == 0x2028 ||
         code == 0x2029 || code == 0x202f || code == 0x205f || code == 0x3000;
}

bool is_chinese(uint32_t code) {
  return (code >= 0x4e00 && code <= 0x9fff) || (code >= 0x3400 && code <= 0x4dbf) ||
         (code >= 0x20000 && code <= 0x2a6df) || (code >= 0x2a700 && code <= 0x2b73f) ||
         (code >= 0x2b740 && code <= 0x2ceaf) || (code >= 0xf900 && code <= 0xfaff) ||
         (code >= 0x2f800 && code <= 0x2fa1f);
}

// Every ASCII character that is neither letter, digit, space nor control counts.
bool is_punctuation(uint32_t code) {
  if (code >= 0x80) return contains(unicode_categories().punctuation, code);
  return (code >= 0x21 && code <= 0x2f) || (code >= 0x3a && code <= 0x40) ||
         (code >= 0x5b && code <= 0x60) || (code >= 0x7b && code <= 0x7e);
}

// Replaced bytes (U+FFFD) say nothing.
bool is_dropped(uint32_t code) {
  if (code < 0x80) return code < 0x20 || code == 0x7f;
  return code == 0xfffd || contains(unicode_categories().invisible, code);
}

void append_utf8(uint32_t code, std::string& text) {
  const auto add = [&](uint32_t byte) { text.push_back(static_cast<char>(byte)); };
  if (code < 0x80) return add(code);
  if (code < 0x800) {
    add(0xc0 | (code >> 6));
  } else {
    if (code < 0x10000) {
      add(0xe0 | (code >> 12));
    } else {
      add(0xf0 | (code >> 18));
      add(0x80 | ((code >> 12) & 0x3f));
    }
    add(0x80 | ((code >> 6) & 0x3f));
  }
  add(0x80 | (code & 0x3f));
}

// `text` is valid UTF-8.
uint32_t next_code(std::string_view text, size_t& at) {
  const auto byte = [&] { return static_cast<unsigned char>(text[at++]); };
  const uint32_t first = byte();
  if (first < 0x80) return first;
  int more = first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : 1;
  uint32_t code = first & (0x3fu >> more);
  for (; more > 0; --more) code = (code << 6) | (byte() & 0x3fu);
  return code;
}

// Calls `use` with what is left of `code` once its accents are gone.
template <typename Use>
void without_accents(uint32_t code, const Use& use) {
  constexpr uint32_t kHangul = 0xac00, kHangulEnd = 0xd7a3;  // the Unicode standard, 3.12
  if (code >= kHangul && code <= kHangulEnd) {
    const uint32_t syllable = code - kHangul;
    use(0x1100 + syllable / (21 * 28));
    use(0x1161 + syllable / 28 % 21);
    if (syllable % 28 != 0) use(0x11a7 + syllable % 28);
    return;
  }
  if (contains(unicode_categories().accents, code)) return;
  const UnaccentedForms forms = unaccented_forms();
  const auto expansion = std::lower_bound(
      forms.several.begin(), forms.several.end(), code,
      [](const CodeExpansion& entry, uint32_t value) { return entry.code < value; });
  if (expansion == forms.several.end() || expansion->code != code) {
    return use(mapped(forms.one, code));
  }
  for (const uint32_t to : expansion->to) {
    if (to != 0) use(to);
  }
}

}  // namespace

Result<WordPiece> WordPiece::create(const std::vector<std::string_view>& pieces,
                                    WordPieceOptions options) {
  WordPiece result;
  result.options_ = options;
  size_t bytes = 0;
  for (const std::string_view piece : pieces) {
    bytes += piece.size();
    result.piece_bytes_max_ = std::max(result.piece_bytes_max_, piece.size());
  }
  if (options.unknown < 0 || static_cast<size_t>(options.unknown) >= pieces.size() ||
      pieces.size() > (1u << 24) || bytes > std::numeric_limits<uint32_t>::max() ||
      result.piece_bytes_max_ > kPieceBytesMax) {
    return Error{ErrorCode::Corrupt, "the vocabulary is not one of word pieces", "",
                 "import the model again"};
  }
  result.letters_.reserve(bytes);
  result.slots_.resize(std::bit_ceil(pieces.size() * 2 + 2));
  for (size_t id = 0; id < pieces.size(); ++id) {
    if (!pieces[id].empty()) result.insert(pieces[id], static_cast<int32_t>(id));
  }
  return result;
}

void WordPiece::insert(std::string_view piece, int32_t id) {
  uint64_t hash = kHashSeed;
  for (const char byte : piece) hash = extend(hash, byte);
  size_t at = home(hash, slots_.size());
  while (slots_[at].id >= 0) {
    Slot& slot = slots_[at];
    if (std::string_view(letters_).substr(slot.offset, slot.length) == piece) {
      slot.id = id;  // of equals the last, as libllama has it
      return;
    }
    at = (at + 1) & (slots_.size() - 1);
  }
  slots_[at] = {hash, static_cast<uint32_t>(letters_.size()), static_cast<uint32_t>(piece.size()),
                id};
  letters_.append(piece);
}

int32_t WordPiece::find(uint64_t hash, std::string_view piece) const {
  for (size_t at = home(hash, slots_.size()); slots_[at].id >= 0;
       at = (at + 1) & (slots_.size() - 1)) {
    const Slot& slot = slots_[at];
    if (slot.hash == hash &&
        std::string_view(letters_).substr(slot.offset, slot.length) == piece) {
      return slot.id;
    }
  }
  return -1;
}

// The longest piece first, then the longest of what is left; a word with a part that no piece
// covers is unknown as a whole.
void WordPiece::add_word(std::string_view word, std::vector<int32_t>& ids) const {
  const size_t before = ids.size();
  for (size_t at = 0; at < word.size();) {
    uint64_t hash = kHashSeed;
    int32_t best = -1;
    size_t best_bytes = 0;
    const size_t bytes_max = std::min(piece_bytes_max_, word.size() - at);
    for (size_t bytes = 1; bytes <= bytes_max; ++bytes) {
      hash = extend(hash, word[at + bytes - 1]);
      if (const int32_t id = find(hash, word.substr(at, bytes)); id >= 0) {
        best = id;
        best_bytes = bytes;
      }
    }
    if (best < 0) {
      ids.resize(before);
      ids.push_back(options_.unknown);
      return;
    }
    ids.push_back(best);
    at += best_bytes;
  }
}

Result<std::vector<int32_t>> WordPiece::tokenize(std::string_view text) const {
  if (const auto offset = find_invalid_utf8(text)) {
    return Error{ErrorCode::InvalidArgument,
                 fmt::format("the text is not valid UTF-8 at byte {}", *offset), "",
                 "convert it to UTF-8"};
  }
  std::vector<int32_t> ids;
  std::string word(kWordMark);
  const auto finish = [&] {
    if (word.size() > kWordMark.size()) add_word(word, ids);
    word.resize(kWordMark.size());
  };
  const auto take = [&](uint32_t code) {
    if (is_space(code)) return finish();
    if (is_dropped(code)) return;
    const bool alone = is_punctuation(code) || is_chinese(code);
    if (alone) finish();
    if (options_.lower_case) {
      code = code < 0x80 ? (code >= 'A' && code <= 'Z' ? code + 32 : code)
                         : mapped(unicode_lower(), code);
    }
    append_utf8(code, word);
    if (alone) finish();
  };
  for (size_t at = 0; at < text.size();) {
    const uint32_t code = next_code(text, at);
    if (options_.strip_accents && code >= 0x80) {
      without_accents(code, take);
    } else {
      take(code);
    }
  }
  finish();
  return ids;
}

}  // namespace tinyarms::encoder
