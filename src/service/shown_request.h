// What a tier's model would be shown of a request: for whoever counts its tokens.
#pragma once

#include <vector>

#include "cascade/request.h"
#include "engine/chat_template.h"
#include "service/settings.h"

namespace tinyarms::service {

struct ShownRequest {
  std::vector<engine::ChatMessage> messages;
  engine::ChatOptions options;
};

ShownRequest shown_request(const cascade::Request& request, const LanguageSettings& settings);

}  // namespace tinyarms::service
