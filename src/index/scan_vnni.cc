#if defined(__x86_64__)
#include <immintrin.h>

#include "index/scan.h"

namespace tinyarms::index {
namespace {

constexpr size_t kAhead = 4096;  // bytes fetched ahead: the scan waits for memory, not for sums

ScanEnd scan(const ScanTask& task) {
  ScanEnd end;
  const __m512 offset = _mm512_set1_ps(task.offset);
  const __m512i low = _mm512_set1_epi8(15);
  const __m512 least = _mm512_set1_ps(task.score_min);
  const __m512i lanes = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  const auto* query = reinterpret_cast<const int32_t*>(task.query);
  const size_t groups = task.size / kGroupValues;
  const uint8_t* codes = task.codes;
  for (; end.blocks < task.blocks && end.found + kBlockRows <= task.room; ++end.blocks) {
    __m512i front = _mm512_setzero_si512();  // sums of the first four values of each group
    __m512i back = _mm512_setzero_si512();
    for (size_t group = 0; group < groups; ++group, codes += kGroupBytes) {
      _mm_prefetch(reinterpret_cast<const char*>(codes + kAhead), _MM_HINT_T0);
      const __m512i bytes = _mm512_loadu_si512(codes);
      front = _mm512_dpbusd_epi32(front, _mm512_and_si512(bytes, low),
                                  _mm512_set1_epi32(query[2 * group]));
      back = _mm512_dpbusd_epi32(back, _mm512_and_si512(_mm512_srli_epi16(bytes, 4), low),
                                 _mm512_set1_epi32(query[2 * group + 1]));
    }
    const __m512 sums = _mm512_cvtepi32_ps(_mm512_add_epi32(front, back));
    const __m512 scores = _mm512_mul_ps(_mm512_sub_ps(sums, offset),
                                        _mm512_loadu_ps(task.scales + end.blocks * kBlockRows));
    const __mmask16 near = _mm512_cmp_ps_mask(scores, least, _CMP_GT_OQ);
    if (near == 0) continue;
    const __m512i first = _mm512_set1_epi32(static_cast<int32_t>(end.blocks * kBlockRows));
    _mm512_mask_compressstoreu_epi32(task.rows + end.found, near, _mm512_add_epi32(first, lanes));
    _mm512_mask_compressstoreu_ps(task.scores + end.found, near, scores);
    end.found += static_cast<size_t>(__builtin_popcount(near));
  }
  return end;
}

}  // namespace

const ScanKernel kVnniScan = {.name = "avx512-vnni", .scan = scan};

}  // namespace tinyarms::index
#endif
