// Evidence whether an answer made to order (cascade/order.h) is what was asked for: tools that
// exist, arguments and JSON that keep to their schemas. It does not depend on who wrote it.
#pragma once

#include "cascade/attempt.h"
#include "cascade/request.h"

namespace tinyarms::tiers {

// Adds to attempt.evidence; nothing where there is nothing to be checked.
void add_order_evidence(const cascade::Order& order, cascade::Attempt& attempt);

}  // namespace tinyarms::tiers
