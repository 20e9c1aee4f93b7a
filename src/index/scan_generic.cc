// For any processor; the inner loops are written so that the compiler makes vectors of them.
#include "index/scan.h"

namespace tinyarms::index {
namespace {

ScanEnd scan(const ScanTask& task) {
  ScanEnd end;
  const uint8_t* codes = task.codes;
  for (; end.blocks < task.blocks && end.found + kBlockRows <= task.room; ++end.blocks) {
    int32_t sums[kBlockRows] = {};
    for (size_t value = 0; value < task.size; value += kGroupValues, codes += kGroupBytes) {
      const int8_t* query = task.query + value;
      for (size_t row = 0; row < kBlockRows; ++row) {
        for (size_t i = 0; i < 4; ++i) {
          const int code = codes[row * 4 + i];
          sums[row] += (code & 15) * query[i] + (code >> 4) * query[i + 4];
        }
      }
    }
    const float* scales = task.scales + end.blocks * kBlockRows;
    for (size_t row = 0; row < kBlockRows; ++row) {
      const float score = (static_cast<float>(sums[row]) - task.offset) * scales[row];
      if (!__builtin_isgreater(score, task.score_min)) continue;
      task.rows[end.found] = static_cast<uint32_t>(end.blocks * kBlockRows + row);
      task.scores[end.found++] = score;
    }
  }
  return end;
}

}  // namespace

const ScanKernel kGenericScan = {.name = "generic", .scan = scan};

}  // namespace tinyarms::index
