#include "pull/source.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>

namespace tinyarms::pull {
namespace {

constexpr size_t kTextMax = 2048;
constexpr size_t kSegmentMax = 96;

Error bad_source(std::string_view text, std::string what) {
  return Error{ErrorCode::InvalidArgument, std::move(what), std::string(text.substr(0, 200)),
               "NAME[:QUANT], hf:user/repo[:QUANT], an https:// address, a file or a folder"};
}

bool is_segment(std::string_view text) {
  return !text.empty() && text.size() <= kSegmentMax && text.front() != '.' &&
         text.find("..") == std::string_view::npos &&
         std::all_of(text.begin(), text.end(), [](unsigned char c) {
           return std::isalnum(c) || c == '-' || c == '_' || c == '.';
         });
}

bool is_quantisation_word(std::string_view text) {
  return !text.empty() && text.size() <= 32 &&
         std::all_of(text.begin(), text.end(),
                     [](unsigned char c) { return std::isalnum(c) || c == '_' || c == '-'; });
}

bool is_file_path(std::string_view text) {
  while (true) {
    const size_t slash = text.find('/');
    const std::string_view segment = text.substr(0, slash);
    if (segment.empty() || segment == "." || segment == "..") return false;
    for (const char c : segment) {
      if (static_cast<unsigned char>(c) < ' ' || c == 0x7f || c == '\\') return false;
    }
    if (slash == std::string_view::npos) return true;
    text.remove_prefix(slash + 1);
  }
}

Result<PullSource> parse_hub(std::string_view whole) {
  PullSource source;
  source.kind = PullSource::Kind::Hub;
  std::string_view text = whole.substr(3);
  while (text.starts_with('/')) text.remove_prefix(1);
  const size_t slash = text.find('/');
  if (slash == std::string_view::npos) return bad_source(whole, "names no user and repository");
  const std::string_view user = text.substr(0, slash);
  text.remove_prefix(slash + 1);
  const size_t file = text.find('/');
  if (file != std::string_view::npos) {
    source.file = text.substr(file + 1);
    text = text.substr(0, file);
    if (!is_file_path(source.file)) return bad_source(whole, "names no file of a repository");
  } else if (const size_t colon = text.find(':'); colon != std::string_view::npos) {
    source.quantisation = text.substr(colon + 1);
    text = text.substr(0, colon);
    if (!is_quantisation_word(source.quantisation)) {
      return bad_source(whole, "what stands after ':' is no quantisation");
    }
  }
  if (const size_t at = text.find('@'); at != std::string_view::npos) {
    source.revision = text.substr(at + 1);
    text = text.substr(0, at);
    if (!is_segment(source.revision)) return bad_source(whole, "what stands after '@' is no "
                                                               "revision");
  }
  if (!is_segment(user) || !is_segment(text)) {
    return bad_source(whole, "names no user and repository");
  }
  source.repository = fmt::format("{}/{}", user, text);
  return source;
}

std::string upper(std::string_view text) {
  std::string made(text);
  for (char& c : made) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return made;
}

}  // namespace

Result<PullSource> parse_source(std::string_view text, const IsThere& is_there) {
  if (text.empty() || text.size() > kTextMax ||
      std::any_of(text.begin(), text.end(),
                  [](unsigned char c) { return c < ' ' || c == 0x7f; })) {
    return bad_source(text, "this names no model");
  }
  PullSource source;
  if (text.starts_with("file://")) {
    source.kind = PullSource::Kind::Path;
    source.path = std::string(text.substr(7));
    return source;
  }
  if (text.find("://") != std::string_view::npos) {
    source.kind = PullSource::Kind::Url;
    source.url = text;
    return source;
  }
  if (text.starts_with("hf:") || text.starts_with("hf.co/")) {
    return parse_hub(text.starts_with("hf:") ? std::string(text)
                                             : "hf:" + std::string(text.substr(6)));
  }
  if (is_there(std::filesystem::path(text)) || text.find('/') != std::string_view::npos ||
      text.ends_with(".gguf")) {
    source.kind = PullSource::Kind::Path;
    source.path = std::string(text);
    return source;
  }
  const size_t colon = text.find(':');
  source.name = text.substr(0, colon);
  if (colon != std::string_view::npos) source.quantisation = text.substr(colon + 1);
  if (!is_segment(source.name) ||
      (colon != std::string_view::npos && !is_quantisation_word(source.quantisation))) {
    return bad_source(text, "this names no model");
  }
  return source;
}

// The last word of the name that looks like a type: "Q4_K_M", "IQ2_XXS", "F16", "BF16", "MXFP4".
std::string quantisation_in(std::string_view file_name) {
  std::string name = upper(file_name.substr(file_name.rfind('/') + 1));
  if (name.ends_with(".GGUF")) name.resize(name.size() - 5);
  if (const ShardName shard = shard_of(name + ".gguf"); shard.part != 0) name = shard.stem;
  std::string found;
  for (size_t at = 0; at < name.size(); ++at) {
    const bool begins = at == 0 || name[at - 1] == '-' || name[at - 1] == '.';
    if (!begins) continue;
    const std::string word = name.substr(at, name.find_first_of("-.", at) - at);
    const bool type =
        word == "F16" || word == "F32" || word == "BF16" || word == "MXFP4" ||
        (word.size() > 2 && word[0] == 'Q' && std::isdigit(static_cast<unsigned char>(word[1])) &&
         word[2] == '_') ||
        (word.size() > 3 && word.starts_with("IQ") &&
         std::isdigit(static_cast<unsigned char>(word[2])) && word[3] == '_') ||
        (word.size() > 3 && word.starts_with("TQ") &&
         std::isdigit(static_cast<unsigned char>(word[2])) && word[3] == '_');
    if (type) found = word;
  }
  return found;
}

ShardName shard_of(std::string_view file_name) {
  constexpr size_t kDigits = 5;
  constexpr std::string_view kOf = "-of-";
  constexpr size_t kTail = 1 + kDigits + kOf.size() + kDigits;
  std::string_view name = file_name.substr(file_name.rfind('/') + 1);
  if (!name.ends_with(".gguf")) return {};
  name.remove_suffix(5);
  if (name.size() <= kTail) return {};
  const std::string_view tail = name.substr(name.size() - kTail);
  const auto number = [](std::string_view digits) {
    int value = 0;
    const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    return parsed.ec == std::errc() && parsed.ptr == digits.data() + digits.size() ? value : 0;
  };
  ShardName shard{.stem = std::string(name.substr(0, name.size() - kTail)),
                  .part = number(tail.substr(1, kDigits)),
                  .parts = number(tail.substr(1 + kDigits + kOf.size()))};
  const bool sound = tail.front() == '-' &&
                     upper(tail.substr(1 + kDigits, kOf.size())) == "-OF-" && shard.part > 0 &&
                     shard.part <= shard.parts && shard.parts <= 999;
  return sound ? shard : ShardName{};
}

}  // namespace tinyarms::pull
