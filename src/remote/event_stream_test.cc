#include "remote/event_stream.h"

#include <gtest/gtest.h>

#include <vector>

namespace tinyarms::remote {
namespace {

std::vector<std::string> events_of(std::string_view bytes, size_t step) {
  std::vector<std::string> events;
  EventStream stream([&](std::string_view data) { events.emplace_back(data); });
  for (size_t i = 0; i < bytes.size(); i += step) {
    EXPECT_TRUE(stream.feed(bytes.substr(i, step)));
  }
  return events;
}

TEST(EventStream, IsTheSameWhereverTheBytesAreCut) {
  const std::string text =
      "\xEF\xBB\xBF"
      "data: one\n\n"
      ": a comment\nevent: x\ndata:two\r\ndata:  2\r\n\r\n"
      "data\rdata: four\r\r"
      "id: 7\n\n"
      "data: not ended";
  const std::vector<std::string> expected = {"one", "two\n 2", "\nfour"};
  for (size_t step = 1; step <= text.size(); ++step) EXPECT_EQ(events_of(text, step), expected);
}

TEST(EventStream, AnEventWithoutEndIsRefused) {
  EventStream stream([](std::string_view) { FAIL() << "nothing was ended"; });
  const std::string piece(1 << 20, 'x');
  Result<void> fed;
  for (int i = 0; i < 8 && fed; ++i) fed = stream.feed(piece);
  ASSERT_FALSE(fed);
  EXPECT_EQ(fed.error().code, ErrorCode::Corrupt);
}

}  // namespace
}  // namespace tinyarms::remote
