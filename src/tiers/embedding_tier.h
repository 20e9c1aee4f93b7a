// L1: has this been asked before (the same words, or the same meaning), and what kind of question
// is it. Answers from memory, or from the index of the user's own files where it asks about them,
// else abstains and leaves the intent, and passages that were found, for the tiers above.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
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
  // Where a question is asked (Request::folder), as it is there at the time; empty: nowhere.
  std::function<Place(const std::string& folder)> place = {};
};

// Thread-safe. Encoder and intents are loaded once, whoever asks first, and then shared: one text
// takes every core of the encoder for a few milliseconds, so that texts wait for one another. What
// belongs to one question travels with its climb, as the attempt's keepsake.
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
    BoundEncoder by;
  };

  // Of one climb: by the answer the project may be in another state.
  struct Asked final : cascade::Keepsake {
    Place place;
    std::shared_ptr<const Encoded> encoded;  // null: its words were enough, or nothing could be had
  };

  Place place_of(const cascade::Request& request) const {
    return options_.place ? options_.place(request.folder) : Place{};
  }
  bool may_recall(const cascade::Request& request) const;
  bool may_look_up(const cascade::Request& request) const;
  // The question with its embedding, what the heads take it for, and what loading took.
  struct Understood {
    std::shared_ptr<const Encoded> encoded;
    std::shared_ptr<engine::Embedder> encoder;  // that did it; for whoever holds the lock
    intent::Intent intent;
    double load_seconds = 0;
    std::string notice;  // of the set-up, told once
  };
  Result<Understood> understand(const std::string& question, const StopFlag& stop);
  std::optional<storage::CacheEncoder> serving_encoder();
  // With the lock held:
  void choose_encoder(const std::optional<storage::CacheEncoder>& serving);
  Result<double> ready_encoder();  // seconds it took, 0 where it was ready
  Result<void> ready_intents();
  Result<std::shared_ptr<const Encoded>> encode(const std::string& question);
  // The earlier question nearest to this one, if the gate takes both for the same.
  cascade::Attempt recall(const storage::Binding& binding, const Encoded& encoded);
  Result<std::optional<cascade::Attempt>> look_up(const cascade::Request& request,
                                                  const Understood& understood);
  const gate::Gate& words_gate();

  EmbeddingTierOptions options_;
  LoadEncoder load_encoder_;
  AnswerMemory& memory_;
  const Clock& clock_;
  Retrieval retrieval_;
  std::once_flag gate_read_;  // when there is a candidate
  std::optional<gate::Gate> gate_;
  std::mutex mutex_;  // of all below
  BoundEncoder in_use_;
  std::shared_ptr<engine::Embedder> encoder_;
  std::optional<intent::Head> intents_;
  std::shared_ptr<const Encoded> last_;  // asked again, or for several answers, it costs nothing
  std::string notice_;                   // of the set-up, told with the next attempt
};

}  // namespace tinyarms::tiers
