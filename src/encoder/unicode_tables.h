// The facts of Unicode that BERT's tokenizer rests on, as sorted tables; above ASCII only.
#pragma once

#include <cstdint>
#include <span>

namespace tinyarms::encoder {

struct CodeRange {
  uint32_t first = 0;
  uint32_t last = 0;
};

// first + i × step → target + i × target_step, for i < count.
struct CodeRun {
  uint32_t first = 0;
  uint32_t count = 0;
  uint32_t step = 1;
  uint32_t target = 0;
  uint32_t target_step = 0;
};

struct CodeExpansion {
  uint32_t code = 0;
  uint32_t to[3] = {0, 0, 0};  // 0 ends it
};

struct UnicodeCategories {
  std::span<const CodeRange> punctuation;  // P*
  std::span<const CodeRange> invisible;    // Cc, Cf, Co
  std::span<const CodeRange> accents;      // Mn
};
UnicodeCategories unicode_categories();

std::span<const CodeRun> unicode_lower();

// The canonical decomposition less its accents.
struct UnaccentedForms {
  std::span<const CodeRun> one;
  std::span<const CodeExpansion> several;  // where several code points remain
};
UnaccentedForms unaccented_forms();

}  // namespace tinyarms::encoder
