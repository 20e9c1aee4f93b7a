// What is computed again of conversations that take turns: three of them under one system prompt,
// asked one after the other, over a scheduler and over llama.cpp's own server with two slots and as
// many cells. The turns are written down here, so that both read the same; only the first tokens of
// each answer are waited for.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/clock.h"
#include "bench.h"
#include "engine/snapshots/snapshot_memory.h"
#include "llama_server.h"
#include "model.h"
#include "scheduler_answer.h"

namespace tinyarms::bench {
namespace {

constexpr int kConversations = 3;
constexpr int kSlots = 2;
constexpr int kSlotTokens = 2048;
constexpr int kAnswerTokens = 4;
constexpr uint64_t kCopiedBytes = 1'000'000'000;  // as prefix.memory_limit has it
// Each is fifteen prompts read twice, and what is computed of them is the same in every round.
constexpr int kRounds = 3;

using Messages = std::vector<engine::ChatMessage>;

std::string listed(int seed, int words) {
  std::string text;
  for (int i = 0; i < words; ++i) text += fmt::format("value_{} ", (seed * 37 + i * 11) % 89);
  return text;
}

// Everything said in conversation `number` before its answer number `turn`.
Messages conversation(int round, int number, int turn, bool smoke) {
  const int words = smoke ? 4 : 30;
  Messages messages;
  messages.push_back({"system", fmt::format("Round {}. You explain code. Names in use: {}", round,
                                            listed(round, 3 * words))});
  for (int i = 0; i <= turn; ++i) {
    const int seed = 100 * number + i;
    messages.push_back({"user", fmt::format("In module {} of {}, what is {}?", i, number,
                                            listed(seed, words))});
    if (i < turn) messages.push_back({"assistant", fmt::format("It is {}.", listed(~seed, words))});
  }
  return messages;
}

std::string json_of(const Messages& messages) {
  nlohmann::json list = nlohmann::json::array();
  for (const engine::ChatMessage& each : messages) {
    list.push_back({{"role", each.role}, {"content", each.content}});
  }
  return list.dump();
}

struct Sum {
  double seconds = 0;  // to first tokens
  int prompt_tokens = 0;
  int computed_tokens = 0;
};

template <typename Ask>
Result<void> each_turn(bool smoke, Ask ask) {
  for (int turn = 0; turn < (smoke ? 2 : 5); ++turn) {
    for (int number = 0; number < kConversations; ++number) {
      if (auto asked = ask(number, turn); !asked) return asked.error();
    }
  }
  return {};
}

Result<std::vector<Figure>> run(Bench& bench) {
  auto model = bench.small_model();
  if (!model) return model.error();
  auto weights = engine::LanguageModel::load((*model)->file());
  if (!weights) return weights.error();
  engine::CoreBudget cores(bench.options().threads);
  const SystemClock clock;
  engine::SnapshotMemory copies(kCopiedBytes, clock);
  auto scheduler = engine::Scheduler::create(
      **weights, cores,
      {.context_tokens = kSlotTokens,
       .parallel = kSlots,
       .kv_tokens = kSlots * kSlotTokens,
       .snapshots = {.memory = &copies},
       .model_stamp = "measured"});
  if (!scheduler) return scheduler.error();
  auto server = LlamaServer::start({.program = bench.options().deps / "llama/bin/llama-server",
                                    .file = (*model)->file(),
                                    .threads = cores.cores(),
                                    .parallel = kSlots,
                                    .context = kSlots * kSlotTokens});
  if (!server) return server.error();
  std::vector<double> ours, peers, ratios;
  Sum all;
  const int rounds = bench.smoke() ? 1 : kRounds;
  for (int round = 0; round < rounds + 1; ++round) {
    Sum mine, theirs;
    auto done = each_turn(bench.smoke(), [&](int number, int turn) -> Result<void> {
      auto answer = ask_scheduler(**scheduler, conversation(round, number, turn, bench.smoke()),
                                  kAnswerTokens);
      if (!answer) return answer.error();
      mine.seconds += answer->arrivals.front();
      mine.prompt_tokens += answer->prompt_tokens;
      mine.computed_tokens += answer->prompt_tokens - answer->cached_tokens;
      return {};
    });
    if (!done) return done.error();
    done = each_turn(bench.smoke(), [&](int number, int turn) -> Result<void> {
      auto arrivals = (*server)->ask(
          json_of(conversation(round, number, turn, bench.smoke())), kAnswerTokens);
      if (!arrivals) return arrivals.error();
      theirs.seconds += arrivals->front();
      return {};
    });
    if (!done) return done.error();
    if (round == 0) continue;  // warm-up of both
    ours.push_back(1e3 * mine.seconds);
    peers.push_back(1e3 * theirs.seconds);
    ratios.push_back(mine.seconds / theirs.seconds);
    all.prompt_tokens += mine.prompt_tokens;
    all.computed_tokens += mine.computed_tokens;
  }
  return std::vector<Figure>{
      {.name = "conversations/first-tokens",
       .unit = "ms",
       .ours = median(ours),
       .peer = median(peers),
       .ratio = median(ratios),
       .kind = Goal::RatioAtMost,
       .goal = 1},
      {.name = "conversations/computed-of-read",
       .unit = "share",
       .ours = double(all.computed_tokens) / all.prompt_tokens,
       .kind = Goal::OursAtMost,
       .goal = bench.smoke() ? 1 : 0.5}};
}

const Registration registration("conversations",
                                "beginnings that turns share, against llama-server", run);

}  // namespace
}  // namespace tinyarms::bench
