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

struct UnicodeTables {
  std::span<const CodeRange> punctuation;     // categories P*
  std::span<const CodeRange> invisible;       // Cc, Cf, Co
  std::span<const CodeRange> accents;         // Mn
  std::span<const CodeRun> without_accents;   // canonical decomposition less its accents
  std::span<const CodeExpansion> expansions;  // the same, where several code points remain
  std::span<const CodeRun> lower;
};

const UnicodeTables& unicode_tables();

}  // namespace tinyarms::encoder
