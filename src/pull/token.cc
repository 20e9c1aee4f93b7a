#include "pull/token.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/descriptor.h"

namespace tinyarms::pull {
namespace {

constexpr size_t kTokenMax = 4096;

Result<remote::ApiKey> clean_token(std::string text, const std::string& where) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' ')) {
    text.pop_back();
  }
  const bool clean = std::all_of(text.begin(), text.end(),
                                 [](unsigned char c) { return c > ' ' && c <= '~'; });
  if (clean) return remote::ApiKey(std::move(text));
  return Error{ErrorCode::Config, "the token holds a space or a character outside ASCII", where,
               "put the token there alone"};
}

}  // namespace

Result<remote::ApiKey> read_token(const TokenPlaces& places, const Environment& environment) {
  if (!places.variable.empty()) {
    const auto value = environment(places.variable);
    if (value && !value->empty()) return clean_token(*value, places.variable);
  }
  if (places.file.empty()) return remote::ApiKey();
  const Descriptor file(::open(places.file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.get() < 0 && errno == ENOENT) return remote::ApiKey();
  const std::string where = places.file.string();
  struct stat facts {};
  if (file.get() < 0 || ::fstat(file.get(), &facts) != 0) {
    return Error{ErrorCode::Config, std::strerror(errno), where, "check its permissions"};
  }
  if (!S_ISREG(facts.st_mode) || (facts.st_mode & 077) != 0) {
    return Error{ErrorCode::Config, "others may read the file with the token", where,
                 fmt::format("chmod 600 {}", where)};
  }
  std::string text(kTokenMax, '\0');
  const ssize_t got = ::read(file.get(), text.data(), text.size());
  if (got < 0) return Error{ErrorCode::Config, std::strerror(errno), where, "check the file"};
  text.resize(static_cast<size_t>(got));
  return clean_token(std::move(text), where);
}

}  // namespace tinyarms::pull
