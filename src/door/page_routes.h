// The page at "/", and the figures that it shows: /v1/tinyarms/*. See docs/page.md.
#pragma once

#include "base/paths.h"
#include "door/back_room.h"
#include "door/routes.h"
#include "service/decision_book.h"

namespace tinyarms::door {

// "/" and "/page/*": open to whoever may knock at all, since they hold nothing but the program's
// own files.
void add_page_routes(Door& door);

// What the figures are made from; all of it outlives the routes.
struct Office {
  service::DecisionBook& book;
  BackRoom& room;
  const LiveSettings& settings;
  const Paths& paths;
  const Clock& clock;
};

// stats, decisions, models, stores, replay, feedback
void add_figure_routes(Door& door, const Office& office);

}  // namespace tinyarms::door
