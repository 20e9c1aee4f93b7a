#include "cascade/request.h"

#include <fmt/format.h>

namespace tinyarms::cascade {

const std::string& Request::question() const {
  static const std::string kNone;
  for (auto message = messages.rbegin(); message != messages.rend(); ++message) {
    if (message->role == Role::User) return message->content;
  }
  return kNone;
}

std::string sampler_name(const Sampling& sampling) {
  return sampling.temperature <= 0 ? "greedy" : fmt::format("temperature {}", sampling.temperature);
}

}  // namespace tinyarms::cascade
