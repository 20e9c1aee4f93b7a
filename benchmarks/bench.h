// A benchmark is one file in this folder: it registers a function that measures and returns
// figures. ./bench runs all of them or those named; ctest runs them at smoke size, which checks
// that they work and never how fast.
//
//   namespace tinyarms::bench {
//   namespace {
//   Result<std::vector<Figure>> run(Bench& bench) { … }
//   const Registration registration("warm-start", "time to the first token", run);
//   }  // namespace
//   }  // namespace tinyarms::bench
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace tinyarms::bench {

enum class Goal {
  RatioAtLeast,  // ours ÷ peer, for what should be high
  RatioAtMost,   // ours ÷ peer, for what should be low: times, shares
  OursAtMost,    // no peer: an absolute limit
};

struct Figure {
  std::string name;  // "decode/smollm2-135m-q4_1"
  std::string unit;  // "tokens/s", "ms", "ns"
  double ours = 0;
  std::optional<double> peer = {};  // what it is held against
  std::optional<double> ratio = {};  // ours ÷ peer, the median of the rounds if several
  Goal kind = Goal::OursAtMost;
  double goal = 0;

  bool met() const;
};

class Model;

// What a benchmark works with.
class Bench {
 public:
  struct Options {
    bool smoke = false;
    int threads = 0;              // the same for us and the peer
    std::filesystem::path deps;   // the prefix of pinned dependencies
    std::filesystem::path cache;  // large files that may be kept
    std::filesystem::path program;  // the tinyarms binary; may not exist
  };

  explicit Bench(Options options);
  ~Bench();

  const Options& options() const { return options_; }
  bool smoke() const { return options_.smoke; }
  int rounds() const { return options_.smoke ? 1 : 7; }

  // The embedded default model: real weights. Errors: NotFound.
  Result<Model*> small_model();
  // Random weights in the shape of Qwen2.5-Coder-3B, written at the first call; a few layers of
  // small matrices at smoke size. Errors: Io.
  Result<Model*> large_model();

 private:
  Options options_;
  std::unique_ptr<Model> small_;
  std::unique_ptr<Model> large_;
};

using Run = std::function<Result<std::vector<Figure>>(Bench&)>;

struct Entry {
  std::string name;
  std::string purpose;
  Run run;
};

// In order of names.
std::vector<Entry> registered();

class Registration {
 public:
  Registration(std::string name, std::string purpose, Run run);
};

double median(std::vector<double> values);
// The nearest of them; `fraction` in [0, 1], never of none.
double quantile(std::vector<double> values, double fraction);

}  // namespace tinyarms::bench
