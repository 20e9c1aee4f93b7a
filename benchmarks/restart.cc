// What a restart costs a conversation: the first token of a prompt of 1,000 tokens from a process
// that has just loaded its model, computed cold and with the prompt's prefix restored from disk.
// The file is dropped from the page cache before it is read, as far as the system does that.
#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "base/clock.h"
#include "base/descriptor.h"
#include "bench.h"
#include "engine/snapshots/snapshot_keeper.h"
#include "engine/snapshots/snapshot_memory.h"
#include "model.h"
#include "scheduler_answer.h"

namespace tinyarms::bench {
namespace {

namespace fs = std::filesystem;

constexpr uint32_t kRestartContext = 2048;

std::vector<engine::ChatMessage> long_prompt(int round, bool smoke) {
  std::string text = fmt::format("Round {}. Values in use: ", round);
  for (int i = 0; i < (smoke ? 80 : 250); ++i) {
    text += fmt::format("value_{} ", (round * 37 + i * 11) % 89);
  }
  return {{"user", text + "\nWhich comes first?"}};
}

void drop_from_page_cache(const fs::path& folder) {
  for (const auto& entry : fs::directory_iterator(folder)) {
    const Descriptor file(::open(entry.path().c_str(), O_RDONLY | O_CLOEXEC));
    ::posix_fadvise(file.get(), 0, 0, POSIX_FADV_DONTNEED);
  }
}

// One process's worth: a context of its own and, where a folder is named, the snapshots in it.
struct Asked {
  double first_ms = 0;
  int prompt_tokens = 0;
  int computed = 0;   // tokens of the prompt
  double end_ms = 0;  // the scheduler's: copying what is kept, and taking the context apart
};
Result<Asked> ask_after_start(const engine::LanguageModel& weights, engine::CoreBudget& cores,
                              const fs::path& base, std::vector<engine::ChatMessage> messages) {
  const SystemClock clock;
  engine::SnapshotMemory memory(0, clock);
  std::unique_ptr<engine::SnapshotKeeper> keeper;
  if (!base.empty()) {
    auto folder = engine::SnapshotFolder::open(
        {.folder = base / "prefixes", .key_file = base / "key", .bytes_max = 1 << 30}, clock);
    if (!folder) return folder.error();
    (*folder)->refresh();
    keeper = std::make_unique<engine::SnapshotKeeper>(std::move(*folder));
  }
  auto scheduler =
      engine::Scheduler::create(weights, cores, {.context_tokens = kRestartContext,
                                                 .snapshots = {&memory, keeper.get()},
                                                 .model_hash = "measured"});
  if (!scheduler) return scheduler.error();
  auto answer = ask_scheduler(**scheduler, std::move(messages), 1);
  if (!answer) return answer.error();
  Asked asked{.first_ms = 1e3 * answer->arrivals.front(),
              .prompt_tokens = answer->prompt_tokens,
              .computed = answer->prompt_tokens - answer->cached_tokens};
  const double start = clock.monotonic_seconds();
  scheduler->reset();
  asked.end_ms = 1e3 * (clock.monotonic_seconds() - start);
  return asked;
}

Result<std::vector<Figure>> run(Bench& bench) {
  auto model = bench.small_model();
  if (!model) return model.error();
  auto weights = engine::LanguageModel::load((*model)->file());
  if (!weights) return weights.error();
  engine::CoreBudget cores(bench.options().threads);
  const fs::path base = bench.options().cache / "restart";
  std::vector<double> cold, restored, ratios, copies;
  double computed = 0, read = 0;
  for (int round = 0; round < bench.rounds() + 1; ++round) {
    fs::remove_all(base);
    const auto messages = long_prompt(round, bench.smoke());
    auto first = ask_after_start(**weights, cores, base, messages);
    if (!first) return first.error();
    drop_from_page_cache(base / "prefixes");
    auto from_disk = ask_after_start(**weights, cores, base, messages);
    if (!from_disk) return from_disk.error();
    auto anew = ask_after_start(**weights, cores, {}, messages);
    if (!anew) return anew.error();
    if (round == 0) continue;  // warm-up of both
    restored.push_back(from_disk->first_ms);
    cold.push_back(anew->first_ms);
    ratios.push_back(from_disk->first_ms / anew->first_ms);
    copies.push_back(first->end_ms);
    computed += from_disk->computed;
    read += from_disk->prompt_tokens;
  }
  fs::remove_all(base);
  const double most = bench.smoke() ? 10 : 0.2;
  return std::vector<Figure>{{.name = "restart/first-token",
                              .unit = "ms",
                              .ours = median(restored),
                              .peer = median(cold),
                              .ratio = median(ratios),
                              .kind = Goal::RatioAtMost,
                              .goal = most},
                             {.name = "restart/first-token-best-ratio",
                              .unit = "share",
                              .ours = *std::min_element(ratios.begin(), ratios.end()),
                              .kind = Goal::OursAtMost,
                              .goal = most},
                             {.name = "restart/first-token-worst-ratio",
                              .unit = "share",
                              .ours = *std::max_element(ratios.begin(), ratios.end()),
                              .kind = Goal::OursAtMost,
                              .goal = most},
                             {.name = "restart/copy-and-end",
                              .unit = "ms",
                              .ours = median(copies),
                              .kind = Goal::OursAtMost,
                              .goal = bench.smoke() ? 10000.0 : 100.0},
                             {.name = "restart/computed-of-read",
                              .unit = "share",
                              .ours = computed / read,
                              .kind = Goal::OursAtMost,
                              .goal = 0.01}};
}

const Registration registration("restart", "a prompt's prefix from disk, against computing it",
                                run);

}  // namespace
}  // namespace tinyarms::bench
