#include "encoder/encoder_memory.h"

#include <algorithm>
#include <bit>
#include <thread>

#include "encoder/kernels.h"

namespace tinyarms::encoder {
namespace {

constexpr uint64_t kPackTokens = 256;     // BertOptions::pack_tokens
constexpr uint64_t kSlotBytes = 32;       // of the tokenizer's table, which is at most half full
constexpr uint64_t kLettersPerPiece = 8;  // rounded up from English vocabularies

uint64_t bytes_of(Precision precision) {
  switch (precision) {
    case Precision::F32: return 4;
    case Precision::BF16: return 2;
    case Precision::Int8: return 1;
  }
  return 4;
}

}  // namespace

bool runs_on_onednn(const engine::ModelFacts& facts) {
  return facts.encoder && (facts.architecture == "bert" || facts.architecture == "mpnet") &&
         dnnl_library().has_value();
}

EncoderMemory plan_encoder(const engine::ModelFacts& facts, Precision precision, int threads) {
  const int cores = std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  const auto workers = static_cast<uint64_t>(std::clamp(threads > 0 ? threads : cores, 1, 256));
  const uint64_t width = facts.embedding_width;
  const uint64_t inner = facts.feed_forward_width;
  const uint64_t window = std::max<uint64_t>(facts.context_tokens, 1);
  const uint64_t matrices = 4 * width * width + 2 * width * inner;
  const uint64_t vectors = 9 * width + inner;

  EncoderMemory memory;
  memory.weight_bytes =
      facts.layers * (matrices * bytes_of(precision) + vectors * sizeof(float)) +
      (window + 2) * width * sizeof(float);
  const uint64_t tokens = std::min(window, kPackTokens);
  const uint64_t rows = tokens + kRowStep;
  const uint64_t key_stride = ((tokens + kKeyPadding + 31) / 32 * 2 + 1) * 16;
  const uint64_t pack = 5 * rows * width + 2 * (width * key_stride + kKeyPadding);
  const uint64_t blocks = 2 * kBlockRows * std::max(3 * width, inner);
  memory.compute_bytes =
      workers * (pack + blocks + attention_scratch(tokens)) * sizeof(float);
  const uint64_t pieces = facts.vocabulary;
  memory.vocabulary_bytes =
      std::bit_ceil(std::max<uint64_t>(2 * pieces, 2)) * kSlotBytes + pieces * kLettersPerPiece;
  memory.mapped_bytes = pieces * width * sizeof(float);
  if (facts.weight_bytes > 0) {
    // What is left of the file when the matrices are taken off it at the file's own width.
    const double each = static_cast<double>(facts.weight_bytes) /
                        static_cast<double>(std::max<uint64_t>(facts.parameters, 1));
    memory.mapped_bytes = static_cast<uint64_t>(static_cast<double>(pieces * width) *
                                                std::min(each, 4.0));
  }
  return memory;
}

}  // namespace tinyarms::encoder
