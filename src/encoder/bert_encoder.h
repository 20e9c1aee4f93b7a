// The forward pass of a BERT encoder (Devlin et al. 2018), or of MPNet (Song et al. 2020), which
// adds a bias to the scores of attention, over packed texts: no padding, matrix products in the
// fastest precision that is exact enough, everything else in 32-bit float.
//
// A few long texts are split by rows among the threads, which then meet once a layer (attention
// needs every key); many texts go in packs, a thread a pack, and never meet.
#pragma once

#include <atomic>
#include <memory>
#include <span>
#include <vector>

#include "base/result.h"
#include "encoder/bert_file.h"
#include "encoder/kernels.h"
#include "encoder/matmul.h"
#include "encoder/relative_bias.h"
#include "encoder/thread_team.h"

namespace tinyarms::encoder {

struct BertOptions {
  int threads = 0;  // 0: every core
  Precision precision = Precision::F32;
  size_t pack_tokens = 256;  // texts are packed up to this, or as long as the longest of them
};

// Token ids with the special tokens around them, each text of 1 to window() ids below the
// vocabulary's size.
struct BertBatch {
  std::span<const std::vector<int32_t>> texts;
  // Empty, or of each text where its second part begins, whose tokens are of the second type.
  std::span<const size_t> second = {};
};

// One caller at a time.
class BertEncoder {
 public:
  // Errors: those of BertFile; Unsupported (oneDNN is not installed), Internal (memory).
  static Result<std::unique_ptr<BertEncoder>> create(const BertFile& file, BertOptions options);
  ~BertEncoder();

  size_t width() const { return width_; }

  // Row i of `pooled` (texts × width) becomes text i's vector, not normalised; for Rank pooling
  // that of its first token. Errors: Internal (memory).
  Result<void> encode(const BertBatch& batch, float* pooled);

  // The vectors of every token, texts one after the other, not normalised. Errors: as encode().
  Result<void> encode_tokens(const BertBatch& batch, float* rows);

 private:
  struct Layer;
  struct Pack;
  struct Workspace;  // of a pack, shared by the threads that work on it
  struct Desk;       // of a thread

  explicit BertEncoder(const BertFile& file);
  Result<void> load(BertOptions options);
  Result<void> load_layer(size_t index);
  Result<void> make_desks(size_t scratch_bytes);
  std::vector<Pack> pack(const BertBatch& batch) const;
  Result<void> encode_packs(std::vector<Pack>& packs);
  bool reserve(size_t workspaces, size_t tokens);

  struct Step;  // what one thread does of one pack
  bool forward(const Step& step) const;
  void embed_rows(const Step& step) const;
  bool project_in(const Step& step, const Layer& layer, size_t parity) const;
  void attend(const Step& step, size_t parity) const;
  bool project_out(const Step& step, const Layer& layer) const;
  bool multiply(const Step& step, const Matmul& matmul, const PackedWeights& weights,
                const float* rows, size_t count) const;
  void pool(const Step& step) const;

  const BertFile& file_;
  size_t width_ = 0;
  size_t inner_ = 0;
  size_t heads_ = 0;
  BertOptions options_;
  std::unique_ptr<DnnlContext> context_;
  std::unique_ptr<Matmul> in_;
  std::unique_ptr<Matmul> out_;
  std::unique_ptr<Matmul> up_;
  std::unique_ptr<Matmul> down_;
  std::vector<float> positions_;
  std::vector<float> type_step_;
  RelativeBias bias_;
  std::vector<float> first_gain_;
  std::vector<float> first_shift_;
  std::vector<Layer> layers_;
  std::unique_ptr<ThreadTeam> team_;
  std::vector<Desk> desks_;            // one a thread
  std::vector<Workspace> workspaces_;  // one, or one a thread
};

}  // namespace tinyarms::encoder
