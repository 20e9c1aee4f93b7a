// What is asked, and within which limits. The cascade and its tiers only read it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "cascade/level.h"

namespace tinyarms::cascade {

enum class Role { System, User, Assistant };

struct Message {
  Role role = Role::User;
  std::string content;  // valid UTF-8
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
  std::vector<std::string> stop;  // generation ends before the first of these
};

struct Request {
  std::vector<Message> messages;  // the last one is the user's question
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
  // The reply must be made for this request (tools, a schema, token probabilities): neither rules
  // nor remembered answers serve.
  bool made_to_order = false;
  std::string owner;                // whose answers are remembered together; one user: empty

  // P(correct) that an answer must reach to be accepted, in [0, 1]: a level's own, else the
  // global one, else the policy's default for that level.
  std::optional<double> threshold;
  std::map<Level, double> level_thresholds;

  // The text of the last user message; empty where there is none.
  const std::string& question() const;
};

// How a sampler's options are written down where a measurement is bound to them: "greedy", or
// "temperature 0.7". Seed and length are not part of it: they change one answer, not what answers
// of this kind are worth.
std::string sampler_name(const Sampling& sampling);

}  // namespace tinyarms::cascade
