// Where in a solution its final answer is.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace tinyarms::eval {

// What the last \boxed{…} or \fbox{…} holds, braces inside it included; "\boxed 5" holds "5".
// Nothing where there is none or its braces do not close.
std::optional<std::string> last_boxed(std::string_view solution);

// The last box; else what follows the last "answer is" (or "Answer:") up to the end of its
// sentence; else the last formula between dollars or \[ \]; else the last line that is not empty.
// Nothing for an empty text.
std::optional<std::string> final_answer(std::string_view solution);

}  // namespace tinyarms::eval
