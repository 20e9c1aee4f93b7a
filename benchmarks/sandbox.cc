// What a check of generated Python costs: a function of HumanEval's size and seven tests, judged by
// two threads at once, each check in processes of its own. Time a check is wall time over both.
#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

#include "bench.h"
#include "sandbox/bubblewrap_judge.h"

namespace tinyarms::bench {
namespace {

constexpr double kMillisecondsMax = 1000.0 / 60;  // 60 checks a second on 2 cores

constexpr const char* kSolution = R"py(
from typing import List

def running_median(numbers: List[float]) -> List[float]:
    """Medians of all prefixes."""
    medians = []
    for end in range(1, len(numbers) + 1):
        part = sorted(numbers[:end])
        middle = end // 2
        medians.append(part[middle] if end % 2 else (part[middle - 1] + part[middle]) / 2)
    return medians
)py";

constexpr const char* kTests = R"py(
def check(candidate):
    assert candidate([]) == []
    assert candidate([1.0]) == [1.0]
    assert candidate([2.0, 1.0]) == [2.0, 1.5]
    assert candidate([3.0, 1.0, 2.0]) == [3.0, 2.0, 2.0]
    assert candidate([1.0, 1.0, 1.0, 1.0]) == [1.0, 1.0, 1.0, 1.0]
    assert candidate([5.0, 4.0, 3.0, 2.0, 1.0]) == [5.0, 4.5, 4.0, 3.5, 3.0]
    assert candidate([float(i) for i in range(20)])[-1] == 9.5
check(running_median)
)py";

Result<std::vector<Figure>> run(Bench& bench) {
  // A machine without a sandbox has nothing to measure; `tinyarms doctor` says what it lacks.
  if (!sandbox::check()) return std::vector<Figure>{};
  const auto judge = sandbox::make_judge({.python = {}, .toolchains = {}, .sandboxes = 2});
  const sandbox::Program program{
      .language = "python", .source = kSolution, .input = {}, .tests = kTests};
  const int checks = bench.smoke() ? 10 : 200;
  std::vector<double> rounds;
  for (int round = 0; round < bench.rounds(); ++round) {
    std::atomic<int> next{0};
    std::atomic<int> passed{0};
    const auto start = std::chrono::steady_clock::now();
    std::vector<std::thread> threads;
    for (int t = 0; t < 2; ++t) {
      threads.emplace_back([&] {
        while (next++ < checks) {
          const auto outcome = judge->run(program);
          passed += outcome && outcome->passed();
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    const std::chrono::duration<double, std::milli> taken =
        std::chrono::steady_clock::now() - start;
    if (passed != checks) {
      return Error{ErrorCode::Internal, "a right solution did not pass", "sandbox", ""};
    }
    rounds.push_back(taken.count() / checks);
  }
  return std::vector<Figure>{{.name = "sandbox/python-check",
                              .unit = "ms/check",
                              .ours = median(rounds),
                              .peer = std::nullopt,
                              .ratio = std::nullopt,
                              .kind = Goal::OursAtMost,
                              .goal = kMillisecondsMax}};
}

const Registration registration("sandbox", "checks of generated Python, two at once", run);

}  // namespace
}  // namespace tinyarms::bench
