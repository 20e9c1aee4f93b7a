// Products of rows of activations with packed weights, by oneDNN. Each call runs on the thread that
// makes it; rows are taken in blocks of a few fixed sizes, so that a handful of kernels, made when
// the model is loaded, serve texts of every length.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <span>
#include <vector>

#include "base/result.h"
#include "encoder/dnnl_library.h"

namespace tinyarms::encoder {

// Of weights and of what they are multiplied with. BF16: sums in 32-bit float. Int8: weights scaled
// by output channel, activations by row; sums are 32-bit integers.
enum class Precision { F32, BF16, Int8 };

bool supports(Precision precision);  // this processor, at full speed
Precision fastest_exact();             // BF16 where this processor supports it, else F32
const char* name_of(Precision precision);

inline constexpr size_t kBlockRows = 64;  // the largest block
inline constexpr size_t kRowStep = 8;     // rows are computed in multiples of this

template <typename T>
struct FreeAligned {
  void operator()(T* memory) const { std::free(memory); }
};
template <typename T>
using Aligned = std::unique_ptr<T[], FreeAligned<T>>;

// Zeroed, on a cache line. Null where there is no memory.
template <typename T>
Aligned<T> allocate(size_t count);

// oneDNN's engine.
class DnnlContext {
 public:
  static Result<std::unique_ptr<DnnlContext>> create();
  ~DnnlContext();
  DnnlContext(const DnnlContext&) = delete;
  DnnlContext& operator=(const DnnlContext&) = delete;

  const DnnlLibrary& library() const { return library_; }
  dnnl_engine_t engine() const { return engine_; }

 private:
  explicit DnnlContext(const DnnlLibrary& library) : library_(library) {}

  const DnnlLibrary& library_;
  dnnl_engine_t engine_ = nullptr;
};

struct PackedWeights {
  Aligned<std::byte> bytes;
  std::vector<float> column_scales;  // Int8 only, as column_sums
  std::vector<int32_t> column_sums;
};

// One shape of product: rows × `in` times `in` × `out`. Const after creation; run() from any number
// of threads, each with its own stream and scratch.
class Matmul {
 public:
  static Result<std::unique_ptr<Matmul>> create(const DnnlContext& context, size_t in, size_t out,
                                                Precision precision);
  ~Matmul();
  Matmul(const Matmul&) = delete;
  Matmul& operator=(const Matmul&) = delete;

  size_t in() const { return in_; }
  size_t out() const { return out_; }
  size_t scratch_bytes() const { return scratch_bytes_; }

  // `weights`: out × in, as models keep them.
  Result<PackedWeights> pack(std::span<const float> weights) const;

  struct Run {
    const PackedWeights* weights = nullptr;
    const void* source = nullptr;  // rows × in of float, bfloat16 or uint8 (128 too high)
    void* product = nullptr;       // rows × out of float, or int32 for Int8
    size_t rows = 0;               // both have room for a multiple of kRowStep
    dnnl_stream_t stream = nullptr;
    void* scratch = nullptr;
  };
  // False where oneDNN fails (memory).
  bool run(const Run& run) const;

 private:
  struct Block {
    size_t rows = 0;
    dnnl_memory_desc_t source;
    dnnl_memory_desc_t product;
    dnnl_memory_desc_t scratch;
    dnnl_primitive_t primitive = nullptr;
  };

  Matmul(const DnnlContext& context, size_t in, size_t out, Precision precision)
      : context_(context), in_(in), out_(out), precision_(precision) {}
  bool add_block(size_t rows);
  bool run_block(const Block& block, const Run& run, size_t row) const;
  bool reorder(const void* from, dnnl_data_type_t type, std::byte* to) const;

  const DnnlContext& context_;
  size_t in_;
  size_t out_;
  Precision precision_;
  dnnl_memory_desc_t weights_{};  // as the largest block wants them; the others take the same
  std::vector<Block> blocks_;     // largest first
  size_t scratch_bytes_ = 0;
};

}  // namespace tinyarms::encoder
