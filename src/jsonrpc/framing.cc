#include "jsonrpc/framing.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/ascii.h"

namespace tinyarms::jsonrpc {
namespace {

constexpr size_t kHeadBytesMax = 4 << 10;
constexpr std::string_view kHeadEnd = "\r\n\r\n";

// The length that a head names; nothing where it is no head, or names none or two.
std::optional<size_t> length_in(std::string_view head) {
  std::optional<size_t> length;
  while (!head.empty()) {
    const size_t end = std::min(head.find("\r\n"), head.size());
    const std::string_view line = head.substr(0, end);
    head.remove_prefix(std::min(end + 2, head.size()));
    const size_t colon = line.find(':');
    if (colon == std::string_view::npos) return std::nullopt;
    if (lowered(line.substr(0, colon)) != "content-length") continue;
    const std::string_view value = trimmed(line.substr(colon + 1), " ");
    size_t number = 0;
    const auto [rest, problem] = std::from_chars(value.begin(), value.end(), number);
    if (length || problem != std::errc() || rest != value.end()) return std::nullopt;
    length = number;
  }
  return length;
}

}  // namespace

void LineFraming::feed(std::string_view bytes) {
  if (skipping_) {
    const size_t end = bytes.find('\n');
    if (end == std::string_view::npos) return;
    bytes.remove_prefix(end + 1);
    skipping_ = false;
  }
  pending_ += bytes;
}

std::optional<Frame> LineFraming::next() {
  while (true) {
    const size_t end = pending_.find('\n', looked_at_);
    if (end == std::string::npos) {
      looked_at_ = pending_.size();
      if (pending_.size() > bytes_max_) {
        pending_.clear();
        looked_at_ = 0;
        skipping_ = true;
        return Frame{Frame::Kind::TooLarge, ""};
      }
      if (!closed_ || pending_.empty()) return std::nullopt;
      pending_ += '\n';
      continue;
    }
    std::string line = pending_.substr(0, end);
    pending_.erase(0, end + 1);
    looked_at_ = 0;
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (line.size() > bytes_max_) return Frame{Frame::Kind::TooLarge, ""};
    if (line.find_first_not_of(" \t") == std::string::npos) continue;
    return Frame{Frame::Kind::Message, std::move(line)};
  }
}

void HeaderFraming::feed(std::string_view bytes) {
  const size_t skipped = std::min(skip_, bytes.size());
  skip_ -= skipped;
  bytes.remove_prefix(skipped);
  if (!broken_) pending_ += bytes;
}

std::optional<Frame> HeaderFraming::next() {
  if (broken_ || skip_ > 0) return std::nullopt;
  const size_t end = pending_.find(kHeadEnd);
  if (end == std::string::npos && pending_.size() <= kHeadBytesMax) return std::nullopt;
  const auto length = end == std::string::npos || end > kHeadBytesMax
                          ? std::nullopt
                          : length_in(std::string_view(pending_).substr(0, end));
  if (!length) {
    broken_ = true;
    pending_.clear();
    return Frame{Frame::Kind::Malformed, ""};
  }
  const size_t begin = end + kHeadEnd.size();
  if (*length > bytes_max_) {
    const size_t here = std::min(*length, pending_.size() - begin);
    pending_.erase(0, begin + here);
    skip_ = *length - here;
    return Frame{Frame::Kind::TooLarge, ""};
  }
  if (pending_.size() - begin < *length) return std::nullopt;
  Frame frame{Frame::Kind::Message, pending_.substr(begin, *length)};
  pending_.erase(0, begin + *length);
  return frame;
}

std::string HeaderFraming::wrap(std::string_view text) {
  return fmt::format("Content-Length: {}\r\n\r\n{}", text.size(), text);
}

}  // namespace tinyarms::jsonrpc
