#include "door/keys.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "base/sha256.h"

namespace tinyarms::door {
namespace {

using Json = nlohmann::ordered_json;

constexpr size_t kFileBytesMax = 1 << 20;
constexpr std::string_view kPrefix = "sk-tinyarms-";

Error wrong(const std::filesystem::path& file, const std::string& what) {
  return Error{ErrorCode::Config, what, file.string(), "tinyarms keys add writes this file"};
}

// Null where it is as it should be.
const char* read_key(const Json& json, ApiKey& key) {
  if (!json.is_object()) return "an entry of \"keys\" is no object";
  const auto text = [&](const char* name) {
    const auto found = json.find(name);
    return found != json.end() && found->is_string() ? found->get<std::string>() : std::string();
  };
  key.name = text("name");
  key.sha256 = text("sha256");
  key.owner = text("owner");
  key.created = text("created");
  if (key.name.empty()) return "a key without a name";
  if (key.sha256.size() != 64) return "a key without its SHA-256";
  if (auto limit = json.find("requests_per_minute"); limit != json.end()) {
    if (!limit->is_number_unsigned() || limit->get<uint64_t>() > 1000000) {
      return "requests_per_minute must be a whole number up to 1000000";
    }
    key.requests_per_minute = limit->get<int>();
  }
  if (auto scopes = json.find("scopes"); scopes != json.end()) {
    if (!scopes->is_array()) return "scopes must be a list";
    for (const Json& one : *scopes) {
      const auto scope = one.is_string() ? parse_scope(one.get<std::string>()) : std::nullopt;
      if (!scope) return "there are the scopes models, chat, embeddings, metrics and admin";
      key.scopes.push_back(*scope);
    }
  }
  return nullptr;
}

}  // namespace

std::optional<Scope> parse_scope(std::string_view name) {
  for (const Scope scope : {Scope::Models, Scope::Chat, Scope::Embeddings, Scope::Metrics,
                            Scope::Admin}) {
    if (scope_name(scope) == name) return scope;
  }
  return std::nullopt;
}

Result<KeyRing> KeyRing::load(const std::filesystem::path& file) {
  struct stat status {};
  if (::stat(file.c_str(), &status) != 0) return KeyRing({});
  if ((status.st_mode & 077) != 0) {
    return Error{ErrorCode::Config, "others may read it", file.string(),
                 fmt::format("chmod 600 {}", file.string())};
  }
  auto bytes = read_file(file, kFileBytesMax);
  if (!bytes) return bytes.error();
  const Json json = Json::parse(*bytes, nullptr, false);
  if (!json.is_object() || !json.contains("keys") || !json["keys"].is_array()) {
    return wrong(file, "is no list of keys");
  }
  std::vector<ApiKey> keys;
  for (const Json& one : json["keys"]) {
    if (const char* what = read_key(one, keys.emplace_back())) return wrong(file, what);
  }
  return KeyRing(std::move(keys));
}

Result<void> KeyRing::save(const std::filesystem::path& file) const {
  Json list = Json::array();
  for (const ApiKey& key : keys_) {
    Json one = {{"name", key.name}, {"sha256", key.sha256}, {"created", key.created}};
    if (!key.scopes.empty()) {
      one["scopes"] = Json::array();
      for (const Scope scope : key.scopes) one["scopes"].push_back(scope_name(scope));
    }
    if (key.requests_per_minute > 0) one["requests_per_minute"] = key.requests_per_minute;
    if (!key.owner.empty()) one["owner"] = key.owner;
    list.push_back(std::move(one));
  }
  const mode_t mask = ::umask(077);
  auto written = write_file_atomically(
      file, Json({{"version", 1}, {"keys", std::move(list)}}).dump(2) + "\n");
  ::umask(mask);
  return written;
}

const ApiKey* KeyRing::find(std::string_view key) const {
  // The hash is compared, so how long it takes says nothing about a key.
  const std::string hash = sha256_hex(key);
  for (const ApiKey& one : keys_) {
    if (one.sha256 == hash) return &one;
  }
  return nullptr;
}

Result<std::string> make_key() {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> source(std::fopen("/dev/urandom", "rb"),
                                                              std::fclose);
  unsigned char bytes[24];
  if (!source || std::fread(bytes, 1, sizeof bytes, source.get()) != sizeof bytes) {
    return Error{ErrorCode::Io, "cannot be read", "/dev/urandom", ""};
  }
  std::string key(kPrefix);
  for (const unsigned char byte : bytes) key += fmt::format("{:02x}", byte);
  return key;
}

std::optional<int> KeyLimiter::take(const ApiKey& key, double now_seconds) {
  if (key.requests_per_minute <= 0) return std::nullopt;
  const double rate = key.requests_per_minute / 60.0;
  const double full = std::max(1.0, static_cast<double>(key.requests_per_minute));
  const std::lock_guard lock(mutex_);
  const auto [place, fresh] = buckets_.try_emplace(key.sha256);
  Bucket& bucket = place->second;
  if (fresh) bucket = {full, now_seconds};
  bucket.tokens = std::min(full, bucket.tokens + (now_seconds - bucket.at) * rate);
  bucket.at = now_seconds;
  if (bucket.tokens >= 1) {
    bucket.tokens -= 1;
    return std::nullopt;
  }
  return static_cast<int>(std::ceil((1 - bucket.tokens) / rate));
}

}  // namespace tinyarms::door
