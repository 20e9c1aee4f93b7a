#include "mcp/service.h"

#include "mcp/http_routes.h"
#include "mcp/tools.h"

namespace tinyarms::mcp {
namespace {

constexpr size_t kErrandThreads = 2;
constexpr size_t kErrandsMax = 64;

Offer offer_of(Workshop& shop, Errands& errands, const std::string& version) {
  Offer offer;
  offer.info.version = version;
  // Settings may be read again while it serves, and what leaves with them.
  offer.instructions = [&shop] {
    return "tinyArms answers from rules, remembered answers and local models, the cheapest that is "
           "sure enough. `ask` for an answer, `search_code` for passages of the user's files, "
           "`scan_rules` for lint findings and fixes; `explain_decision` tells why, `feedback` how "
           "it turned out. " + what_leaves(*shop.kitchen.settings.get());
  };
  offer.tools.push_back(make_ask_tool(shop, errands));
  offer.tools.push_back(make_search_tool(shop, errands));
  offer.tools.push_back(make_scan_tool(shop, errands));
  offer.tools.push_back(make_explain_tool(shop, errands));
  offer.tools.push_back(make_embed_tool(shop));
  offer.tools.push_back(make_feedback_tool(shop, errands));
  offer.resources = make_resources(shop, errands);
  return offer;
}

}  // namespace

Service::Service(const door::Kitchen& kitchen, const Paths& paths, Roots roots,
                 const std::string& version)
    : shop_(kitchen, paths, std::move(roots)),
      errands_(std::make_unique<Errands>(kErrandThreads, kErrandsMax)),
      dispatcher_(offer_of(shop_, *errands_, version)),
      sessions_(kitchen.clock) {}

void Service::close() {
  dispatcher_.stop("");
  errands_->close();
}

void Service::add_routes(door::Door& door) {
  add_http_routes(door, dispatcher_, sessions_);
}

}  // namespace tinyarms::mcp
