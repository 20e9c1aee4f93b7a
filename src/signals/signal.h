// A signal: one number about an answer, measured apart from the generation pass, with its range and
// its cost. Each is one file under measures/ and one line in registry.h.
//
// A signal that does not apply, or whose instrument is not there, is not measured: missing, which
// is different from zero.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/stop_flag.h"
#include "cascade/request.h"
#include "cascade/trace.h"

namespace tinyarms::sandbox {
class Judge;
}

namespace tinyarms::signals {

// What measuring takes, in rising order.
enum class Cost {
  Text,         // reads question and answer: microseconds to milliseconds
  Program,      // runs the answer's code in the sandbox: milliseconds to a compiler's seconds
  Prefill,      // one pass of a model over question and answer
  Generations,  // further answers of the same model
};

// "text", "program", …
std::string_view cost_name(Cost cost);

struct Occasion {
  const cascade::Request& request;
  const cascade::Trace& so_far;  // what earlier tiers left: the intent
  std::string_view answer;
  const StopFlag& stop;
};

// Log-probabilities of each option as the reply to a question put to a model. Errors: the engine's.
using AskOptions = std::function<Result<std::vector<double>>(const std::string& question,
                                                             std::span<const std::string> options)>;

// What is lent for measuring; what is empty cannot be used.
struct Instruments {
  sandbox::Judge* judge = nullptr;
  // Another answer to the same request, drawn at this temperature and seed.
  std::function<Result<std::string>(double temperature, uint32_t seed)> sample = {};
  AskOptions ask_same = {};  // the model that gave the answer
  AskOptions ask_next = {};  // a larger one
};

struct Signal {
  std::string_view name;     // in the evidence
  std::string_view meaning;  // one line
  double low = 0;            // its range
  double high = 1;
  Cost cost = Cost::Text;
  // Nothing where it does not apply. An Error means "could not be measured", never "bad".
  Result<std::optional<double>> (*measure)(const Occasion&, const Instruments&);
};

}  // namespace tinyarms::signals
