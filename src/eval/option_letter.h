// Multiple choice: which option an answer means, and whether it is the right one.
#pragma once

#include <optional>
#include <string_view>

#include "base/result.h"
#include "eval/task.h"

namespace tinyarms::eval {

// The letter that an answer chooses: the whole of it ("B", " b"), its beginning ("B.", "(B) the
// stack"), or after "answer is" / "answer:" anywhere; the first such place. Nothing where there is
// none, or where it is not one of the `count` letters from 'A' on.
std::optional<char> find_option_letter(std::string_view answer, size_t count);

// item.reference is the right letter as JSON text. Errors: Internal (no such reference).
Result<Verdict> judge_letter(const Item& item, std::string_view answer);

}  // namespace tinyarms::eval
