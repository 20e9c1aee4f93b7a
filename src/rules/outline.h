// What a piece of code defines: its functions, classes and the like with their names and lines, as
// tree-sitter's grammars see them. For languages without a table of kinds there is no outline.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tinyarms::rules {

enum class Definition {
  Function,   // a function, method, macro
  Class,      // a class, struct, interface, trait, enum: may hold members
  Container,  // a namespace, module, impl block: holds definitions and is none itself
};

struct OutlineItem {
  Definition definition = Definition::Function;
  std::string name;         // as written; may be empty
  std::string owner;        // names of what encloses it, joined as the language does; may be empty
  uint32_t first_line = 0;  // 1-based, comments right above it included
  uint32_t last_line = 0;
  uint32_t depth = 0;       // 0: not inside another item
};

// In document order, an item before those inside it. Definitions inside functions are left out.
// Nothing where the language has no table, the code is too large or costs too much to parse.
std::optional<std::vector<OutlineItem>> outline(std::string_view code, std::string_view language);

// "Class::method" or "Class.method".
std::string qualified_name(const OutlineItem& item, std::string_view language);

}  // namespace tinyarms::rules
