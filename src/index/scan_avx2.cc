// Without VNNI, pairs of products are summed in 16 bits, which saturate: the query has 6 bits and a
// sign here, 2 × 255 × 63 < 2^15.
#if defined(__x86_64__)
#include <immintrin.h>

#include "index/scan.h"

namespace tinyarms::index {
namespace {

__m256i add_products(__m256i sums, const uint8_t* codes, __m256i query) {
  const __m256i bytes = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(codes));
  const __m256i pairs = _mm256_maddubs_epi16(bytes, query);
  return _mm256_add_epi32(sums, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
}

ScanEnd scan(const ScanTask& task) {
  ScanEnd end;
  const __m256i offset = _mm256_set1_epi32(task.offset);
  const __m256 least = _mm256_set1_ps(task.score_min);
  const auto* query = reinterpret_cast<const int32_t*>(task.query);
  const uint8_t* codes = task.codes;
  for (; end.blocks < task.blocks && end.found + kBlockRows <= task.room; ++end.blocks) {
    __m256i sums[2] = {_mm256_setzero_si256(), _mm256_setzero_si256()};
    for (size_t group = 0; group < task.size / 4; ++group, codes += 64) {
      const __m256i values = _mm256_set1_epi32(query[group]);
      sums[0] = add_products(sums[0], codes, values);
      sums[1] = add_products(sums[1], codes + 32, values);
    }
    for (size_t half = 0; half < 2; ++half) {
      const size_t row = end.blocks * kBlockRows + half * 8;
      const __m256 scores =
          _mm256_mul_ps(_mm256_cvtepi32_ps(_mm256_sub_epi32(sums[half], offset)),
                        _mm256_loadu_ps(task.scales + row));
      int near = _mm256_movemask_ps(_mm256_cmp_ps(scores, least, _CMP_GT_OQ));
      if (near == 0) continue;
      alignas(32) float all[8];
      _mm256_store_ps(all, scores);
      for (; near != 0; near &= near - 1) {
        const auto lane = static_cast<size_t>(__builtin_ctz(static_cast<unsigned>(near)));
        task.rows[end.found] = static_cast<uint32_t>(row + lane);
        task.scores[end.found++] = all[lane];
      }
    }
  }
  return end;
}

}  // namespace

const ScanKernel kAvx2Scan = {.name = "avx2", .query_max = 63, .scan = scan};

}  // namespace tinyarms::index
#endif
