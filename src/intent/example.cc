#include "intent/example.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <initializer_list>
#include <map>
#include <nlohmann/json.hpp>

#include "base/utf8.h"

namespace tinyarms::intent {
namespace {

using ExampleJson = nlohmann::json;

constexpr size_t kTextBytesMax = 64 * 1024;
constexpr size_t kNameBytesMax = 64;
constexpr std::string_view kShape =
    R"(write {"text": "…", "intent": "code"}, one object a line)";

bool is_name(std::string_view name) {
  return !name.empty() && name.size() <= kNameBytesMax &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '-' || c == '_';
         });
}

const std::string* text_field(const ExampleJson& object, std::initializer_list<const char*> names) {
  for (const char* name : names) {
    const auto found = object.find(name);
    if (found != object.end()) return found->get_ptr<const std::string*>();
  }
  return nullptr;
}

Error bad(std::string what, const std::string& place) {
  return {ErrorCode::InvalidArgument, std::move(what), place, std::string(kShape)};
}

Result<Example> parse_line(std::string_view line, const std::string& place) {
  if (find_invalid_utf8(line)) return bad("is not UTF-8", place);
  const ExampleJson object = ExampleJson::parse(line, nullptr, false);
  if (object.is_discarded() || !object.is_object()) return bad("is not a JSON object", place);
  const std::string* text = text_field(object, {"text", "prompt", "question"});
  const std::string* intent = text_field(object, {"intent", "class", "label"});
  if (text == nullptr || text->find_first_not_of(" \t\r\n") == std::string::npos) {
    return bad("has no `text`", place);
  }
  if (intent == nullptr) return bad("has no `intent`", place);
  if (!is_name(*intent)) {
    return bad("an intent's name has 1 to 64 letters, digits, `-` and `_`", place);
  }
  if (text->size() > kTextBytesMax) {
    return bad(fmt::format("the text has {} bytes, {} are allowed", text->size(), kTextBytesMax),
               place);
  }
  return Example{*text, *intent};
}

}  // namespace

Result<std::vector<Example>> parse_examples(std::string_view bytes, const std::string& where) {
  std::vector<Example> examples;
  std::map<std::string, std::string, std::less<>> known;  // text → intent
  size_t number = 0;
  while (!bytes.empty()) {
    const size_t end = std::min(bytes.find('\n'), bytes.size());
    const std::string_view line = bytes.substr(0, end);
    bytes.remove_prefix(std::min(end + 1, bytes.size()));
    const std::string place = fmt::format("{}:{}", where, ++number);
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    auto example = parse_line(line, place);
    if (!example) return example.error();
    const auto [entry, fresh] = known.emplace(example->text, example->intent);
    if (fresh) {
      examples.push_back(std::move(*example));
    } else if (entry->second != example->intent) {
      return bad(fmt::format("the same text stood there before as `{}`", entry->second), place);
    }
  }
  if (examples.empty()) return bad("has no examples", where);
  return examples;
}

std::vector<Example> bundled_examples() {
  std::vector<Example> all;
  for (const EmbeddedFile& file : bundled_files()) {
    if (!file.name.ends_with(".jsonl")) continue;
    auto examples = parse_examples(file.bytes, std::string(file.name));
    assert(examples);  // our own, and tested
    if (examples) all.insert(all.end(), examples->begin(), examples->end());
  }
  return all;
}

}  // namespace tinyarms::intent
