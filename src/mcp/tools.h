// The tools and resources that tinyArms offers, one file each.
#pragma once

#include <memory>
#include <string>

#include "mcp/tool.h"
#include "mcp/workshop.h"

namespace tinyarms::mcp {

// Both outlive the tools.
std::unique_ptr<Tool> make_ask_tool(Workshop& shop, Errands& errands);
std::unique_ptr<Tool> make_search_tool(Workshop& shop, Errands& errands);
std::unique_ptr<Tool> make_scan_tool(Workshop& shop, Errands& errands);
std::unique_ptr<Tool> make_explain_tool(Workshop& shop, Errands& errands);
std::unique_ptr<Tool> make_embed_tool(Workshop& shop);
std::unique_ptr<Tool> make_feedback_tool(Workshop& shop, Errands& errands);
std::unique_ptr<Resources> make_resources(Workshop& shop, Errands& errands);

// What of a question may leave this machine, in one sentence.
std::string what_leaves(const service::Settings& settings);

// A decision of this process, or one that was logged on this machine; by id, the beginning of one,
// or "last". Errors: NotFound; InvalidArgument; those of the database.
Result<OrderedJson> find_decision(Workshop& shop, const Client& client, const std::string& word);
// The newest ones that the client may see, in short; newest first.
OrderedJson newest_decisions(Workshop& shop, const Client& client);

}  // namespace tinyarms::mcp
