// Exact nearest neighbours on one thread: our 4-bit scan with full comparison of its candidates,
// against faiss's flat index and usearch's exact search over the same rows, and the share of the
// ten nearest that we find.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <fstream>
#include <map>
#include <numeric>
#include <random>
#include <set>

#include "bench.h"
#include "index/vector_index.h"
#include "python_peer.h"

namespace tinyarms::bench {
namespace {

constexpr size_t kQueries = 20;

struct Plan {
  size_t rows;
  size_t size;
  size_t scanned;
  double goal_ms;
};

// Directions around many centres, as embeddings lie, with most of the length at the front.
std::vector<float> directions(size_t rows, size_t size, unsigned seed) {
  std::mt19937 same(11);
  std::minstd_rand random(seed);
  std::normal_distribution<float> normal;
  std::vector<float> centres(256 * size);
  for (float& value : centres) value = normal(same);
  std::vector<float> noise((1 << 16) + size);  // drawn once: a million normals take minutes
  for (float& value : noise) value = normal(same);
  std::vector<float> all(rows * size);
  for (size_t row = 0; row < rows; ++row) {
    const float* centre = centres.data() + random() % 256 * size;
    const float* some = noise.data() + random() % (1 << 16);
    const float* more = noise.data() + random() % (1 << 16);
    double squares = 0;
    for (size_t i = 0; i < size; ++i) {
      const float fade = 1.0f / (1.0f + static_cast<float>(i) / 64.0f);
      const float value = (centre[i] + 0.6f * some[i] + 0.6f * more[i]) * fade;
      all[row * size + i] = value;
      squares += double{value} * double{value};
    }
    const auto scale = static_cast<float>(1 / std::sqrt(squares));
    for (size_t i = 0; i < size; ++i) all[row * size + i] *= scale;
  }
  return all;
}

void save(const std::filesystem::path& path, const std::vector<float>& values) {
  std::ofstream(path, std::ios::binary)
      .write(reinterpret_cast<const char*>(values.data()),
             static_cast<std::streamsize>(values.size() * sizeof(float)));
}

class TemporaryFiles {
 public:
  explicit TemporaryFiles(const std::filesystem::path& cache)
      : folder_(cache / fmt::format("vectors-{}", ::getpid())) {
    std::filesystem::create_directories(folder_);
  }
  ~TemporaryFiles() {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  std::filesystem::path operator/(const char* name) const { return folder_ / name; }

 private:
  std::filesystem::path folder_;
};

struct Times {
  std::vector<double> ours;
  std::map<std::string, std::vector<double>> peers;
  double recall = 0;
};

Result<Times> measure(Bench& bench, const Plan& plan) {
  const TemporaryFiles files(bench.options().cache);
  const auto rows = directions(plan.rows, plan.size, 1);
  const auto queries = directions(kQueries, plan.size, 2);
  save(files / "rows", rows);
  save(files / "queries", queries);
  auto index = index::VectorIndex::open(files / "index", {.dimensions = plan.size,
                                                          .scan_dimensions = plan.scanned,
                                                          .model = "bench"});
  if (!index) return index.error();
  std::vector<int64_t> ids(plan.rows);
  std::iota(ids.begin(), ids.end(), 0);
  if (auto added = (*index)->append(ids, rows); !added) return added.error();
  auto peer = PythonPeer::start("vectors_peer.py", {(files / "rows").string(),
                                                    (files / "queries").string(),
                                                    std::to_string(plan.size)});
  if (!peer) return peer.error();
  Times times;
  size_t found = 0;
  for (size_t q = 0; q < kQueries; ++q) {
    const auto query = std::span(queries).subspan(q * plan.size, plan.size);
    auto exact = (*index)->search_in_full(query, 10);
    if (!exact) return exact.error();
    std::set<int64_t> nearest;
    for (const auto& match : *exact) nearest.insert(match.id);
    double best = 1e9;
    for (int i = 0; i < 5; ++i) {
      const auto start = std::chrono::steady_clock::now();
      auto matches = (*index)->search(query, {.count = 10});
      const std::chrono::duration<double, std::milli> took =
          std::chrono::steady_clock::now() - start;
      if (!matches) return matches.error();
      best = std::min(best, took.count());
      if (i > 0) continue;
      for (const auto& match : *matches) found += nearest.count(match.id);
    }
    times.ours.push_back(best);
    for (const char* name : {"faiss", "faiss-int8", "usearch"}) {
      if (!*peer) continue;
      best = 1e9;
      for (int i = 0; i < 3; ++i) {
        auto answer = (*peer)->ask({{"peer", name}, {"query", q}});
        if (!answer) return answer.error();
        best = std::min(best, (*answer)["ms"].get<double>());
      }
      times.peers[name].push_back(best);
    }
  }
  times.recall = static_cast<double>(found) / (10.0 * kQueries);
  return times;
}

Result<std::vector<Figure>> run(Bench& bench) {
  std::vector<Plan> plans = {{1'000'000, 128, 128, 5}, {100'000, 384, 384, 1.5},
                             {100'000, 768, 128, 1.5}};
  if (bench.smoke()) plans = {{2'000, 64, 64, 1000}, {2'000, 96, 32, 1000}};
  std::vector<Figure> figures;
  for (const Plan& plan : plans) {
    auto times = measure(bench, plan);
    if (!times) return times.error();
    const std::string name = fmt::format("vectors/{}x{}{}", plan.rows, plan.size,
                                         plan.scanned < plan.size
                                             ? fmt::format("-front-{}", plan.scanned)
                                             : std::string());
    const double ours = median(times->ours);
    figures.push_back({.name = name, .unit = "ms", .ours = ours, .peer = {}, .ratio = {},
                       .kind = Goal::OursAtMost, .goal = plan.goal_ms});
    figures.push_back({.name = name + "/missed-of-ten", .unit = "share",
                       .ours = std::max(1 - times->recall, 1e-6), .peer = {}, .ratio = {},
                       .kind = Goal::OursAtMost, .goal = 0.01});
    for (const auto& [peer, each] : times->peers) {
      figures.push_back({.name = name + "/" + peer, .unit = "ms", .ours = ours,
                         .peer = median(each), .ratio = ours / median(each),
                         .kind = Goal::RatioAtMost, .goal = 1});
    }
  }
  return figures;
}

const Registration registration("vectors", "exact nearest neighbours, against faiss and usearch",
                                run);

}  // namespace
}  // namespace tinyarms::bench
