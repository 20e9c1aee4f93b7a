#include "engine/snapshots/snapshot_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <cstring>

#include "base/sha256.h"

namespace tinyarms::engine {
namespace {

constexpr char kMark[8] = {'t', 'i', 'n', 'y', 'p', 'f', 'x', '\n'};
constexpr uint32_t kVersion = 1;
constexpr size_t kHexBytes = 64;

struct Head {
  char mark[8];
  uint32_t version;
  uint32_t tokens;
  uint64_t state_bytes;
  double seconds;
  double created_at;
  char binding[kHexBytes];
  char scope[kHexBytes];
  char state_hash[kHexBytes];
  char model[kHexBytes];
};
static_assert(sizeof(Head) == kSnapshotHeadBytes);

Head read_head(std::string_view bytes) {
  Head head{};
  std::memcpy(&head, bytes.data(), sizeof(head));
  return head;
}

template <size_t N>
void fill(char (&field)[N], std::string_view text) {
  std::memcpy(field, text.data(), std::min(N, text.size()));
}

template <size_t N>
std::string text_of(const char (&field)[N]) {
  return {field, ::strnlen(field, N)};
}

Error unsound(std::string what) { return Error{ErrorCode::Corrupt, std::move(what), "", ""}; }

// Head, tokens and seal.
size_t front_bytes(size_t tokens) { return sizeof(Head) + tokens * sizeof(int32_t) + kHexBytes; }

}  // namespace

std::string seal_snapshot(const SnapshotHead& head, std::string_view state, std::string_view key) {
  assert(state.size() == head.state_bytes);
  Head raw{};
  fill(raw.mark, {kMark, sizeof(kMark)});
  raw.version = kVersion;
  raw.tokens = static_cast<uint32_t>(head.tokens.size());
  raw.state_bytes = head.state_bytes;
  raw.seconds = head.seconds;
  raw.created_at = head.created_at;
  fill(raw.binding, head.binding);
  fill(raw.scope, head.scope);
  fill(raw.state_hash, sha256_hex(state));
  fill(raw.model, std::string_view(head.model).substr(0, sizeof(raw.model) - 1));
  std::string front(reinterpret_cast<const char*>(&raw), sizeof(raw));
  front.append(reinterpret_cast<const char*>(head.tokens.data()),
               head.tokens.size() * sizeof(int32_t));
  return front += hmac_sha256_hex(key, front);
}

Result<size_t> snapshot_front_bytes(std::string_view bytes, uint64_t file_bytes) {
  if (bytes.size() < sizeof(Head)) return unsound("ends within its head");
  const Head head = read_head(bytes);
  if (std::memcmp(head.mark, kMark, sizeof(kMark)) != 0) return unsound("is no snapshot");
  if (head.version != kVersion) {
    return Error{ErrorCode::Unsupported,
                 fmt::format("is of version {}, not {}", head.version, kVersion), "", ""};
  }
  if (head.tokens == 0 || head.tokens > kSnapshotTokensMax) {
    return unsound("has an absurd number of tokens");
  }
  const size_t front = front_bytes(head.tokens);
  if (file_bytes < front || file_bytes - front != head.state_bytes) {
    return unsound("is not as long as it says");
  }
  return front;
}

Result<SnapshotHead> open_snapshot_front(std::string_view front, std::string_view key) {
  assert(front.size() > sizeof(Head) + kHexBytes);
  const std::string_view sealed = front.substr(0, front.size() - kHexBytes);
  if (!same_seal(hmac_sha256_hex(key, sealed), front.substr(sealed.size()))) {
    return unsound("does not bear this machine's seal");
  }
  const Head raw = read_head(front);
  SnapshotHead head{.binding = text_of(raw.binding),
                    .scope = text_of(raw.scope),
                    .model = text_of(raw.model),
                    .seconds = raw.seconds,
                    .created_at = raw.created_at,
                    .state_bytes = raw.state_bytes};
  head.tokens.resize(raw.tokens);
  std::memcpy(head.tokens.data(), front.data() + sizeof(raw), raw.tokens * sizeof(int32_t));
  return head;
}

bool is_state_whole(std::string_view front, std::string_view state) {
  const Head head = read_head(front);
  return same_seal(sha256_hex(state), {head.state_hash, kHexBytes});
}

}  // namespace tinyarms::engine
