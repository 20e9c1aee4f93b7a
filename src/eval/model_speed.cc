#include "eval/model_speed.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "encoder/text_encoder.h"
#include "encoder/text_reranker.h"
#include "engine/generator.h"
#include "engine/scheduler/core_budget.h"
#include "eval/energy_meter.h"
#include "eval/machine.h"
#include "eval/process_memory.h"

namespace tinyarms::eval {
namespace {

constexpr int kRounds = 3;
constexpr int kTextsARound = 32;
constexpr int kPairsARound = 8;
constexpr int kWarmUpWords = 24;
constexpr int kWarmUpTokens = 8;
constexpr double kTemperature = 0.7;  // a greedy answer may end at once, and so each time

double middle_of(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const size_t half = values.size() / 2;
  return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

// No two alike: what was computed for one must not serve another.
std::string words_of(int count, int round) {
  static constexpr const char* kWords[] = {"light", "house", "keeper", "storm", "table", "value",
                                           "list",  "river", "number", "green", "quiet", "index"};
  std::string text;
  for (int i = 0; i < count; ++i) {
    text += kWords[static_cast<size_t>(i * 7 + round * 5 + i / 11) % std::size(kWords)];
    text += ' ';
  }
  return text;
}

// Between an error and the next: Ctrl-C is seen after every step.
class Measuring {
 public:
  Measuring(const catalog::InstalledModel& model, const SpeedOptions& options, const Clock& clock,
            const StopFlag& stop)
      : model_(model), options_(options), clock_(clock), stop_(stop) {
    reset_peak_memory();
    memory_before_ = peak_memory_bytes();
    began_ = clock.monotonic_seconds();
    result_.on = measured_on(model.sha256, options.threads);
    result_.model = model.name;
    result_.at = clock.wall_seconds();
  }

  Result<catalog::MeasuredSpeed> run() {
    auto done = model_.reranker ? rerank() : model_.encoder ? embed() : generate();
    if (!done) return done.error();
    result_.memory_bytes = std::max(peak_memory_bytes(), memory_before_) - memory_before_;
    return result_;
  }

 private:
  double elapsed() const { return clock_.monotonic_seconds() - began_; }
  bool time_for_more(int rounds) const {
    return rounds < kRounds && (rounds == 0 || elapsed() < options_.seconds_max);
  }
  Result<void> step(const std::string& what) const {
    if (stop_.raised()) return Error{ErrorCode::Interrupted, "stopped", model_.name, ""};
    if (options_.progress) options_.progress(what);
    return {};
  }
  void loaded() { result_.load_seconds = elapsed(); }

  // The power from here to the end of work.
  void start_power() {
    meter_.take();
    power_since_ = elapsed();
  }
  void end_power() {
    const auto joules = meter_.take();
    const double seconds = elapsed() - power_since_;
    if (joules && *joules > 0 && seconds > 0) result_.watts = *joules / seconds;
  }

  Result<void> generate() {
    if (auto go = step("loading"); !go) return go;
    auto weights = engine::LanguageModel::load(model_.path);
    if (!weights) return weights.error();
    auto generator = engine::Generator::create(
        **weights, {.context_tokens = kSpeedContext, .threads = options_.threads});
    if (!generator) return generator.error();
    loaded();
    if (auto go = step("warming up"); !go) return go;
    auto first = ask(**generator, kWarmUpWords, kWarmUpTokens, 0);
    if (!first) return first.error();
    const SpeedPlan plan = plan_speed(rates_of(*first), options_.seconds_max - elapsed());
    const int words = std::max(1, kWarmUpWords * plan.prompt_tokens / first->prompt_tokens);
    std::vector<double> prompts;
    std::vector<double> answers;
    start_power();
    for (int round = 1; round <= plan.rounds; ++round) {
      if (auto go = step(fmt::format("reading and writing, {} of {}", round, plan.rounds)); !go) {
        return go;
      }
      auto answer = ask(**generator, words, plan.answer_tokens, round);
      if (!answer) return answer.error();
      const TokenRates rates = rates_of(*answer);
      prompts.push_back(rates.prompt);
      answers.push_back(rates.answer);
      result_.prompt_tokens = answer->prompt_tokens;
      result_.answer_tokens = std::max(result_.answer_tokens, answer->completion_tokens);
    }
    end_power();
    result_.prompt_tokens_rate = middle_of(std::move(prompts));
    result_.answer_tokens_rate = middle_of(std::move(answers));
    return {};
  }

  // An answer of at least two tokens: the first comes out of the prompt.
  Result<engine::Generation> ask(engine::Generator& generator, int words, int tokens, int round) {
    const std::vector<engine::ChatMessage> messages = {
        {"user", words_of(words, round) + "Write a very long and detailed story about these."}};
    constexpr uint32_t kSeeds = 20;
    for (uint32_t seed = 0; seed < kSeeds; ++seed) {
      auto answer = generator.generate(messages,
                                       {.tokens_max = tokens + 1,
                                        .temperature = kTemperature,
                                        .seed = seed + static_cast<uint32_t>(round) * kSeeds},
                                       stop_, {});
      if (!answer) return answer.error();
      if (answer->finish == engine::FinishReason::Interrupted) {
        return Error{ErrorCode::Interrupted, "stopped", model_.name, ""};
      }
      if (answer->completion_tokens > 1 && answer->decode_seconds > 0) return answer;
    }
    return Error{ErrorCode::Unsupported, "ends every answer at once: there is no speed to measure",
                 model_.name, "is it a model that answers?"};
  }

  static TokenRates rates_of(const engine::Generation& answer) {
    return {.prompt = answer.prompt_tokens / std::max(answer.prefill_seconds, 1e-6),
            .answer = (answer.completion_tokens - 1) / answer.decode_seconds};
  }

  Result<void> embed() {
    if (auto go = step("loading"); !go) return go;
    auto embedder =
        encoder::load_text_encoder(model_.path, {.threads = options_.threads, .precision = {}});
    if (!embedder) return embedder.error();
    loaded();
    const std::vector<std::string> few = {words_of(kWarmUpWords, 0)};
    if (auto warm = (*embedder)->embed(few); !warm) return warm.error();
    std::vector<double> texts;
    std::vector<double> tokens;
    start_power();
    for (int round = 0; time_for_more(round); ++round) {
      if (auto go = step(fmt::format("embedding, {} of {}", round + 1, kRounds)); !go) return go;
      const std::vector<std::string> batch = texts_of(kTextsARound, round + 1);
      double count = 0;
      for (const std::string& text : batch) {
        auto ids = (*embedder)->tokenize(text);
        if (!ids) return ids.error();
        count += static_cast<double>(ids->size());
      }
      const double before = elapsed();
      if (auto done = (*embedder)->embed(batch); !done) return done.error();
      const double seconds = std::max(elapsed() - before, 1e-6);
      texts.push_back(kTextsARound / seconds);
      tokens.push_back(count / seconds);
    }
    end_power();
    result_.texts_rate = middle_of(std::move(texts));
    result_.text_tokens_rate = middle_of(std::move(tokens));
    return {};
  }

  Result<void> rerank() {
    if (auto go = step("loading"); !go) return go;
    auto reranker =
        encoder::load_cross_encoder(model_.path, {.threads = options_.threads, .precision = {}});
    if (!reranker) return reranker.error();
    loaded();
    const std::string query = "which of these has the number";
    if (auto warm = (*reranker)->score(query, texts_of(1, 0), stop_); !warm) return warm.error();
    std::vector<double> pairs;
    start_power();
    for (int round = 0; time_for_more(round); ++round) {
      if (auto go = step(fmt::format("scoring, {} of {}", round + 1, kRounds)); !go) return go;
      const std::vector<std::string> batch = texts_of(kPairsARound, round + 1);
      const double before = elapsed();
      if (auto done = (*reranker)->score(query, batch, stop_); !done) return done.error();
      pairs.push_back(kPairsARound / std::max(elapsed() - before, 1e-6));
    }
    end_power();
    result_.texts_rate = middle_of(std::move(pairs));
    return {};
  }

  // Lengths as they come: 8 to 100 words.
  static std::vector<std::string> texts_of(int count, int round) {
    std::vector<std::string> texts;
    for (int i = 0; i < count; ++i) {
      texts.push_back(words_of(8 + (i * 37 + round * 11) % 93, round * count + i));
    }
    return texts;
  }

  const catalog::InstalledModel& model_;
  const SpeedOptions& options_;
  const Clock& clock_;
  const StopFlag& stop_;
  EnergyMeter meter_;
  uint64_t memory_before_ = 0;
  double began_ = 0;
  double power_since_ = 0;
  catalog::MeasuredSpeed result_;
};

}  // namespace

SpeedPlan plan_speed(const TokenRates& rates, double seconds_left) {
  SpeedPlan plan;
  const double round = plan.prompt_tokens / std::max(rates.prompt, 1e-3) +
                       plan.answer_tokens / std::max(rates.answer, 1e-3);
  const double fit = std::max(seconds_left, 0.0) / round;
  if (fit >= 1) {
    plan.rounds = static_cast<int>(std::min(fit, static_cast<double>(kRounds)));
    return plan;
  }
  plan.rounds = 1;
  plan.prompt_tokens = std::max(32, static_cast<int>(plan.prompt_tokens * fit));
  plan.answer_tokens = std::max(4, static_cast<int>(plan.answer_tokens * fit));
  return plan;
}

catalog::MeasuredOn measured_on(const std::string& sha256, int threads) {
  return {.model_sha256 = sha256,
          .engine = describe_engine(),
          .processor = processor_name(),
          .threads = engine::CoreBudget(threads).cores()};
}

Result<catalog::MeasuredSpeed> measure_speed(const catalog::InstalledModel& model,
                                             const SpeedOptions& options, const Clock& clock,
                                             const StopFlag& stop) {
  return Measuring(model, options, clock, stop).run();
}

}  // namespace tinyarms::eval
