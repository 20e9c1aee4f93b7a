// Without VNNI, products are summed in 16 bits first, where four of 15 × 127 have room.
#if defined(__x86_64__)
#include <immintrin.h>

#include "index/scan.h"

namespace tinyarms::index {
namespace {

// `front`, `back`: the query's first and other four values of the group, over and over.
__m256i add_products(__m256i sums, const uint8_t* codes, __m256i front, __m256i back) {
  const __m256i low = _mm256_set1_epi8(15);
  const __m256i bytes = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(codes));
  const __m256i first = _mm256_and_si256(bytes, low);
  const __m256i others = _mm256_and_si256(_mm256_srli_epi16(bytes, 4), low);
  const __m256i products = _mm256_add_epi16(_mm256_maddubs_epi16(first, front),
                                            _mm256_maddubs_epi16(others, back));
  return _mm256_add_epi32(sums, _mm256_madd_epi16(products, _mm256_set1_epi16(1)));
}

ScanEnd scan(const ScanTask& task) {
  ScanEnd end;
  const __m256 offset = _mm256_set1_ps(task.offset);
  const __m256 least = _mm256_set1_ps(task.score_min);
  const auto* query = reinterpret_cast<const int32_t*>(task.query);
  const uint8_t* codes = task.codes;
  for (; end.blocks < task.blocks && end.found + kBlockRows <= task.room; ++end.blocks) {
    __m256i sums[2] = {_mm256_setzero_si256(), _mm256_setzero_si256()};
    for (size_t group = 0; group < task.size / kGroupValues; ++group, codes += kGroupBytes) {
      const __m256i front = _mm256_set1_epi32(query[2 * group]);
      const __m256i back = _mm256_set1_epi32(query[2 * group + 1]);
      sums[0] = add_products(sums[0], codes, front, back);
      sums[1] = add_products(sums[1], codes + 32, front, back);
    }
    for (size_t half = 0; half < 2; ++half) {
      const size_t row = end.blocks * kBlockRows + half * 8;
      const __m256 scores =
          _mm256_mul_ps(_mm256_sub_ps(_mm256_cvtepi32_ps(sums[half]), offset),
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

const ScanKernel kAvx2Scan = {.name = "avx2", .scan = scan};

}  // namespace tinyarms::index
#endif
