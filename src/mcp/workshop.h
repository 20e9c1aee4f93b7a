// What the tools work with. Outlives every call under way.
#pragma once

#include <string>
#include <string_view>

#include "base/paths.h"
#include "base/result.h"
#include "door/answering.h"
#include "door/encoders.h"
#include "mcp/errands.h"
#include "mcp/ledger.h"
#include "mcp/roots.h"
#include "mcp/tool.h"

namespace tinyarms::mcp {

struct Workshop {
  Workshop(const door::Kitchen& kitchen_given, const Paths& paths_given, Roots roots_given)
      : kitchen(kitchen_given), paths(paths_given), roots(std::move(roots_given)) {}

  door::Kitchen kitchen;
  const Paths& paths;
  Roots roots;
  Ledger ledger{64};
};

// Fails the call where `submitted` is false.
void or_busy(bool submitted, const std::shared_ptr<ToolCall>& call);

inline constexpr std::string_view kNotForKeys =
    "this key may not see the files, the index and the decisions of the machine's user: only a "
    "key with the scope \"admin\" may";

// The text where it is not blank, has no NUL and is not over `bytes_max`. Errors: InvalidArgument.
Result<std::string> checked_text(std::string text, std::string_view field, size_t bytes_max);

// "2026-11-28T15:04:05Z"
std::string utc_time(double seconds);

// JSON Schema, in short.
OrderedJson schema_of(std::string_view type, std::string_view description);
OrderedJson choice_of(const std::vector<std::string>& choices, std::string_view description);
OrderedJson number_of(std::string_view type, double minimum, double maximum,
                      std::string_view description);
OrderedJson list_of(OrderedJson items, std::string_view description);
OrderedJson object_of(OrderedJson properties, const std::vector<std::string>& required);
OrderedJson or_null(OrderedJson schema);

}  // namespace tinyarms::mcp
