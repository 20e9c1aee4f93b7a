// Replies of remote engines: bytes as an engine sends them, taken apart into events and read as
// either API streams them, and as a whole reply. What is told piece by piece is what the reply
// holds.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "remote/chat_protocol.h"
#include "remote/event_stream.h"

namespace {

using namespace tinyarms;

void read_stream(remote::Api api, const remote::ChatOptions& options, std::string_view bytes) {
  std::string told;
  const auto reader = remote::protocol_of(api).reader(
      {.on_text = [&](std::string_view text) { told += text; }}, options);
  bool broken = false;
  remote::EventStream events([&](std::string_view data) {
    if (!broken && !reader->done()) broken = !reader->take_event(data);
  });
  const size_t half = bytes.size() / 2;
  if (events.feed(bytes.substr(0, half))) (void)events.feed(bytes.substr(half)).has_value();
  if (told != reader->reply().text) std::abort();
}

void read_whole(remote::Api api, const remote::ChatOptions& options, std::string_view bytes) {
  const auto reader = remote::protocol_of(api).reader({}, options);
  const bool taken = reader->take_object(bytes).has_value();
  if (taken && !reader->done()) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const remote::ChatOptions plain;
  const remote::ChatOptions by_schema{.json_schema = R"({"type":"object"})"};
  for (const remote::Api api : {remote::Api::OpenAi, remote::Api::Anthropic}) {
    for (const remote::ChatOptions* options : {&plain, &by_schema}) {
      read_stream(api, *options, bytes);
      read_whole(api, *options, bytes);
    }
  }
  return 0;
}
