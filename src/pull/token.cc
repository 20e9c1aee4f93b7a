#include "pull/token.h"

#include "remote/secret_file.h"

namespace tinyarms::pull {

Result<remote::ApiKey> read_token(const TokenPlaces& places, const Environment& environment) {
  if (!places.variable.empty()) {
    const auto value = environment(places.variable);
    if (value && !value->empty()) return remote::clean_secret(*value, places.variable);
  }
  if (places.file.empty()) return remote::ApiKey();
  auto read = remote::read_secret_file(places.file);
  if (!read) return read.error();
  return read->value_or(remote::ApiKey());
}

}  // namespace tinyarms::pull
