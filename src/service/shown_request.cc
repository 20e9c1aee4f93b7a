#include "service/shown_request.h"

#include "tiers/asking.h"
#include "tiers/prompt.h"

namespace tinyarms::service {

ShownRequest shown_request(const cascade::Request& request, const LanguageSettings& settings) {
  const cascade::Order& order = request.order;
  return {tiers::conversation(request, settings.system_prompt),
          {.tools = tiers::tools_of(order),
           .tool_choice = tiers::tool_choice_of(order),
           .parallel_tool_calls = order.parallel_tool_calls,
           .json_schema = order.may_call() ? order.json_schema : std::string()}};
}

}  // namespace tinyarms::service
