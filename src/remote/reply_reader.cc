#include "remote/reply_reader.h"

#include "remote/json_fields.h"

namespace tinyarms::remote {
namespace {

constexpr size_t kToolCallsMax = 128;

}  // namespace

void ReplyReader::take_text(const std::string& text) {
  started_ = true;
  reply_.text += text;
  if (sinks_.on_text) sinks_.on_text(text);
}

void ReplyReader::take_tool(ToolDelta delta) {
  auto& calls = reply_.tool_calls;
  if (delta.index > calls.size() || delta.index >= kToolCallsMax) return;
  started_ = true;
  const bool begins = delta.index == calls.size();
  if (begins ? delta.name.empty() : delta.arguments.empty()) return;
  if (begins) {
    calls.push_back({delta.id, delta.name, ""});
  } else {
    delta.id.clear();  // some engines repeat both
    delta.name.clear();
  }
  calls[delta.index].arguments += delta.arguments;
  if (sinks_.on_tool) sinks_.on_tool(delta);
}

Error ReplyReader::broken_off(std::string_view data) {
  engine_words_ = error_words(data);
  return Error{ErrorCode::Unavailable, "the engine broke off", "", ""};
}

Error ReplyReader::not_a_reply() {
  return Error{ErrorCode::Corrupt, "the reply is not a chat completion", "",
               "is this the address of such an API, and l4.kind the right one?"};
}

std::string error_words(std::string_view body) {
  constexpr size_t kBytesMax = 300;
  const auto parsed = nlohmann::json::parse(body, nullptr, false);
  const nlohmann::json& error = member(parsed, "error");
  std::string words = error.is_string() ? text_of(error) : text_of(member(error, "message"));
  if (words.empty()) words = text_of(member(parsed, "message"));
  std::string line;
  for (const char c : words) {
    if (line.size() == kBytesMax) break;
    const auto byte = static_cast<unsigned char>(c);
    line += byte < ' ' || byte > '~' ? ' ' : c;
  }
  return line;
}

}  // namespace tinyarms::remote
