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
  const bool greedy = sampling.temperature <= 0;
  std::string name = greedy ? "greedy" : fmt::format("temperature {}", sampling.temperature);
  if (!greedy && sampling.top_k > 0) name += fmt::format(" top_k {}", sampling.top_k);
  if (!greedy && sampling.top_p < 1) name += fmt::format(" top_p {}", sampling.top_p);
  if (sampling.bent()) name += " bent";
  return name;
}

std::string sampler_of(const Request& request) {
  std::string name = sampler_name(request.sampling);
  if (request.order.may_call()) name += ", tools";
  if (!request.order.json_schema.empty()) name += ", schema";
  if (request.prefix) name += ", bare text";
  return name;
}

}  // namespace tinyarms::cascade
