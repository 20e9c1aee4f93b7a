// Whoever is measured: one model, a whole cascade, an endpoint. The port between the runner and
// everything that answers.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/stop_flag.h"
#include "cascade/evidence.h"
#include "eval/task.h"

namespace tinyarms::eval {

struct Sampling {
  double temperature = 0;
  uint32_t seed = 0;
};

// What one tier made of an item. A single model has one; a cascade one for each tier that was
// asked, cheapest first, the kept one last.
struct TierResponse {
  std::string tier;          // "l2"; a single model's name
  std::string model_sha;     // of the file; empty for a remote engine
  std::string quantization;
  std::string answer;        // Mode::Choose: the chosen option
  cascade::Evidence evidence;
  double seconds = 0;
  int64_t prompt_tokens = 0;
  int64_t completion_tokens = 0;
};

struct Response {
  std::vector<TierResponse> tiers;  // never empty; the last one is the answer
};

class Subject {
 public:
  virtual ~Subject() = default;
  virtual std::string name() const = 0;  // "smollm2-135m-instruct.q4_1", "cascade fast.toml"
  // Everything that decides its answers, for the report: hashes of model, engine, template.
  virtual std::string fingerprint() const = 0;
  // An Error means "could not be measured"; the run goes on with the next item.
  virtual Result<Response> answer(const Item&, const Sampling&, const StopFlag&) = 0;
  // How many threads may call answer() at once.
  virtual int concurrency_max() const { return 1; }
};

}  // namespace tinyarms::eval
