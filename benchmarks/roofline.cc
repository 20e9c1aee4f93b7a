// How near decoding comes to what memory allows: every token reads every weight once, so that
// tokens a second × bytes of the weights over the rate at which as many threads only read is at
// most 1 where the weights do not fit the processor's caches.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <thread>

#include "bench.h"
#include "model.h"

namespace tinyarms::bench {
namespace {

// Sums whole cache lines, eight chains at a time so that no sum waits for another.
uint64_t read_all(const uint64_t* words, size_t count) {
  uint64_t sums[8] = {};
  for (size_t i = 0; i + 8 <= count; i += 8) {
    for (size_t k = 0; k < 8; ++k) sums[k] += words[i + k];
  }
  uint64_t all = 0;
  for (const uint64_t sum : sums) all += sum;
  return all;
}

// Bytes a second, the best of some passes.
double read_rate(size_t bytes, int threads, int passes) {
  const std::vector<uint64_t> memory(bytes / sizeof(uint64_t), 3);
  const size_t share = memory.size() / static_cast<size_t>(threads);
  std::vector<uint64_t> sums(static_cast<size_t>(threads));
  double best = 0;
  for (int pass = 0; pass < passes; ++pass) {
    const auto start = std::chrono::steady_clock::now();
    std::vector<std::thread> team;
    for (size_t i = 0; i < sums.size(); ++i) {
      team.emplace_back([&, i] { sums[i] += read_all(memory.data() + i * share, share); });
    }
    for (std::thread& thread : team) thread.join();
    const double seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    best = std::max(best, static_cast<double>(bytes) / seconds);
  }
  // What was summed must be looked at, or nothing is read.
  return std::all_of(sums.begin(), sums.end(), [](uint64_t sum) { return sum != 0; }) ? best : 0;
}

Result<std::vector<Figure>> run(Bench& bench) {
  auto model = bench.large_model();
  if (!model) return model.error();
  const int threads = bench.options().threads > 0
                          ? bench.options().threads
                          : static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
  const auto bytes = static_cast<double>(std::filesystem::file_size((*model)->file()));
  const int tokens = bench.smoke() ? 8 : 64;
  std::vector<double> decoded, possible, shares;
  for (int round = 0; round < std::min(bench.rounds(), 5); ++round) {
    const double rate = read_rate(bench.smoke() ? 1 << 24 : 1 << 30, threads, 5);
    auto decode = (*model)->decode(tokens);
    if (!decode) return decode.error();
    decoded.push_back(decode->tokens_per_second);
    possible.push_back(rate / bytes);
    shares.push_back(decode->tokens_per_second * bytes / rate);
  }
  return std::vector<Figure>{{.name = "roofline/" + (*model)->name(),
                              .unit = "tokens/s",
                              .ours = median(decoded),
                              .peer = median(possible),
                              .ratio = median(shares),
                              .kind = Goal::RatioAtLeast,
                              .goal = 0.65}};
}

const Registration registration("roofline", "decoding, against reading the weights alone", run);

}  // namespace
}  // namespace tinyarms::bench
