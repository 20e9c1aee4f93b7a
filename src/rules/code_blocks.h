// Markdown split into its fenced blocks and the prose around them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "rules/code.h"

namespace tinyarms::rules {

struct SplitText {
  std::vector<CodeBlock> blocks;
  std::string prose;  // a blank line in each block's place
};

SplitText split_code_blocks(std::string_view markdown);

}  // namespace tinyarms::rules
