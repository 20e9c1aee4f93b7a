// What each part of L1 takes, warm: embedding a question, searching the remembered answers and the
// user's files, the gate, a reranker; then whole: a question remembered in the same words, and one
// in other words with its embedding. Rows that are searched are random directions, which cost what
// real ones do; the questions and the encoder are real.
#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <cmath>
#include <filesystem>
#include <functional>
#include <random>

#include "base/clock.h"
#include "bench.h"
#include "corpus/library.h"
#include "encoder/text_encoder.h"
#include "encoder/text_reranker.h"
#include "engine/bert_import.h"
#include "gate/gate.h"
#include "service/repository_state.h"
#include "storage/answer_cache.h"
#include "tiers/embedding_tier.h"

namespace tinyarms::bench {
namespace {

namespace fs = std::filesystem;

const std::string kQuestion = "How do I sort a list in Python?";
const std::string kOtherWords = "How can I sort a Python list?";
constexpr size_t kDimensions = 384;
constexpr size_t kPassagesReranked = 10;
constexpr size_t kPassageWords = 55;  // with the question's about 64 tokens

class TemporaryFolder {
 public:
  explicit TemporaryFolder(const fs::path& cache)
      : path_(cache / fmt::format("level1-{}", ::getpid())) {
    fs::create_directories(path_);
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  fs::path operator/(const char* name) const { return path_ / name; }

 private:
  fs::path path_;
};

std::vector<float> direction(std::mt19937& random) {
  std::normal_distribution<float> normal;
  std::vector<float> values(kDimensions);
  double squares = 0;
  for (float& value : values) {
    value = normal(random);
    squares += double{value} * double{value};
  }
  for (float& value : values) value /= static_cast<float>(std::sqrt(squares));
  return values;
}

// Milliseconds: the median of the rounds' best. `work` says whether it went well.
Result<double> best_of(const Bench& bench, const std::function<Result<void>()>& work) {
  const int repeats = bench.smoke() ? 1 : 20;
  std::vector<double> rounds;
  for (int round = 0; round < bench.rounds(); ++round) {
    double best = 1e9;
    for (int i = -1; i < repeats; ++i) {
      const auto start = std::chrono::steady_clock::now();
      auto done = work();
      const std::chrono::duration<double, std::milli> took =
          std::chrono::steady_clock::now() - start;
      if (!done) return done.error();
      if (i >= 0) best = std::min(best, took.count());
    }
    rounds.push_back(best);
  }
  return median(rounds);
}

Error unexpected(std::string what) {
  return {ErrorCode::Internal, std::move(what), "level1", ""};
}

Result<fs::path> encoder_file(const Bench& bench) {
  const auto& options = bench.options();
  const auto file = options.cache / "all-minilm-l6-v2.f32.gguf";
  if (fs::exists(file)) return file;
  auto imported = engine::import_bert(options.deps / "models" / "all-minilm-l6-v2", file,
                                      engine::EncoderType::F32);
  if (!imported) return imported.error();
  return file;
}

class Level1 {
 public:
  Level1(Bench& bench, fs::path encoder)
      : bench_(bench), encoder_(std::move(encoder)), folder_(bench.options().cache) {}

  Result<std::vector<Figure>> run() {
    for (const auto part : {&Level1::embed, &Level1::gate, &Level1::rerank, &Level1::answers,
                            &Level1::files, &Level1::hits}) {
      if (auto done = (this->*part)(); !done) return done.error();
    }
    return std::move(figures_);
  }

 private:
  Result<void> measure(const std::string& name, double goal,
                       const std::function<Result<void>()>& work) {
    auto ms = best_of(bench_, work);
    if (!ms) return ms.error();
    figures_.push_back({.name = "level1/" + name, .unit = "ms", .ours = *ms, .peer = {},
                        .ratio = {}, .kind = Goal::OursAtMost, .goal = goal});
    return {};
  }

  encoder::TextEncoderOptions encoder_options() const {
    return {.threads = bench_.options().threads, .precision = {}};
  }

  Result<void> embed() {
    auto encoder = encoder::load_text_encoder(encoder_, encoder_options());
    if (!encoder) return encoder.error();
    const std::vector<std::string> texts = {kQuestion};
    return measure("embed", 3, [&]() -> Result<void> {
      auto embedded = (*encoder)->embed(texts);
      if (!embedded) return embedded.error();
      return {};
    });
  }

  Result<void> gate() {
    const gate::Gate gate = gate::Gate::bundled();
    return measure("gate", 0.5, [&]() -> Result<void> {
      if (gate.compare(kQuestion, kOtherWords).same) return {};
      return unexpected("the gate refuses the benchmark's paraphrase");
    });
  }

  Result<void> rerank() {
    auto reranker = encoder::load_late_interaction(encoder_, encoder_options());
    if (!reranker) return reranker.error();
    std::string passage;
    for (size_t i = 0; i < kPassageWords; ++i) passage += "code ";
    const std::vector<std::string> passages(kPassagesReranked, passage);
    const StopFlag stop;
    return measure(fmt::format("rerank/{}x64", kPassagesReranked), 30, [&]() -> Result<void> {
      auto scores = (*reranker)->score(kQuestion, passages, stop);
      if (!scores) return scores.error();
      return {};
    });
  }

  size_t answer_count() const { return bench_.smoke() ? 200 : 10'000; }

  // Fills a cache with answers to other questions under that binding.
  Result<void> fill(storage::AnswerCache& cache, const storage::Binding& binding) {
    std::mt19937 random(5);
    for (size_t i = 0; i < answer_count(); ++i) {
      auto put = cache.put(binding,
                           {.question = fmt::format("question {}", i),
                            .answer = std::string(400, 'a'), .source = "m", .level = "l2",
                            .confidence = 0.9},
                           direction(random));
      if (!put) return put;
    }
    return {};
  }

  Result<void> answers() {
    auto opened = storage::Database::open(folder_ / "search.sqlite", clock_);
    if (!opened) return opened.error();
    storage::AnswerCache cache(*opened->database, clock_, {.entries_max = answer_count()});
    const storage::Binding binding{"bench"};
    if (auto filled = fill(cache, binding); !filled) return filled;
    std::mt19937 random(7);
    const std::vector<float> question = direction(random);
    return measure(fmt::format("search-answers/{}", answer_count()), 1.5, [&]() -> Result<void> {
      auto found = cache.find_similar(binding, question, 0.97);
      if (!found) return found.error();
      return {};
    });
  }

  Result<void> files() {
    const size_t count = bench_.smoke() ? 200 : 20'000;
    const StopFlag stop;
    auto library = corpus::Library::open_to_write(
        {.folder = folder_ / "index",
         .wanted = {.model = "m", .model_id = "m", .dimensions = kDimensions}},
        clock_, stop, nullptr);
    if (!library) return library.error();
    std::mt19937 random(9);
    storage::PassageStore::FileUpdate update;
    update.file = {.path = "/files/all.py", .stamp = "", .sha256 = "", .language = "python"};
    std::vector<float> vectors;
    for (uint32_t i = 0; i < count; ++i) {
      std::string body = fmt::format("def function_{}(items):", i);
      for (int word = 0; word < 40; ++word) body += fmt::format(" word{}", random() % 5000);
      if (i % 50 == 0) body += " sort list";
      const std::string symbol = fmt::format("function_{}", i);
      update.passages.push_back({.first_line = i + 1, .last_line = i + 1, .kind = "function",
                                 .symbol = symbol, .body = body, .symbol_words = symbol,
                                 .path_words = "all", .body_words = body});
      const auto row = direction(random);
      vectors.insert(vectors.end(), row.begin(), row.end());
    }
    auto ids = (*library)->store().replace(std::span(&update, 1));
    if (!ids) return ids.error();
    if (auto added = (*library)->add_vectors(*ids, vectors); !added) return added;
    const std::vector<float> question = direction(random);
    return measure(fmt::format("search-files/{}", count), 60, [&]() -> Result<void> {
      auto found = (*library)->search({.text = kQuestion, .vector = question, .count = 10,
                                       .weights = {}, .language = {}, .wanted = {}});
      if (!found) return found.error();
      return found->empty() ? Result<void>(unexpected("nothing was found")) : Result<void>();
    });
  }

  // Through the tier, as a request comes to it, the state of the repository looked at as well.
  Result<void> hits() {
    cascade::Request request;
    request.messages = {{cascade::Role::User, kQuestion}};
    const auto place = [](const std::string&) -> tiers::Place {
      auto found = service::repository_state(TINYARMS_BENCH_SOURCE);
      return {.project = std::move(found.root), .state = std::move(found.state)};
    };
    storage::Binding binding = tiers::answer_binding(request, "bench", place(""));
    binding.encoder = {.id = "e", .name = "encoder"};
    auto encoder = encoder::load_text_encoder(encoder_, encoder_options());
    if (!encoder) return encoder.error();
    auto embedded = (*encoder)->embed(std::span(&kQuestion, 1));
    if (!embedded) return embedded.error();
    {
      auto opened = storage::Database::open(folder_ / "hits.sqlite", clock_);
      if (!opened) return opened.error();
      storage::AnswerCache cache(*opened->database, clock_, {.entries_max = answer_count() + 1});
      if (auto filled = fill(cache, binding); !filled) return filled;
      auto put = cache.put(binding,
                           {.question = kQuestion, .answer = "sorted(items)", .source = "m",
                            .level = "l2", .confidence = 0.9},
                           embedded->front().values);
      if (!put) return put;
    }
    tiers::AnswerMemory memory(folder_ / "hits.sqlite", answer_count() + 1, clock_);
    tiers::EmbeddingTierOptions options;
    options.encoder.model.name = "encoder";
    options.encoder.model.path = encoder_;
    options.encoder.model.sha256 = "e";
    options.encoder.similarity_min = 0.7;
    options.stack = "bench";
    options.intent_folder = folder_ / "intents";
    options.place = place;
    tiers::EmbeddingTier tier(
        std::move(options),
        [&](const tiers::ModelRef& model) {
          return encoder::load_text_encoder(model.path, encoder_options());
        },
        memory, clock_);
    const auto ask = [&](const std::string& text, const char* source) -> Result<void> {
      request.messages.back().content = text;
      const StopFlag stop;
      cascade::Listener listener;
      auto attempt = tier.attempt(request, {}, stop, listener);
      if (!attempt) return attempt.error();
      if (attempt->source == source) return {};
      return unexpected(fmt::format("no {}: {}{}", source, attempt->reason, attempt->notice));
    };
    auto exact = measure("exact-hit", 0.2, [&] { return ask(kQuestion, "exact cache"); });
    if (!exact) return exact;
    // The tier keeps the embedding of the last question; turns make it embed each time.
    bool first = false;
    return measure("cache-hit", 5, [&] {
      first = !first;
      return ask(first ? kOtherWords : kOtherWordsToo, "semantic cache");
    });
  }

  static inline const std::string kOtherWordsToo =
      "What is the best way to sort a list in Python?";

  Bench& bench_;
  fs::path encoder_;
  TemporaryFolder folder_;
  SystemClock clock_;
  std::vector<Figure> figures_;
};

Result<std::vector<Figure>> run(Bench& bench) {
  auto encoder = encoder_file(bench);
  if (!encoder) return encoder.error();
  return Level1(bench, *encoder).run();
}

const Registration registration("level1", "the parts of L1, and hits of the answer cache", run);

}  // namespace
}  // namespace tinyarms::bench
