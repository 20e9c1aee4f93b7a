#include "cascade/request.h"

namespace tinyarms::cascade {

const std::string& Request::question() const {
  static const std::string kNone;
  for (auto message = messages.rbegin(); message != messages.rend(); ++message) {
    if (message->role == Role::User) return message->content;
  }
  return kNone;
}

}  // namespace tinyarms::cascade
