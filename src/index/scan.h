// The scan of 4-bit codes: for a block of 16 rows at a time, which of them may be near the query.
// Codes lie interleaved, so that a vector register holds the same 8 values of 16 rows and no sum
// crosses lanes: byte (block × size / 8 + value / 8) × 64 + row × 4 + value % 4, its low half for
// the first four of the eight values and its high half for the others.
#pragma once

#include <cstddef>
#include <cstdint>

namespace tinyarms::index {

constexpr size_t kBlockRows = 16;
constexpr size_t kGroupValues = 8;  // that lie together; a row is whole groups
constexpr size_t kGroupBytes = kBlockRows * kGroupValues / 2;
constexpr float kMiddleCode = 7.5f;  // value ≈ (code − this) × scale, codes from 0 to 15
constexpr int kQueryMax = 127;       // two products of 15 × 127, eight times, stay within 16 bits

struct ScanTask {
  const uint8_t* codes = nullptr;  // blocks × 16 × size / 2
  const float* scales = nullptr;   // blocks × 16; NaN where there is no row
  const int8_t* query = nullptr;   // size values from −kQueryMax to kQueryMax
  size_t size = 0;                 // values to a row, a multiple of kGroupValues
  size_t blocks = 0;
  float offset = 0;       // kMiddleCode × the query's sum
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
  ScanEnd (*scan)(const ScanTask&);
};

// The fastest that this processor runs.
const ScanKernel& scan_kernel();

extern const ScanKernel kGenericScan;
#if defined(__x86_64__)
extern const ScanKernel kAvx2Scan;
extern const ScanKernel kVnniScan;
#elif defined(__aarch64__)
extern const ScanKernel kNeonScan;
#endif

float dot_product(const float* a, const float* b, size_t size);

}  // namespace tinyarms::index
