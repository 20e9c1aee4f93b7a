#include "tiers/answer_memory.h"

#include <fmt/format.h>

#include "base/sha256.h"

namespace tinyarms::tiers {

struct AnswerMemory::Store {
  Store(std::unique_ptr<storage::Database> opened, const Clock& clock,
        const storage::AnswerCacheOptions& options)
      : database(std::move(opened)),
        answers(*database, clock, options),
        memo(*database) {}

  std::unique_ptr<storage::Database> database;
  storage::AnswerCache answers;
  storage::EmbeddingMemo memo;
};

storage::Binding answer_binding(const cascade::Request& request, std::string_view stack,
                                const Place& place) {
  std::string identity;
  // Each part with its length and each list with its count: what one request says in one place can
  // never read like what another says elsewhere, or it would be given another owner's answers.
  const auto add = [&](std::string_view part) {
    identity += fmt::format("{}:{};", part.size(), part);
  };
  const auto count = [&](size_t parts) { identity += fmt::format("{}#", parts); };
  add(request.owner);
  add(place.project);
  add(place.state);
  add(stack);
  const cascade::Sampling& sampling = request.sampling;
  add(fmt::format("{} {} {}", sampling.temperature, sampling.seed, sampling.tokens_max));
  count(sampling.stop.size());
  for (const std::string& stop : sampling.stop) add(stop);
  add(request.level_max ? level_name(*request.level_max) : "any");
  add(request.model);
  count(request.messages.size());
  for (size_t i = 0; i + 1 < request.messages.size(); ++i) {
    add(fmt::format("{}", static_cast<int>(request.messages[i].role)));
    add(request.messages[i].content);
  }
  count(request.files.size());
  for (const cascade::ContextFile& file : request.files) {
    add(file.path);
    add(file.content);
  }
  return {.hash = sha256_hex(identity),
          .user = request.owner,
          .project = place.project,
          .state = place.state,
          .sampling = fmt::format("{}, {} tokens", cascade::sampler_name(sampling),
                                  sampling.tokens_max)};
}

AnswerMemory::AnswerMemory(std::filesystem::path database, size_t entries_max, const Clock& clock)
    : AnswerMemory(std::move(database), storage::AnswerCacheOptions{.entries_max = entries_max},
                   clock) {}

AnswerMemory::AnswerMemory(std::filesystem::path database,
                           const storage::AnswerCacheOptions& options, const Clock& clock)
    : path_(std::move(database)), options_(options), clock_(clock) {}

AnswerMemory::~AnswerMemory() = default;

AnswerMemory::Store* AnswerMemory::store() {
  if (tried_) return store_.get();
  tried_ = true;
  auto opened = storage::Database::open(path_, clock_);
  if (!opened) {
    note(opened.error());
    return nullptr;
  }
  notice_ += opened->notice;
  store_ = std::make_unique<Store>(std::move(opened->database), clock_, options_);
  return store_.get();
}

void AnswerMemory::note(const Error& error) {
  if (!notice_.empty()) notice_ += "; ";
  notice_ += fmt::format("going on without the cache: {}", error.message());
  store_.reset();  // one failure is told once; the rest of this process goes on without
}

std::optional<storage::CachedAnswer> AnswerMemory::find_exact(const storage::Binding& binding,
                                                              std::string_view question) {
  const std::lock_guard lock(mutex_);
  Store* open = store();
  if (open == nullptr) return std::nullopt;
  auto found = open->answers.find_exact(binding, question);
  if (found) return std::move(*found);
  note(found.error());
  return std::nullopt;
}

std::optional<storage::CacheHit> AnswerMemory::find_similar(const storage::Binding& binding,
                                                            std::span<const float> embedding,
                                                            double similarity_min) {
  const std::lock_guard lock(mutex_);
  Store* open = store();
  if (open == nullptr) return std::nullopt;
  auto found = open->answers.find_similar(binding, embedding, similarity_min);
  if (found) return std::move(*found);
  note(found.error());
  return std::nullopt;
}

void AnswerMemory::remember(const storage::Binding& binding, const storage::CachedAnswer& entry,
                            std::span<const float> embedding) {
  const std::lock_guard lock(mutex_);
  Store* open = store();
  if (open == nullptr) return;
  auto put = open->answers.put(binding, entry, embedding);
  // An answer too large to keep is no fault of the cache's.
  if (!put && put.error().code != ErrorCode::OverBudget) note(put.error());
}

std::optional<storage::CacheEncoder> AnswerMemory::serving_encoder(std::string_view wanted_id) {
  const std::lock_guard lock(mutex_);
  Store* open = store();
  if (open == nullptr) return std::nullopt;
  auto serving = open->answers.serving_encoder(wanted_id);
  if (serving) return std::move(*serving);
  note(serving.error());
  return std::nullopt;
}

std::optional<std::vector<std::vector<float>>> AnswerMemory::recall(
    std::string_view encoder_sha256, std::span<const std::string> texts) {
  const std::lock_guard lock(mutex_);
  Store* open = store();
  if (open == nullptr) return std::nullopt;
  auto known = open->memo.get(encoder_sha256, texts);
  if (!known) {
    note(known.error());
    return std::nullopt;
  }
  std::vector<std::vector<float>> vectors;
  for (auto& vector : *known) {
    if (!vector) return std::nullopt;
    vectors.push_back(std::move(*vector));
  }
  return vectors;
}

void AnswerMemory::keep(std::string_view encoder_sha256, std::span<const std::string> texts,
                        std::span<const std::vector<float>> vectors) {
  const std::lock_guard lock(mutex_);
  Store* open = store();
  if (open == nullptr) return;
  if (auto put = open->memo.put(encoder_sha256, texts, vectors); !put) note(put.error());
}

std::string AnswerMemory::take_notice() {
  const std::lock_guard lock(mutex_);
  return std::exchange(notice_, {});
}

}  // namespace tinyarms::tiers
