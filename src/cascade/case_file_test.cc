#include "cascade/case_file_test.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <sstream>
#include <utility>

#include "cascade/trace.h"

namespace tinyarms::cascade {
namespace {

// Thrown by the pieces below and caught in parse_case: a test's parser may be that plain.
struct Fault {
  std::string what;
};

struct Pair {
  std::string name;
  EvidenceValue value;
};

struct Line {
  std::vector<std::string> arguments;  // the first is the line's word
  std::vector<Pair> pairs;
};

std::string take_quoted(std::string_view& rest) {
  const size_t end = rest.find('"', 1);
  if (end == std::string_view::npos) throw Fault{"a quote is not closed"};
  std::string text(rest.substr(1, end - 1));
  rest.remove_prefix(end + 1);
  return text;
}

std::string take_word(std::string_view& rest) {
  const size_t end = std::min(rest.find_first_of(" =\""), rest.size());
  std::string word(rest.substr(0, end));
  rest.remove_prefix(end);
  return word;
}

EvidenceValue take_value(std::string_view& rest) {
  if (rest.starts_with('"')) return take_quoted(rest);
  const std::string word = take_word(rest);
  if (word == "yes") return true;
  if (word == "no") return false;
  if (parse_level(word)) return word;
  double number = 0;
  auto [end, problem] = std::from_chars(word.data(), word.data() + word.size(), number);
  if (problem != std::errc() || end != word.data() + word.size()) {
    throw Fault{fmt::format("{} is no number, yes, no or \"text\"", word)};
  }
  return number;
}

Line split(std::string_view rest) {
  Line line;
  while (true) {
    rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
    if (rest.empty()) return line;
    if (rest.starts_with('"')) {
      line.arguments.push_back(take_quoted(rest));
      continue;
    }
    std::string word = take_word(rest);
    if (!rest.starts_with('=')) {
      line.arguments.push_back(std::move(word));
      continue;
    }
    rest.remove_prefix(1);
    line.pairs.push_back({std::move(word), take_value(rest)});
  }
}

template <typename T>
T get(const Pair& pair) {
  const T* value = std::get_if<T>(&pair.value);
  if (value == nullptr) throw Fault{fmt::format("{} has the wrong kind of value", pair.name)};
  return *value;
}

Level level_of(const std::string& name) {
  if (auto level = parse_level(name)) return *level;
  throw Fault{fmt::format("{} is no level", name)};
}

void expect_arguments(const Line& line, size_t count) {
  if (line.arguments.size() != count) {
    throw Fault{fmt::format("{} takes {} arguments", line.arguments[0], count - 1)};
  }
}

void read_request(const Line& line, CaseFile& file) {
  expect_arguments(line, 1);
  for (const Pair& pair : line.pairs) {
    if (pair.name == "only") {
      file.request.only_level = level_of(get<std::string>(pair));
    } else if (pair.name == "max") {
      file.request.level_max = level_of(get<std::string>(pair));
    } else if (pair.name == "min") {
      file.request.level_min = level_of(get<std::string>(pair));
    } else if (pair.name == "threshold") {
      file.request.threshold = get<double>(pair);
    } else if (pair.name == "seconds_max") {
      file.request.seconds_max = get<double>(pair);
    } else if (pair.name == "cost_max") {
      file.request.cost_max = get<double>(pair);
    } else if (pair.name == "group") {
      file.request.group = get<std::string>(pair);
    } else if (pair.name == "question") {
      file.request.messages = {{Role::User, get<std::string>(pair)}};
    } else if (pair.name == "stopped") {
      file.stopped = get<bool>(pair);
    } else if (pair.name == "model") {
      file.request.model = get<std::string>(pair);
    } else if (const size_t dot = pair.name.find('.'); dot != std::string::npos) {
      file.request.route_thresholds[level_of(pair.name.substr(0, dot))]
                                   [pair.name.substr(dot + 1)] = get<double>(pair);
    } else {
      file.request.level_thresholds[level_of(pair.name)] = get<double>(pair);
    }
  }
}

void read_policy(const Line& line, PolicyTerms& terms) {
  expect_arguments(line, 1);
  for (const Pair& pair : line.pairs) {
    if (pair.name == "worth") {
      terms.worth_of_right = get<double>(pair);
    } else if (pair.name == "seconds_max") {
      terms.seconds_max = get<double>(pair);
    } else if (pair.name == "cost_max") {
      terms.cost_max = get<double>(pair);
    } else if (pair.name == "withhold_below") {
      terms.withhold_below = get<double>(pair);
    } else if (pair.name == "certified_only") {
      terms.certified_only = get<bool>(pair);
    } else if (pair.name == "safe") {
      terms.safe_mode = true;
      terms.safe_threshold = get<double>(pair);
    } else {
      throw Fault{fmt::format("a policy has no {}", pair.name)};
    }
  }
}

void read_terms(const Line& line, PolicyTerms& terms) {
  expect_arguments(line, 2);
  TierTerms& tier = terms.tiers[level_of(line.arguments[1])];
  for (const Pair& pair : line.pairs) {
    if (pair.name == "price") {
      tier.price = get<double>(pair);
    } else if (pair.name == "seconds") {
      tier.seconds = get<double>(pair);
    } else if (pair.name == "accuracy") {
      tier.accuracy = get<double>(pair);
    } else if (pair.name == "threshold") {
      tier.threshold = get<double>(pair);
    } else {
      throw Fault{fmt::format("terms have no {}", pair.name)};
    }
  }
}

PolicyRule read_rule(const Line& line) {
  expect_arguments(line, 2);
  PolicyRule rule;
  rule.name = line.arguments[1];
  for (const Pair& pair : line.pairs) {
    if (pair.name == "group") {
      rule.group = get<std::string>(pair);
    } else if (pair.name == "words") {
      rule.words.push_back(get<std::string>(pair));
    } else if (pair.name == "at_least") {
      rule.at_least = level_of(get<std::string>(pair));
    } else if (pair.name == "at_most") {
      rule.at_most = level_of(get<std::string>(pair));
    } else if (pair.name == "threshold") {
      rule.threshold = get<double>(pair);
    } else {
      rule.thresholds[level_of(pair.name)] = get<double>(pair);
    }
  }
  return rule;
}

Finish finish_of(const std::string& name) {
  if (name == "length") return Finish::Length;
  if (name == "interrupted") return Finish::Interrupted;
  throw Fault{fmt::format("{} is no way to finish", name)};
}

ErrorCode error_of(const std::string& name) {
  for (int code = 0; code <= static_cast<int>(ErrorCode::Internal); ++code) {
    if (error_code_name(static_cast<ErrorCode>(code)) == name) return static_cast<ErrorCode>(code);
  }
  throw Fault{fmt::format("{} is no error code", name)};
}

CaseTier read_tier(const Line& line) {
  expect_arguments(line, 4);
  CaseTier tier;
  tier.level = level_of(line.arguments[1]);
  tier.act = line.arguments[2];
  tier.text = line.arguments[3];
  const std::string_view acts[] = {"answer", "abstain", "fail", "skip"};
  if (std::find(std::begin(acts), std::end(acts), tier.act) == std::end(acts)) {
    throw Fault{fmt::format("a tier cannot {}", tier.act)};
  }
  for (const Pair& pair : line.pairs) {
    if (pair.name == "seconds") {
      tier.seconds = get<double>(pair);
    } else if (pair.name == "stop") {
      tier.stop = get<bool>(pair);
    } else if (pair.name == "finish") {
      tier.finish = finish_of(get<std::string>(pair));
    } else if (pair.name == "gives_up") {
      tier.gives_up = get<std::string>(pair);
    } else if (pair.name == "bar") {
      tier.bar = get<double>(pair);
    } else if (pair.name == "error") {
      tier.error = error_of(get<std::string>(pair));
    } else if (pair.name == "route") {
      tier.route = get<std::string>(pair);
    } else if (pair.name == "source") {
      tier.source = get<std::string>(pair);
    } else if (pair.name == "p") {
      tier.evidence.set(signal::kLogprobMean, std::log(get<double>(pair)));
    } else if (pair.name.starts_with("sees.")) {
      tier.sees.emplace_back(pair.name.substr(5), get<std::string>(pair));
    } else {
      tier.evidence.set(pair.name, pair.value);
    }
  }
  return tier;
}

CaseEnsemble read_ensemble(const Line& line) {
  expect_arguments(line, 2);
  CaseEnsemble ensemble;
  const std::string& rule = line.arguments[1];
  if (rule == ensemble_rule_name(EnsembleRule::Behaviour)) ensemble.rule = EnsembleRule::Behaviour;
  if (rule != ensemble_rule_name(ensemble.rule)) throw Fault{rule + " is no rule of an ensemble"};
  for (const Pair& pair : line.pairs) {
    if (pair.name == "agreement") {
      ensemble.likeness.agreement = get<double>(pair);
    } else if (pair.name == "first_holds") {
      ensemble.likeness.first_holds = get<double>(pair);
    } else if (pair.name == "second_holds") {
      ensemble.likeness.second_holds = get<double>(pair);
    } else {
      throw Fault{fmt::format("an ensemble has no {}", pair.name)};
    }
  }
  return ensemble;
}

// An ensemble is of the two tiers whose lines follow its own.
void add_tier(CaseTier tier, std::optional<CaseEnsemble>& ensemble, CaseFile& file) {
  tier.pair = std::exchange(ensemble, std::nullopt);
  file.tiers.push_back(std::move(tier));
}

CaseStep read_step(const Line& line) {
  expect_arguments(line, 4);
  CaseStep step;
  step.level = level_of(line.arguments[1]);
  step.decision = line.arguments[2];
  step.reason = line.arguments[3];
  bool known = false;
  for (int decision = 0; decision <= static_cast<int>(Decision::Interrupt); ++decision) {
    known = known || decision_name(static_cast<Decision>(decision)) == step.decision;
  }
  if (!known) throw Fault{fmt::format("{} is no decision", step.decision)};
  for (const Pair& pair : line.pairs) {
    if (pair.name == "confidence" || pair.name == "threshold" || pair.name == "seconds") {
      step.numbers.emplace_back(pair.name, get<double>(pair));
    } else {
      step.evidence.set(pair.name, pair.value);
    }
  }
  return step;
}

// `quoted`: whether the argument was a text, so that an answer may read "none" too.
void read_reply(const Line& line, bool quoted, CaseFile& file) {
  expect_arguments(line, 2);
  if (quoted) file.reply = line.arguments[1];
  if (!quoted && line.arguments[1] != "none") throw Fault{"a reply is \"text\" or none"};
  for (const Pair& pair : line.pairs) {
    if (pair.name == "sure") {
      file.sure = get<bool>(pair);
    } else if (pair.name == "interrupted") {
      file.interrupted = get<bool>(pair);
    } else {
      throw Fault{fmt::format("a reply has no {}", pair.name)};
    }
  }
}

}  // namespace

Result<CaseFile> parse_case(const std::string& name, std::string_view text) {
  CaseFile file;
  int number = 0;
  int replies = 0;
  int requests = 0;
  std::optional<CaseEnsemble> ensemble;
  std::istringstream lines{std::string(text)};
  try {
    for (std::string written; std::getline(lines, written);) {
      ++number;
      if (number == 1 && !written.starts_with("# ")) throw Fault{"must say what the case is about"};
      if (written.empty() || written[0] == '#') continue;
      const Line line = split(written);
      const std::string word = line.arguments.empty() ? "" : line.arguments[0];
      if (word == "request" && ++requests == 1) {
        read_request(line, file);
      } else if (word == "policy") {
        read_policy(line, file.terms);
      } else if (word == "terms") {
        read_terms(line, file.terms);
      } else if (word == "rule") {
        file.terms.rules.push_back(read_rule(line));
      } else if (word == "tier") {
        add_tier(read_tier(line), ensemble, file);
      } else if (word == "ensemble") {
        ensemble = read_ensemble(line);
      } else if (word == "step") {
        file.steps.push_back(read_step(line));
      } else if (word == "reply" && ++replies == 1) {
        read_reply(line, written.find('"') != std::string::npos, file);
      } else {
        throw Fault{fmt::format("\"{}\" is no line of a case, or one too many", word)};
      }
    }
    number = std::max(number, 1);
    if (replies == 0) throw Fault{"there is no reply line"};
    if (ensemble || (!file.tiers.empty() && file.tiers.back().pair)) {
      throw Fault{"an ensemble is followed by two tiers"};
    }
  } catch (const Fault& fault) {
    return Error{ErrorCode::InvalidArgument, fault.what, fmt::format("{}:{}", name, number),
                 "tests/cases/README.md describes the format"};
  }
  return file;
}

}  // namespace tinyarms::cascade
