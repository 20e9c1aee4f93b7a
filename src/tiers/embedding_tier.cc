#include "tiers/embedding_tier.h"

#include <fmt/format.h>

#include <utility>

#include "encoder/model_manners.h"

namespace tinyarms::tiers {
namespace {

namespace signal = cascade::signal;

cascade::Attempt cached_attempt(const storage::CachedAnswer& entry, double similarity,
                                std::string source) {
  cascade::Attempt attempt;
  attempt.answered = true;
  attempt.answer = entry.answer;
  attempt.source = std::move(source);
  attempt.evidence.set(signal::kSimilarity, similarity);
  attempt.evidence.set(signal::kCachedQuestion, entry.question);
  attempt.evidence.set(signal::kCachedLevel, entry.level);
  attempt.evidence.set(signal::kCachedConfidence, entry.confidence);
  attempt.evidence.set(signal::kCacheEntry, entry.name);
  attempt.notice = fmt::format("{} answered this to “{}”", entry.source, entry.question);
  return attempt;
}

void add_notice(cascade::Attempt& attempt, std::string notice) {
  if (notice.empty()) return;
  attempt.notice = attempt.notice.empty() ? std::move(notice) : attempt.notice + "; " + notice;
}

storage::CacheEncoder cache_encoder(const BoundEncoder& encoder) {
  return {.id = encoder.model.sha256, .name = encoder.model.name};
}

}  // namespace

EmbeddingTier::EmbeddingTier(EmbeddingTierOptions options, LoadEncoder load_encoder,
                             AnswerMemory& memory, const Clock& clock)
    : options_(std::move(options)),
      load_encoder_(std::move(load_encoder)),
      memory_(memory),
      clock_(clock),
      retrieval_(options_.retrieval, clock),
      in_use_(options_.encoder) {}

std::string EmbeddingTier::describe() const {
  const std::string name = options_.encoder.model.describe();
  if (!options_.remember_answers) return fmt::format("{}: intent", name);
  const auto& least = options_.encoder.similarity_min;
  return least ? fmt::format("{}: cache (similarity ≥ {:.2f}) and intent", name, *least)
               : fmt::format("{}: cache (the same words only) and intent", name);
}

std::optional<std::string> EmbeddingTier::skip_reason(const cascade::Request& request,
                                                      const cascade::Trace&) const {
  if (request.prefix) return "a bare text asks no question";
  if (options_.encoder.model.configured()) return std::nullopt;
  return "not configured (set l1.model)";
}

// Who asks for randomness does not want the same answer twice.
bool EmbeddingTier::may_recall(const cascade::Request& request) const {
  return options_.remember_answers && !request.made_to_order &&
         request.sampling.temperature == 0 && !request.sampling.bent();
}

// The files are those of who runs this process, not of others that it serves. Who brings files
// along asks about those.
bool EmbeddingTier::may_look_up(const cascade::Request& request) const {
  return request.owner.empty() && request.files.empty() && !request.made_to_order &&
         retrieval_.ready();
}

// One encoder serves all of L1 at a time: the one whose vectors the index is searched by, else the
// one that the remembered questions have theirs of. It is the configured one but while vectors are
// being made for that. None: the configured one. Costs some microseconds.
std::optional<storage::CacheEncoder> EmbeddingTier::serving_encoder() {
  if (!options_.find_encoder) return std::nullopt;
  if (retrieval_.ready()) {
    // What is wrong with the index is told by who asks it.
    auto maker = retrieval_.refresh();
    if (!maker || !*maker) return std::nullopt;
    return storage::CacheEncoder{.id = (*maker)->model_id, .name = (*maker)->model};
  }
  if (!options_.remember_answers) return std::nullopt;
  return memory_.serving_encoder(options_.encoder.model.sha256);
}

void EmbeddingTier::choose_encoder(const std::optional<storage::CacheEncoder>& serving) {
  const std::string& configured = options_.encoder.model.sha256;
  std::optional<BoundEncoder> chosen;
  if (serving && serving->id != configured) {
    chosen = options_.find_encoder(serving->name, serving->id);
  }
  const std::string& id = chosen ? chosen->model.sha256 : configured;
  if (id == in_use_.model.sha256) return;
  in_use_ = chosen ? std::move(*chosen) : options_.encoder;
  encoder_.reset();  // climbs that began with it keep it until they are done
  intents_.reset();
  last_.reset();
}

Result<double> EmbeddingTier::ready_encoder() {
  if (intents_) return 0.0;
  const double start = clock_.monotonic_seconds();
  if (!encoder_) {
    if (in_use_.model.problem) return *in_use_.model.problem;
    auto encoder = load_encoder_(in_use_.model);
    if (!encoder) return encoder.error();
    encoder_ = std::move(*encoder);
  }
  if (auto ready = ready_intents(); !ready) return ready.error();
  return clock_.monotonic_seconds() - start;
}

Result<void> EmbeddingTier::ready_intents() {
  const auto embed_all = [&](std::span<const std::string> texts) -> Result<Vectors> {
    auto embeddings = encoder_->embed(texts);
    if (!embeddings) return embeddings.error();
    Vectors vectors;
    for (auto& embedding : *embeddings) vectors.push_back(std::move(embedding.values));
    return vectors;
  };
  auto provided = provide_head({.encoder = in_use_.model.sha256,
                                .user_head = options_.intent_head,
                                .kept_folder = options_.intent_folder},
                               [&](std::span<const std::string> texts) {
                                 return memory_.memoised(in_use_.model.sha256, texts, embed_all);
                               });
  if (!provided) return provided.error();
  notice_ = std::move(provided->notice);
  intents_ = std::move(provided->head);
  return {};
}

Result<EmbeddingTier::Understood> EmbeddingTier::understand(const std::string& question,
                                                            const StopFlag& stop) {
  const auto serving = serving_encoder();  // before the lock: a search may be under way
  const std::lock_guard lock(mutex_);
  if (stop.raised()) return Error{ErrorCode::Interrupted, "stopped before it was embedded", "", ""};
  choose_encoder(serving);
  auto load_seconds = ready_encoder();
  if (!load_seconds) return load_seconds.error();
  auto encoded = encode(question);
  if (!encoded) return encoded.error();
  intent::Intent intent = intents_->classify((*encoded)->vector);
  return Understood{std::move(*encoded), encoder_, std::move(intent), *load_seconds,
                    std::exchange(notice_, {})};
}

Result<std::shared_ptr<const EmbeddingTier::Encoded>> EmbeddingTier::encode(
    const std::string& question) {
  if (last_ && last_->question == question) return last_;
  auto embeddings = encoder_->embed(std::span(&question, 1));
  if (!embeddings) return embeddings.error();
  engine::Embedding& embedding = embeddings->front();
  last_ = std::make_shared<const Encoded>(
      Encoded{question, std::move(embedding.values), embedding.truncated || embedding.parts > 1,
              in_use_});
  return last_;
}

const gate::Gate& EmbeddingTier::words_gate() {
  std::call_once(gate_read_, [this] { gate_ = gate::Gate::bundled(); });
  return *gate_;
}

cascade::Attempt EmbeddingTier::recall(const storage::Binding& binding, const Encoded& encoded) {
  if (!encoded.by.similarity_min) {
    return cascade::Attempt::abstain(fmt::format(
        "no earlier answer to these words; no threshold for others is calibrated for {} "
        "(tinyarms cache calibrate)", encoded.by.model.name));
  }
  const double similarity_min = std::min(*encoded.by.similarity_min, 1.0);
  auto hit = memory_.find_similar(binding, encoded.vector, similarity_min);
  if (!hit) return cascade::Attempt::abstain("no earlier answer to this question");
  const gate::Verdict verdict = words_gate().compare(encoded.question, hit->entry.question);
  cascade::Attempt attempt =
      verdict.same
          ? cached_attempt(hit->entry, hit->similarity, "semantic cache")
          : cascade::Attempt::abstain(fmt::format("like “{}” (cosine {:.3f}), but {}",
                                                  hit->entry.question, hit->similarity,
                                                  verdict.why));
  attempt.evidence.set(signal::kSimilarity, hit->similarity);
  attempt.evidence.set(signal::kSimilarityMin, similarity_min);
  attempt.evidence.set(signal::kGate, std::string(gate::difference_name(verdict.difference)));
  attempt.evidence.set(signal::kGateReason, verdict.why);
  return attempt;
}

Result<cascade::Attempt> EmbeddingTier::attempt(const cascade::Request& request,
                                                const cascade::Trace&, const StopFlag& stop,
                                                cascade::Listener& listener) {
  const std::string& question = request.question();
  auto asked = std::make_shared<Asked>();
  asked->place = place_of(request);
  storage::Binding binding = answer_binding(request, options_.stack, asked->place);
  const auto finish = [&](cascade::Attempt attempt) {
    attempt.keepsake = asked;
    add_notice(attempt, memory_.take_notice());
    if (attempt.answered) listener.text_generated(level(), attempt.answer);
    return attempt;
  };

  // What the user's files say changes with them, so it is looked up anew.
  const bool own = may_look_up(request) && asks_about_own_code(question);

  // The same words need no embedding: an exact hit never loads the encoder.
  if (may_recall(request) && !own) {
    if (auto exact = memory_.find_exact(binding, question)) {
      return finish(cached_attempt(*exact, 1.0, "exact cache"));
    }
  }

  auto understood = understand(question, stop);
  if (!understood) return understood.error();
  asked->encoded = understood->encoded;
  const Encoded& encoded = *asked->encoded;
  binding.encoder = cache_encoder(encoded.by);
  const intent::Intent& intent = understood->intent;

  cascade::Attempt attempt = cascade::Attempt::abstain(
      request.made_to_order ? "made to order: no earlier answer is looked for"
                            : "no earlier answer to this question");
  std::string retrieval_notice;
  if (own || (may_look_up(request) && intent.name == kAboutMyCode)) {
    auto found = look_up(request, *understood);
    if (found && *found) attempt = std::move(**found);
    if (!found) retrieval_notice = "your files were not searched: " + found.error().message();
  }
  // The head of a long text says too little about the whole to take its answer for this one's.
  const bool looked_up = attempt.evidence.text(signal::kSources).has_value();
  if (may_recall(request) && !looked_up && !encoded.truncated) {
    attempt = recall(binding, encoded);
  }
  // Feedback finds the answer by it that is going to be remembered.
  if (may_recall(request) && !looked_up && !attempt.answered) {
    attempt.evidence.set(signal::kCacheEntry, storage::AnswerCache::name_of(binding, question));
  }
  add_notice(attempt, std::move(retrieval_notice));
  add_notice(attempt, std::move(understood->notice));
  attempt.evidence.set(signal::kIntent, intent.name);
  attempt.evidence.set(signal::kIntentProbability, intent.probability);
  attempt.evidence.set(signal::kIntentMargin, intent.margin);
  attempt.cost.load_seconds = understood->load_seconds;
  return finish(std::move(attempt));
}

// Models that were trained with words before a question want them here, unlike for the cache.
Result<std::optional<cascade::Attempt>> EmbeddingTier::look_up(const cascade::Request& request,
                                                               const Understood& understood) {
  const Encoded& encoded = *understood.encoded;
  const auto embed = [&](const std::string& text) -> Result<std::vector<float>> {
    const std::lock_guard lock(mutex_);
    engine::Embedder& encoder = *understood.encoder;
    const std::string prompt = encoder::prompt_for(encoder.facts(), encoder::Purpose::Query);
    if (prompt.empty()) return encoded.vector;
    const std::string prompted = prompt + text;
    auto embeddings = encoder.embed(std::span(&prompted, 1));
    if (!embeddings) return embeddings.error();
    return std::move(embeddings->front().values);
  };
  return retrieval_.look_up({.question = encoded.question,
                             .encoder_id = encoded.by.model.sha256,
                             .folder = request.folder},
                            embed);
}

void EmbeddingTier::remember(const cascade::Request& request, const cascade::Reply& reply) {
  const cascade::Step* step = reply.step();
  const bool worth_keeping = reply.sure && step != nullptr && step->level > cascade::Level::L1 &&
                             step->attempt.finish == cascade::Finish::Stop;
  // An answer forced from one tier is not what the cascade would have given.
  if (!worth_keeping || !may_recall(request) || request.only_level) return;
  // Nor does one from the user's files hold when they change.
  if (cascade::find_text(reply.trace, signal::kSources) ||
      cascade::find_text(reply.trace, signal::kIntent) == kAboutMyCode) {
    return;
  }

  const Asked* asked = nullptr;
  for (const cascade::Step& one : reply.trace) {
    if (const auto* kept = dynamic_cast<const Asked*>(one.attempt.keepsake.get())) asked = kept;
  }
  const bool embedded = asked != nullptr && asked->encoded && !asked->encoded->truncated;
  const Place place = asked != nullptr ? asked->place : place_of(request);
  storage::Binding binding = answer_binding(request, options_.stack, place);
  if (embedded) binding.encoder = cache_encoder(asked->encoded->by);
  memory_.remember(binding,
                   {.question = request.question(),
                    .answer = step->attempt.answer,
                    .source = step->attempt.source,
                    .level = std::string(level_name(step->level)),
                    .confidence = step->confidence.value_or(0)},
                   embedded ? std::span<const float>(asked->encoded->vector)
                            : std::span<const float>{});
}

}  // namespace tinyarms::tiers
