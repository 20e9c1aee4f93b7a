// The passes of an encoder between its matrix products, compiled for several instruction sets and
// chosen at run time. Rows are contiguous; every width is a multiple of kWidthStep; nothing here
// allocates, and everything may run on several threads at once on distinct outputs.
#pragma once

#include <cstddef>
#include <cstdint>

namespace tinyarms::encoder {

constexpr size_t kWidthStep = 16;

// x = (x + added + bias) normalised over its width, times gain, plus shift.
struct NormTask {
  float* x = nullptr;
  const float* added = nullptr;  // may be null, and bias with it
  const float* bias = nullptr;
  const float* gain = nullptr;
  const float* shift = nullptr;
  size_t width = 0;
  float epsilon = 0;
};

// Rows of the product that makes queries, keys and values, to where attention reads them. Pointers
// are to those of the first row.
struct HeadsTask {
  const float* product = nullptr;  // rows × 3 × width: queries, keys, values
  const float* bias = nullptr;     // 3 × width
  float* queries = nullptr;        // rows × width, scaled by `scale`
  float* keys = nullptr;           // a column a token: element e of row r at keys[e × stride + r]
  float* values = nullptr;         // rows × head_width of head 0; head h at values[h × head_stride]
  size_t rows = 0;
  size_t width = 0;
  size_t head_width = 0;
  size_t stride = 0;
  size_t head_stride = 0;
  float scale = 1;
};

// Of some rows of one text and one head: softmax(queries × keys + bias) × values.
struct AttentionTask {
  const float* queries = nullptr;  // of the first row and this head; rows `query_stride` apart
  const float* keys = nullptr;     // head_width rows of tokens, `key_stride` apart
  const float* values = nullptr;   // tokens × head_width
  // May be null. Of the first row and each token; that of the next row begins one float before, for
  // it depends on how far apart two tokens are. Reads up to kKeyPadding floats past the tokens.
  const float* bias = nullptr;
  float* scores = nullptr;         // scratch: attention_scratch(tokens) floats
  float* out = nullptr;            // rows `out_stride` apart
  size_t rows = 0;
  size_t tokens = 0;  // reads up to kKeyPadding keys past them
  size_t head_width = 0;
  size_t query_stride = 0;
  size_t key_stride = 0;
  size_t out_stride = 0;
};

constexpr size_t kKeyPadding = 64;
constexpr size_t attention_scratch(size_t tokens) { return 8 * (tokens + kKeyPadding); }

// acc × row_scale × column_scale, where acc was summed over values kept 128 too high.
struct DequantiseTask {
  const int32_t* sums = nullptr;
  const float* column_scales = nullptr;
  const int32_t* column_sums = nullptr;  // of the weights of each column
  float* out = nullptr;
  size_t width = 0;
  float row_scale = 0;
};

struct Kernels {
  const char* name;
  void (*norm)(const NormTask&);
  void (*split_heads)(const HeadsTask&);
  void (*attention)(const AttentionTask&);
  void (*gelu)(float* x, const float* bias, size_t width);  // x = gelu(x + bias), by erf
  void (*to_bf16)(const float* from, uint16_t* to, size_t width);
  // The row as round(x / scale) + 128; returns the scale.
  float (*quantise)(const float* from, uint8_t* to, size_t width);
  void (*dequantise)(const DequantiseTask&);
};

// The fastest that this processor runs.
const Kernels& kernels();

extern const Kernels kGenericKernels;
#if defined(__x86_64__)
extern const Kernels kAvx2Kernels;
extern const Kernels kAvx512Kernels;
#endif

}  // namespace tinyarms::encoder
