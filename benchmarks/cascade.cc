// The cascade as people meet it: a cold process that answers from a rule, a warm cache hit, the
// time to the first token, the memory of each tier, and what the recommended models would take.
#include <fmt/format.h>
#include <unistd.h>


#include "base/clock.h"
#include "bench.h"
#include "catalog/model_store.h"
#include "engine/memory_plan.h"
#include "model.h"
#include "service/assistant.h"
#include "whole_process.h"

namespace tinyarms::bench {
namespace {

namespace fs = std::filesystem;

constexpr double kGigabyte = 1e9;
constexpr uint32_t kContext = 4096;
constexpr uint32_t kBatch = 512;

// A home of its own with the default models, gone afterwards.
class Home {
 public:
  explicit Home(const Bench& bench)
      : folder_(fs::temp_directory_path() / fmt::format("tinyarms-bench-{}", ::getpid())),
        deps_(bench.options().deps) {
    fs::create_directories(folder_);
  }
  ~Home() {
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
  }
  Home(const Home&) = delete;
  Home& operator=(const Home&) = delete;

  Result<void> install() const {
    const catalog::ModelStore store(paths().models_dir);
    auto small = store.import(deps_ / "models" / "smollm2-135m-instruct.q4_1.gguf", {});
    if (!small) return small.error();
    auto encoder = store.import(deps_ / "models" / "all-minilm-l6-v2",
                                {.name = "all-minilm-l6-v2.f32",
                                 .source_note = "",
                                 .encoder_type = engine::EncoderType::F32});
    if (!encoder) return encoder.error();
    return {};
  }

  Paths paths() const {
    Paths paths;
    paths.config_file = folder_ / "config.toml";
    paths.cache_dir = folder_ / "tinyarms";
    paths.data_dir = folder_ / "tinyarms";
    paths.models_dir = paths.data_dir / "models";
    return paths;
  }

  std::vector<std::pair<std::string, std::string>> environment(int threads) const {
    const std::string home = folder_.string();
    return {{"HOME", home},           {"XDG_CACHE_HOME", home},
            {"XDG_DATA_HOME", home},  {"XDG_CONFIG_HOME", home},
            {"ASAN_OPTIONS", "detect_container_overflow=0"},
            {"TINYARMS_THREADS", std::to_string(threads)}};
  }

 private:
  fs::path folder_;
  fs::path deps_;
};

Figure limit(std::string name, std::string unit, double ours, double goal) {
  return {.name = std::move(name),
          .unit = std::move(unit),
          .ours = ours,
          .peer = {},
          .ratio = {},
          .kind = Goal::OursAtMost,
          .goal = goal};
}

// Exec to exit, the answer printed.
Result<Figure> cold_rule_answer(Bench& bench, const Home& home) {
  std::vector<double> times;
  for (int i = 0; i < (bench.smoke() ? 2 : 41); ++i) {
    auto use = run_process(bench.options().program, {"ask", "-q", "What is 0xff in decimal?"},
                           home.environment(bench.options().threads));
    if (!use) return use.error();
    times.push_back(use->seconds * 1e3);
  }
  return limit("startup/l0-answer", "ms", median(times), 20);
}

class FirstText final : public cascade::Listener {
 public:
  void text_generated(cascade::Level, std::string_view) override {
    if (seconds < 0) seconds = clock.monotonic_seconds();
  }
  SystemClock clock;
  double seconds = -1;
};

cascade::Request question(const service::Settings& settings, const std::string& text) {
  cascade::Request request = service::make_request(settings);
  request.messages.push_back({cascade::Role::User, text});
  return request;
}

// Two spellings that the encoder (uncased) reads alike and the exact lookup does not: each ask
// embeds anew, because the tier keeps only the last question's vector.
Result<std::vector<Figure>> in_process(Bench& bench, const Home& home) {
  service::Settings settings;
  settings.threads = bench.options().threads;
  settings.sampling.max_tokens = 400;
  settings.confidence_threshold = 0.0;
  const SystemClock clock;
  service::Assistant assistant(
      settings,
      {.paths = home.paths(), .clock = clock, .physical_bytes = service::physical_memory()});
  const StopFlag stop;

  FirstText first;
  const double asked = clock.monotonic_seconds();
  const cascade::Reply reply =
      assistant.ask(question(settings, "How do I sort a list in Python?"), stop, first);
  if (!reply.sure || reply.step()->level != cascade::Level::L2) {
    return Error{ErrorCode::Internal, "L2 gave no answer that can be kept", "cascade", ""};
  }
  std::vector<Figure> figures = {
      limit("first-token/l2-cold", "ms", (first.seconds - asked) * 1e3, 1000)};

  std::vector<double> times;
  const char* spellings[] = {"how do i sort a list in python?", "HOW DO I SORT A LIST IN PYTHON?"};
  for (int i = 0; i < (bench.smoke() ? 2 : 100); ++i) {
    cascade::Listener quiet;
    const double start = clock.monotonic_seconds();
    const cascade::Reply hit = assistant.ask(question(settings, spellings[i % 2]), stop, quiet);
    times.push_back((clock.monotonic_seconds() - start) * 1e3);
    if (hit.step() == nullptr || hit.step()->attempt.source != "semantic cache") {
      return Error{ErrorCode::Internal, "the semantic cache did not answer", "cascade", ""};
    }
  }
  figures.push_back(limit("cache/warm-semantic-hit", "ms", median(times), 20));
  return figures;
}

Result<std::vector<Figure>> memory_by_tier(Bench& bench, const Home& home) {
  std::vector<Figure> figures;
  const struct {
    const char* level;
    const char* question;
  } cases[] = {{"l0", "What is 0xff in decimal?"}, {"l2", "What is a mutex?"}};
  for (const auto& [level, text] : cases) {
    std::vector<std::string> arguments = {"ask", "-q", "--max-tokens", "8", "--max-tier", level,
                                          text};
    auto use = run_process(bench.options().program, arguments,
                           home.environment(bench.options().threads), true);
    if (!use) return use.error();
    figures.push_back(limit(fmt::format("memory/default-up-to-{}", level), "GB",
                            static_cast<double>(use->bytes_peak) / kGigabyte, 2.5));
  }
  return figures;
}

// From the file of Qwen2.5-Coder-3B's exact shape, and for 7B from its published dimensions and
// size (4.68 GB at Q4_K_M, 28 layers, 4 key-value heads of 128, vocabulary 152,064).
Result<std::vector<Figure>> recommended_memory(Bench& bench) {
  auto large = bench.large_model();
  if (!large) return large.error();
  const double encoder = 0.091;
  const double small =
      static_cast<double>(engine::plan_memory((*large)->facts(), kContext, kBatch).total()) /
      kGigabyte;
  engine::ModelFacts seven = (*large)->facts();
  seven.weight_bytes = 4'683'000'000;
  seven.layers = 28;
  seven.embedding_width = 3584;
  seven.feed_forward_width = 18944;
  seven.heads = 28;
  seven.kv_heads = 4;
  seven.key_width = 128;
  seven.value_width = 128;
  seven.vocabulary = 152064;
  const double big =
      static_cast<double>(engine::plan_memory(seven, kContext, kBatch).total()) / kGigabyte;
  return std::vector<Figure>{limit("memory/recommended-l0-l2", "GB", encoder + small, 2.5),
                             limit("memory/recommended-all", "GB", encoder + small + big, 7.2)};
}

Result<std::vector<Figure>> run(Bench& bench) {
  const Home home(bench);
  if (auto installed = home.install(); !installed) return installed.error();
  std::vector<Figure> figures;
  auto cold = cold_rule_answer(bench, home);
  if (!cold) return cold.error();
  figures.push_back(*cold);
  for (auto part : {in_process(bench, home), memory_by_tier(bench, home),
                    recommended_memory(bench)}) {
    if (!part) return part.error();
    figures.insert(figures.end(), part->begin(), part->end());
  }
  return figures;
}

const Registration registration("cascade", "start, cache hit, first token, memory", run);

}  // namespace
}  // namespace tinyarms::bench
