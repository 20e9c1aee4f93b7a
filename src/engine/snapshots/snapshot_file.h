// The bytes of one snapshot: what a sequence of a context held, kept for another start.
//
//   head    296 bytes: mark, version, sizes, what it is bound to, SHA-256 of the state
//   tokens  4 bytes each
//   seal    64 bytes: HMAC-SHA-256, as hex, over all that is before it
//   state   as llama_state_seq_get_data wrote it
//
// The seal covers the state through its hash, so that a head can be believed without reading the
// state. Numbers are in this machine's order: a file of another machine has another key's seal.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace tinyarms::engine {

struct SnapshotHead {
  std::string binding{};        // 64 hex digits: all that the state's bytes depend on
  std::string scope{};          // 64 hex digits: whose it is
  std::string model{};          // for people; cut to 63 bytes
  std::vector<int32_t> tokens{};
  double seconds = 0;           // that computing them took
  double created_at = 0;        // wall clock
  uint64_t state_bytes = 0;
};

// The state's bytes, shared by who keeps them in memory and who writes them to disk.
using SnapshotState = std::shared_ptr<const std::string>;

inline constexpr size_t kSnapshotTokensMax = size_t{1} << 22;

// Head, tokens and seal: what stands before that state in its file.
std::string seal_snapshot(const SnapshotHead& head, std::string_view state, std::string_view key);

// How many bytes of the file come before the state, by its first kSnapshotHeadBytes. Errors:
// Corrupt (not one, or sizes that do not add up to `file_bytes`), Unsupported (another version).
inline constexpr size_t kSnapshotHeadBytes = 296;
Result<size_t> snapshot_front_bytes(std::string_view head, uint64_t file_bytes);

// What those bytes say. Errors: Corrupt (the seal does not fit).
Result<SnapshotHead> open_snapshot_front(std::string_view front, std::string_view key);

// Whether the state is the one that the front was sealed with. The front was opened before.
bool is_state_whole(std::string_view front, std::string_view state);

}  // namespace tinyarms::engine
