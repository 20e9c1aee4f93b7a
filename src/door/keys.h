// API keys: a file that holds their hashes (a key has 192 random bits, so one SHA-256 is enough),
// what each may do, how much, and under whose name things are remembered for it.
//
//   {"version": 1, "keys": [{"name": "editor", "sha256": "…", "scopes": ["chat", "models"],
//     "requests_per_minute": 60, "concurrent": 4, "owner": "editor"}]}
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "door/call.h"

namespace tinyarms::door {

struct ApiKey {
  std::string name;
  std::string sha256;         // of the key's text
  std::vector<Scope> scopes{};  // empty: all but admin
  int requests_per_minute = 0;  // 0: no limit
  std::string owner{};        // empty: the key's name
  std::string created{};      // a date, for people
};

// Reads only; any thread.
class KeyRing {
 public:
  explicit KeyRing(std::vector<ApiKey> keys) : keys_(std::move(keys)) {}

  // A file that does not exist holds no keys. Errors: Config (not JSON, a field that is wrong, a
  // file that others may read), Io.
  static Result<KeyRing> load(const std::filesystem::path& file);
  Result<void> save(const std::filesystem::path& file) const;  // mode 0600

  bool empty() const { return keys_.empty(); }
  const std::vector<ApiKey>& keys() const { return keys_; }
  const ApiKey* find(std::string_view key) const;  // null where none is that

 private:
  std::vector<ApiKey> keys_;
};

// "sk-tinyarms-" and 48 hexadecimal digits from the system's random source. Errors: Io.
Result<std::string> make_key();

std::optional<Scope> parse_scope(std::string_view name);

// A bucket a key that fills evenly over a minute. Thread-safe.
class KeyLimiter {
 public:
  // Seconds to wait, or nothing where the request may pass (and was counted).
  std::optional<int> take(const ApiKey& key, double now_seconds);

 private:
  struct Bucket {
    double tokens = 0;
    double at = 0;
  };
  std::mutex mutex_;
  std::map<std::string, Bucket> buckets_;
};

}  // namespace tinyarms::door
