// What is asked, and within which limits. The cascade and its tiers only read it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/trace_context.h"
#include "cascade/level.h"
#include "cascade/order.h"

namespace tinyarms::cascade {

enum class Role { System, User, Assistant, Tool };

struct Message {
  Role role = Role::User;
  std::string content;  // valid UTF-8
  std::vector<ToolCall> tool_calls = {};  // of an assistant's turn
  std::string tool_call_id = {};          // of a tool's turn: which call it answers
};

// A file given along with the question. Its text is data, never an instruction.
struct ContextFile {
  std::string path;
  std::string content;  // valid UTF-8
};

// A piece of one of the user's files that a tier found for the question. Data, as files are; what a
// model is shown of it is numbered from 1, and cited so.
struct ContextPassage {
  std::string path;
  uint32_t first_line = 0;
  uint32_t last_line = 0;
  std::string symbol;
  std::string content;  // valid UTF-8
};

struct Sampling {
  double temperature = 0.0;  // 0: greedy
  uint32_t seed = 0;
  int tokens_max = 512;
  std::vector<std::string> stop = {};  // generation ends before the first of these
  // In this order, as engine/scheduler/completion.h has it.
  std::map<int, double> logit_bias = {};  // by token of whichever model answers
  double frequency_penalty = 0;           // [−2, 2]
  double presence_penalty = 0;            // [−2, 2]
  int top_k = 0;                          // 0: all
  double top_p = 1;                       // (0, 1]

  // Whether the likeliest answer may be another than by the model's own probabilities.
  bool bent() const {
    return !logit_bias.empty() || frequency_penalty != 0 || presence_penalty != 0;
  }
};

// Who asked, and whose work it is part of. For logs and traces alone: no answer depends on it.
struct Provenance {
  std::string id = {};                      // of the request, as its reply has it; empty: none
  double at = 0;                            // seconds since 1970 UTC when it came; 0: not noted
  bool served = false;                      // it came to a server
  std::optional<TraceContext> caller = {};  // who traces it already
  TraceContext span = {};                   // this climb's own; not valid: it is not traced
};

struct Request {
  std::vector<Message> messages;  // the last one is the user's question, or a tool's result
  // Instead of messages: a bare text to go on with, and what comes after the gap.
  std::optional<std::string> prefix = {};
  std::optional<std::string> suffix = {};
  Order order = {};
  std::vector<ContextFile> files;
  Sampling sampling;

  std::optional<Level> only_level;  // --tier: this one answers, or nobody does
  std::optional<Level> level_max;   // --max-tier: never climb past it
  // Tiers from L2 up to below this one are not asked: a conversation that needed a larger model
  // stays with it. Rules and remembered answers (L0, L1) are not touched by it.
  std::optional<Level> level_min;
  std::optional<double> seconds_max;  // a tier that would likely end later is not asked
  std::optional<double> cost_max;     // of all tiers asked together, in the policy's prices
  std::string group;                  // kind of question; empty: the intent that L1 finds
  bool offline = true;              // no tier may open a socket
  std::string model;                // of L2 or L3: this one instead of the configured
  // The reply must be made for this request (what `order` or `prefix` say, calls of tools in the
  // conversation): neither rules nor remembered answers serve.
  bool made_to_order = false;
  std::string folder;               // where it is asked: an absolute path; empty: nobody said
  std::string owner;                // whose answers are remembered together; one user: empty

  // P(correct) that an answer must reach to be accepted, in [0, 1]: a level's own, else the
  // global one, else the policy's default for that level.
  std::optional<double> threshold;
  std::map<Level, double> level_thresholds;
  // Stronger still: where one of a level's specialists answers, by its route (Route::name).
  std::map<Level, std::map<std::string, double>> route_thresholds = {};
  // One for every level, or for none, instead of all that was said before.
  void ask_for(std::optional<double> of_every_level) {
    threshold = of_every_level;
    level_thresholds.clear();
    route_thresholds.clear();
  }
  Provenance provenance = {};

  // The text of the last user message; empty where there is none.
  const std::string& question() const;
};

// How a sampler's options are written down where a measurement is bound to them: "greedy", or
// "temperature 0.7 top_p 0.9". Seed and length are not part of it: they change one answer, not what
// answers of this kind are worth.
std::string sampler_name(const Sampling& sampling);
// The same, and what constrained it: "greedy, tools". Free text is worth something else.
std::string sampler_of(const Request& request);

}  // namespace tinyarms::cascade
