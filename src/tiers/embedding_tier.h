// L1: has this been asked before (the same words, or the same meaning), and what kind of question
// is it. Answers from memory, or from the index of the user's own files where it asks about them,
// else abstains and leaves the intent, and passages that were found, for the tiers above.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "cascade/cascade.h"
#include "cascade/tier.h"
#include "engine/embedder.h"
#include "gate/gate.h"
#include "intent/head.h"
#include "tiers/answer_memory.h"
#include "tiers/intent_source.h"
#include "tiers/model_ref.h"
#include "tiers/retrieval.h"

namespace tinyarms::tiers {

// An encoder, and what holds for it alone.
struct BoundEncoder {
  ModelRef model = {};
  // Cosine below which two questions are not the same; none: only the same words are.
  std::optional<double> similarity_min = 0.97;
};

struct EmbeddingTierOptions {
  BoundEncoder encoder = {};  // the configured one
  // An installed one by the name and the hash that vectors are kept under; none: not here any more.
  std::function<std::optional<BoundEncoder>(const std::string& model, const std::string& model_id)>
      find_encoder = {};
  bool remember_answers = true;
  std::string stack;             // see answer_binding()
  std::filesystem::path intent_head = {};    // see IntentSource
  std::filesystem::path intent_folder = {};  //
  RetrievalOptions retrieval = {};  // questions about the user's own files
  std::function<Place()> place = {};  // where questions are asked, at the time; empty: nowhere
};

class EmbeddingTier final : public cascade::Tier {
 public:
  using LoadEncoder =
      std::function<Result<std::unique_ptr<engine::Embedder>>(const ModelRef& model)>;

  // `memory` and `clock` outlive the tier. `load_encoder` is called when the first question needs
  // an embedding, and once more when vectors of another encoder begin to serve (decision 0129).
  EmbeddingTier(EmbeddingTierOptions options, LoadEncoder load_encoder, AnswerMemory& memory,
                const Clock& clock);

  cascade::Level level() const override { return cascade::Level::L1; }
  std::string describe() const override;
  std::optional<std::string> skip_reason(const cascade::Request&,
                                         const cascade::Trace& so_far) const override;
  Result<cascade::Attempt> attempt(const cascade::Request&, const cascade::Trace& so_far,
                                   const StopFlag&, cascade::Listener&) override;

  // Keeps an accepted, finished answer of a tier above for the next time it is asked.
  void remember(const cascade::Request& request, const cascade::Reply& reply);

 private:
  struct Encoded {
    std::string question;
    std::vector<float> vector;
    bool truncated = false;
  };

  struct Asked {
    std::string question;
    Place place;
  };

  Place place() const { return options_.place ? options_.place() : Place{}; }
  bool may_recall(const cascade::Request& request) const;
  bool may_look_up(const cascade::Request& request) const;
  void choose_encoder();
  Result<double> ready_encoder();  // seconds it took, 0 where it was ready
  Result<void> ready_intents();
  Result<const Encoded*> encode(const std::string& question);
  // The earlier question nearest to this one, if the gate takes both for the same.
  cascade::Attempt recall(const storage::Binding& binding, const Encoded& encoded);
  Result<std::optional<cascade::Attempt>> look_up(const std::string& question);

  EmbeddingTierOptions options_;
  LoadEncoder load_encoder_;
  AnswerMemory& memory_;
  const Clock& clock_;
  BoundEncoder in_use_;
  std::unique_ptr<engine::Embedder> encoder_;
  std::optional<intent::Head> intents_;
  std::optional<gate::Gate> gate_;  // read when there is a candidate
  Retrieval retrieval_;
  std::optional<Encoded> last_;  // the question of this climb, for remember()
  std::optional<Asked> asked_;   // where it was asked: by the answer the project may be another
  std::string notice_;           // of the set-up, told with the next attempt
};

}  // namespace tinyarms::tiers
