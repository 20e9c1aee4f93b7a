#include "tiers/order_evidence.h"

#include <fmt/format.h>

#include <algorithm>

#include "schema/json_schema.h"

namespace tinyarms::tiers {
namespace {

namespace signal = cascade::signal;

std::string problem_of_call(const cascade::Order& order, const cascade::ToolCall& call) {
  const auto tool = std::find_if(order.tools.begin(), order.tools.end(),
                                 [&](const auto& one) { return one.name == call.name; });
  if (tool == order.tools.end()) return fmt::format("there is no tool '{}'", call.name);
  if (order.tool_choice == cascade::ToolChoice::Named && call.name != order.tool_named) {
    return fmt::format("'{}' was to be called, not '{}'", order.tool_named, call.name);
  }
  auto problem = schema::violation(R"({"type": "object"})", call.arguments);
  if (!problem && !tool->parameters.empty()) {
    problem = schema::violation(tool->parameters, call.arguments);
  }
  return problem ? fmt::format("arguments of '{}': {}", call.name, *problem) : std::string();
}

std::string problem_of_calls(const cascade::Order& order, const cascade::Attempt& attempt) {
  const auto& calls = attempt.tool_calls;
  if (!calls.empty() && !order.may_call()) return "a tool was called where none may be";
  if (calls.empty() && order.must_call()) return "no tool was called";
  if (calls.size() > 1 && !order.parallel_tool_calls) return "more than one tool was called";
  for (const cascade::ToolCall& call : calls) {
    if (std::string problem = problem_of_call(order, call); !problem.empty()) return problem;
  }
  return "";
}

}  // namespace

void add_order_evidence(const cascade::Order& order, cascade::Attempt& attempt) {
  const bool called = !attempt.tool_calls.empty();
  if (order.may_call()) {
    attempt.evidence.set(signal::kToolCalls, static_cast<double>(attempt.tool_calls.size()));
  }
  const bool checks_answer = !order.json_schema.empty() && !called;
  if (!called && !order.must_call() && !checks_answer) return;
  std::string problem = problem_of_calls(order, attempt);
  if (problem.empty() && checks_answer) {
    problem = schema::violation(order.json_schema, attempt.answer).value_or("");
  }
  attempt.evidence.set(signal::kKeepsToOrder, problem.empty());
  if (!problem.empty()) attempt.evidence.set(signal::kOrderProblem, problem);
}

}  // namespace tinyarms::tiers
