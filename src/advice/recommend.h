// Which models for which tier on a machine: the catalogue's entries, held against limits and turned
// into a ChoiceProblem, with the reason for each pick and each rejection. What the user measured
// outranks the priors: published scores, sizes, and a model of speed.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "advice/catalogue.h"
#include "advice/choice.h"
#include "advice/memory.h"
#include "advice/own_figures.h"

namespace tinyarms::advice {

struct RecommendQuestion {
  uint64_t ram_bytes = 0;
  Role task = Role::Code;                // Code, General or Maths
  std::vector<std::string> languages{};  // each tier must know all of them
  bool commercial = false;               // only licences that allow commercial use
  bool offline = false;                  // no remote tier
  uint32_t context_min = 4096;
  std::optional<double> l2_seconds_max{};
  std::optional<double> l3_seconds_max{};
};

// Assumptions of the speed model, stated with every recommendation: an answer reads the active
// weights once a token, a prompt's tokens cost a tenth of that. What `models measure` found takes
// the place of the first figure.
inline constexpr double kBytesPerSecond = 20e9;  // memory to processor
inline constexpr double kLoadBytesPerSecond = 1e9;
inline constexpr double kAnswerTokens = 64;
inline constexpr double kPromptTokens = 256;

// The share of the memory that models may take, as memory_budget = "auto".
uint64_t free_for_models(uint64_t ram_bytes);

// The benchmark that stands for a task; nothing for a role that is no task.
std::optional<std::string> benchmark_of(Role task);

struct Pick {
  std::string tier{};  // "l1", "l2", "l3", "l4"
  std::string model{};
  std::string quantisation{};
  uint32_t context_tokens = 0;
  uint64_t bytes = 0;
  double seconds = 0;  // an answer; 0 for l1 and l4
  bool seconds_measured = false;  // of this very file; else by the model of speed
  double score = 0;    // 0 to 100: of its benchmark, or of that and own outcomes together
  std::string benchmark{};
  uint64_t items = 0;   // own outcomes in it
  std::string basis{};  // "measured (n = 96)", "prior: published", "prior: size", "prior: price" …
  std::string reason{};
};

struct Rejection {
  std::string model{};
  std::string reason{};
};

struct ParetoRow {
  std::vector<Pick> picks{};  // without reasons
  Assignment assignment{};
};

struct Recommendation {
  std::vector<Pick> picks{};
  Assignment assignment{};
  uint64_t free_bytes = 0;
  std::vector<ParetoRow> pareto{};
  std::vector<Rejection> rejected{};
  std::optional<double> bytes_rate{};  // measured, in the place of kBytesPerSecond
};

// Errors: InvalidArgument (a task without a benchmark), OverBudget (no model fits; `what` says what
// the smallest needs).
Result<Recommendation> recommend(const Catalogue& catalogue, const RecommendQuestion& question,
                                 const OwnFigures& own = {});

}  // namespace tinyarms::advice
