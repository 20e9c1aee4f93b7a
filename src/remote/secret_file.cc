#include "remote/secret_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/descriptor.h"

namespace tinyarms::remote {
namespace {

constexpr size_t kSecretBytesMax = 4096;

}  // namespace

Result<ApiKey> clean_secret(std::string text, const std::string& where) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' ')) {
    text.pop_back();
  }
  const bool clean = std::all_of(text.begin(), text.end(),
                                 [](unsigned char c) { return c > ' ' && c <= '~'; });
  if (clean) return ApiKey(std::move(text));
  return Error{ErrorCode::Config, "the secret holds a space or a character outside ASCII", where,
               "put it there alone"};
}

Result<std::optional<ApiKey>> read_secret_file(const std::filesystem::path& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.get() < 0 && errno == ENOENT) return std::optional<ApiKey>();
  const std::string where = path.string();
  struct stat facts {};
  if (file.get() < 0 || ::fstat(file.get(), &facts) != 0) {
    return Error{ErrorCode::Config, std::strerror(errno), where, "check its permissions"};
  }
  if (!S_ISREG(facts.st_mode)) {
    return Error{ErrorCode::Config, "the secret is to stand in a plain file", where, ""};
  }
  if ((facts.st_mode & 077) != 0) {
    return Error{ErrorCode::Config, "others may read the file with the secret", where,
                 fmt::format("chmod 600 {}", where)};
  }
  std::string text(kSecretBytesMax, '\0');
  const ssize_t got = ::read(file.get(), text.data(), text.size());
  if (got < 0) return Error{ErrorCode::Config, std::strerror(errno), where, "check the file"};
  text.resize(static_cast<size_t>(got));
  auto secret = clean_secret(std::move(text), where);
  if (!secret) return secret.error();
  return std::optional(std::move(*secret));
}

Result<ApiKey> find_key(const KeyPlaces& places) {
  if (places.file.empty()) return key_from_environment(places.variable);
  auto read = read_secret_file(places.file);
  if (!read) return read.error();
  if (*read && !(*read)->empty()) return std::move(**read);
  return Error{ErrorCode::Config,
               *read ? "the file that should hold the API key is empty"
                     : "the file that should hold the API key is not there",
               places.file.string(), "write the key into it, mode 0600, or unset l4.api_key_file"};
}

}  // namespace tinyarms::remote
