#include "encoder/matmul.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>

namespace tinyarms::encoder {
namespace {

struct Types {
  dnnl_data_type_t source;
  dnnl_data_type_t weights;
  dnnl_data_type_t product;
  size_t source_bytes;
};

Types types_of(Precision precision) {
  switch (precision) {
    case Precision::F32: return {dnnl_f32, dnnl_f32, dnnl_f32, 4};
    case Precision::BF16: return {dnnl_bf16, dnnl_bf16, dnnl_f32, 2};
    case Precision::Int8: return {dnnl_u8, dnnl_s8, dnnl_s32, 1};
  }
  return {dnnl_f32, dnnl_f32, dnnl_f32, 4};
}

Error failed(std::string what) {
  return Error{ErrorCode::Internal, std::move(what), "oneDNN", "free some memory and try again"};
}

// oneDNN's handle of memory that somebody else owns.
class View {
 public:
  View(const DnnlContext& context, const dnnl_memory_desc_t& shape, const void* data)
      : library_(context.library()) {
    if (library_.memory_create(&memory_, &shape, context.engine(), const_cast<void*>(data)) !=
        dnnl_success) {
      memory_ = nullptr;
    }
  }
  ~View() {
    if (memory_ != nullptr) library_.memory_destroy(memory_);
  }
  View(const View&) = delete;
  View& operator=(const View&) = delete;
  dnnl_memory_t get() const { return memory_; }

 private:
  const DnnlLibrary& library_;
  dnnl_memory_t memory_ = nullptr;
};

}  // namespace

bool supports(Precision precision) {
#if defined(__x86_64__)
  switch (precision) {
    case Precision::F32: return true;
    case Precision::BF16: return __builtin_cpu_supports("avx512bf16");
    case Precision::Int8: return __builtin_cpu_supports("avx512vnni");
  }
#endif
  return precision == Precision::F32;
}

Precision fastest_exact() {
  return supports(Precision::BF16) ? Precision::BF16 : Precision::F32;
}

const char* name_of(Precision precision) {
  switch (precision) {
    case Precision::F32: return "f32";
    case Precision::BF16: return "bf16";
    case Precision::Int8: return "int8";
  }
  return "?";
}

namespace {

size_t allocated_bytes(size_t bytes) { return (bytes + 63) / 64 * 64 + 64; }

}  // namespace

template <typename T>
Aligned<T> allocate(size_t count) {
  const size_t bytes = allocated_bytes(count * sizeof(T));
  void* memory = std::aligned_alloc(64, bytes);
  if (memory != nullptr) std::memset(memory, 0, bytes);
  return Aligned<T>(static_cast<T*>(memory));
}
template Aligned<std::byte> allocate(size_t);
template Aligned<float> allocate(size_t);

Result<std::unique_ptr<DnnlContext>> DnnlContext::create() {
  auto library = dnnl_library();
  if (!library) return library.error();
  std::unique_ptr<DnnlContext> context(new DnnlContext(**library));
  if ((*library)->engine_create(&context->engine_, dnnl_cpu, 0) != dnnl_success) {
    return failed("no engine could be made");
  }
  return Result<std::unique_ptr<DnnlContext>>(std::move(context));
}

DnnlContext::~DnnlContext() {
  if (engine_ != nullptr) library_.engine_destroy(engine_);
}

Result<std::unique_ptr<Matmul>> Matmul::create(const DnnlContext& context, size_t in, size_t out,
                                               Precision precision) {
  std::unique_ptr<Matmul> matmul(new Matmul(context, in, out, precision));
  const SingleThreaded alone(context.library());
  for (size_t rows = kBlockRows; rows >= kRowStep; rows /= 2) {
    if (!matmul->add_block(rows)) {
      return failed(fmt::format("no {} product of {} × {} could be made", name_of(precision), in,
                                out));
    }
  }
  return Result<std::unique_ptr<Matmul>>(std::move(matmul));
}

Matmul::~Matmul() {
  for (const Block& block : blocks_) context_.library().primitive_destroy(block.primitive);
}

bool Matmul::add_block(size_t rows) {
  const DnnlLibrary& dnnl = context_.library();
  const Types types = types_of(precision_);
  const auto dim = [](size_t size) { return static_cast<dnnl_dim_t>(size); };
  const dnnl_dims_t source = {dim(rows), dim(in_)};
  const dnnl_dims_t weights = {dim(in_), dim(out_)};
  const dnnl_dims_t product = {dim(rows), dim(out_)};
  Block block{.rows = rows, .source = {}, .product = {}, .scratch = {}, .primitive = nullptr};
  const bool first = blocks_.empty();
  if (dnnl.memory_desc_init_by_tag(&block.source, 2, source, types.source, dnnl_ab) !=
          dnnl_success ||
      dnnl.memory_desc_init_by_tag(&block.product, 2, product, types.product, dnnl_ab) !=
          dnnl_success) {
    return false;
  }
  if (first && dnnl.memory_desc_init_by_tag(&weights_, 2, weights, types.weights,
                                            dnnl_format_tag_any) != dnnl_success) {
    return false;
  }
  dnnl_matmul_desc_t description;
  if (dnnl.matmul_desc_init(&description, &block.source, &weights_, nullptr, &block.product) !=
      dnnl_success) {
    return false;
  }
  dnnl_primitive_attr_t attributes = nullptr;
  if (dnnl.attr_create(&attributes) != dnnl_success) return false;
  dnnl.attr_set_scratchpad_mode(attributes, dnnl_scratchpad_mode_user);
  dnnl_primitive_desc_t made = nullptr;
  const auto status = dnnl.primitive_desc_create(&made, &description, attributes,
                                                 context_.engine(), nullptr);
  dnnl.attr_destroy(attributes);
  if (status != dnnl_success) return false;
  weights_ = *dnnl.primitive_desc_query_md(made, dnnl_query_weights_md, 0);
  block.scratch = *dnnl.primitive_desc_query_md(made, dnnl_query_scratchpad_md, 0);
  const bool created = dnnl.primitive_create(&block.primitive, made) == dnnl_success;
  dnnl.primitive_desc_destroy(made);
  if (!created) return false;
  scratch_bytes_ = std::max(scratch_bytes_, dnnl.memory_desc_get_size(&block.scratch));
  blocks_.push_back(block);
  return true;
}

bool Matmul::reorder(const void* from, dnnl_data_type_t type, std::byte* to) const {
  const DnnlLibrary& dnnl = context_.library();
  dnnl_memory_desc_t plain;
  const dnnl_dims_t shape = {static_cast<dnnl_dim_t>(in_), static_cast<dnnl_dim_t>(out_)};
  if (dnnl.memory_desc_init_by_tag(&plain, 2, shape, type, dnnl_ba) != dnnl_success) return false;
  dnnl_primitive_desc_t description = nullptr;
  if (dnnl.reorder_primitive_desc_create(&description, &plain, context_.engine(), &weights_,
                                         context_.engine(), nullptr) != dnnl_success) {
    return false;
  }
  dnnl_primitive_t primitive = nullptr;
  bool done = dnnl.primitive_create(&primitive, description) == dnnl_success;
  dnnl.primitive_desc_destroy(description);
  if (!done) return false;
  dnnl_stream_t stream = nullptr;
  done = dnnl.stream_create(&stream, context_.engine(), dnnl_stream_default_flags) == dnnl_success;
  if (done) {
    const View source(context_, plain, from);
    const View target(context_, weights_, to);
    const dnnl_exec_arg_t arguments[] = {{DNNL_ARG_FROM, source.get()},
                                         {DNNL_ARG_TO, target.get()}};
    done = source.get() != nullptr && target.get() != nullptr &&
           dnnl.primitive_execute(primitive, stream, 2, arguments) == dnnl_success;
    dnnl.stream_destroy(stream);
  }
  dnnl.primitive_destroy(primitive);
  return done;
}

Result<PackedWeights> Matmul::pack(std::span<const float> weights) const {
  PackedWeights packed;
  // The reorder writes all of it, padding too: clearing it first would only take time.
  const size_t bytes = context_.library().memory_desc_get_size(&weights_);
  packed.bytes.reset(
      static_cast<std::byte*>(std::aligned_alloc(64, allocated_bytes(bytes))));
  if (!packed.bytes) return failed("there is no memory for the weights");
  const SingleThreaded alone(context_.library());
  if (precision_ != Precision::Int8) {
    if (!reorder(weights.data(), dnnl_f32, packed.bytes.get())) {
      return failed("the weights could not be packed");
    }
    return packed;
  }
  std::vector<int8_t> rounded(in_ * out_);
  for (size_t column = 0; column < out_; ++column) {
    const float* from = weights.data() + column * in_;
    float top = 0;
    for (size_t i = 0; i < in_; ++i) top = std::max(top, std::fabs(from[i]));
    const float scale = top > 0 ? top / 127.0f : 1.0f;
    int32_t sum = 0;
    for (size_t i = 0; i < in_; ++i) {
      const auto value = static_cast<int8_t>(std::lround(from[i] / scale));
      rounded[column * in_ + i] = value;
      sum += value;
    }
    packed.column_scales.push_back(scale);
    packed.column_sums.push_back(sum);
  }
  if (!reorder(rounded.data(), dnnl_s8, packed.bytes.get())) {
    return failed("the weights could not be packed");
  }
  return packed;
}

bool Matmul::run_block(const Block& block, const Run& run, size_t row) const {
  const size_t source_row = in_ * types_of(precision_).source_bytes;
  const View source(context_, block.source,
                    static_cast<const std::byte*>(run.source) + row * source_row);
  const View weights(context_, weights_, run.weights->bytes.get());
  const View product(context_, block.product,
                     static_cast<std::byte*>(run.product) + row * out_ * sizeof(float));
  const View scratch(context_, block.scratch, run.scratch);
  if (source.get() == nullptr || weights.get() == nullptr || product.get() == nullptr ||
      scratch.get() == nullptr) {
    return false;
  }
  const dnnl_exec_arg_t arguments[] = {{DNNL_ARG_SRC, source.get()},
                                       {DNNL_ARG_WEIGHTS, weights.get()},
                                       {DNNL_ARG_DST, product.get()},
                                       {DNNL_ARG_SCRATCHPAD, scratch.get()}};
  return context_.library().primitive_execute(block.primitive, run.stream, 4, arguments) ==
         dnnl_success;
}

bool Matmul::run(const Run& run) const {
  size_t row = 0;
  for (const Block& block : blocks_) {
    // The smallest takes what is left, its last rows being padding.
    const bool smallest = &block == &blocks_.back();
    while (run.rows >= row + block.rows || (smallest && row < run.rows)) {
      if (!run_block(block, run, row)) return false;
      row += block.rows;
    }
  }
  return true;
}

}  // namespace tinyarms::encoder
