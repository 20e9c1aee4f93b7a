// The scan of 8-bit codes: for a block of 16 rows at a time, which of them may be near the query.
// Codes lie interleaved, so that a vector register holds the same 4 values of 16 rows and no sum
// crosses lanes: byte (block × size + value / 4 × 4) × 16 + row × 4 + value % 4.
#pragma once

#include <cstddef>
#include <cstdint>

namespace tinyarms::index {

constexpr size_t kBlockRows = 16;

struct ScanTask {
  const uint8_t* codes = nullptr;  // blocks × 16 × size, each 128 too high
  const float* scales = nullptr;   // blocks × 16; NaN where there is no row
  const int8_t* query = nullptr;   // size values of at most the kernel's query_max
  size_t size = 0;                 // values to a row, a multiple of 4
  size_t blocks = 0;
  int32_t offset = 0;     // 128 × the query's sum
  float score_min = 0;    // what a row must exceed, in units of the query's scale
  uint32_t* rows = nullptr;  // out: the rows that do, counted from the first of `codes`
  float* scores = nullptr;
  size_t room = 0;  // of both
};

struct ScanEnd {
  size_t found = 0;
  size_t blocks = 0;  // scanned: fewer than asked for where the room ran out
};

struct ScanKernel {
  const char* name;
  int query_max;  // what the query's values may reach without overflow inside the kernel
  ScanEnd (*scan)(const ScanTask&);
};

// The fastest that this processor runs.
const ScanKernel& scan_kernel();

extern const ScanKernel kGenericScan;
#if defined(__x86_64__)
extern const ScanKernel kAvx2Scan;
extern const ScanKernel kVnniScan;
#endif

float dot_product(const float* a, const float* b, size_t size);

}  // namespace tinyarms::index
