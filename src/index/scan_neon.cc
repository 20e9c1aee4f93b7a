#if defined(__aarch64__)
#include <arm_neon.h>

#include "index/scan.h"

namespace tinyarms::index {
namespace {

constexpr size_t kQuarters = 4;  // of a block: registers of four rows

ScanEnd scan(const ScanTask& task) {
  ScanEnd end;
  const float32x4_t offset = vdupq_n_f32(task.offset);
  const float32x4_t least = vdupq_n_f32(task.score_min);
  const uint8x16_t low = vdupq_n_u8(15);
  const auto* query = reinterpret_cast<const int32_t*>(task.query);
  const uint8_t* codes = task.codes;
  for (; end.blocks < task.blocks && end.found + kBlockRows <= task.room; ++end.blocks) {
    int32x4_t sums[kQuarters] = {};
    for (size_t group = 0; group < task.size / kGroupValues; ++group, codes += kGroupBytes) {
      const int8x16_t front = vreinterpretq_s8_s32(vdupq_n_s32(query[2 * group]));
      const int8x16_t back = vreinterpretq_s8_s32(vdupq_n_s32(query[2 * group + 1]));
      for (size_t quarter = 0; quarter < kQuarters; ++quarter) {
        const uint8x16_t bytes = vld1q_u8(codes + quarter * 16);
        const int8x16_t first = vreinterpretq_s8_u8(vandq_u8(bytes, low));
        const int8x16_t others = vreinterpretq_s8_u8(vshrq_n_u8(bytes, 4));
        sums[quarter] = vdotq_s32(vdotq_s32(sums[quarter], first, front), others, back);
      }
    }
    for (size_t quarter = 0; quarter < kQuarters; ++quarter) {
      const size_t row = end.blocks * kBlockRows + quarter * 4;
      const float32x4_t scores = vmulq_f32(vsubq_f32(vcvtq_f32_s32(sums[quarter]), offset),
                                           vld1q_f32(task.scales + row));
      const uint32x4_t near = vcgtq_f32(scores, least);
      if (vmaxvq_u32(near) == 0) continue;
      float all[4];
      uint32_t is_near[4];
      vst1q_f32(all, scores);
      vst1q_u32(is_near, near);
      for (size_t lane = 0; lane < 4; ++lane) {
        if (is_near[lane] == 0) continue;
        task.rows[end.found] = static_cast<uint32_t>(row + lane);
        task.scores[end.found++] = all[lane];
      }
    }
  }
  return end;
}

}  // namespace

const ScanKernel kNeonScan = {.name = "neon-dotprod", .scan = scan};

}  // namespace tinyarms::index
#endif
