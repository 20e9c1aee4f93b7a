#include "signals/probing.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <map>
#include <set>
#include <string>

#include "signals/answer_code.h"

namespace tinyarms::signals {
namespace {

constexpr double kProbeCpuSeconds = 2;

// Arguments of each kind that functions of that many parameters are mostly about. What is made
// with a wrong type ends in an exception, and counts only where the other has a value.
constexpr std::string_view kProbes = R"(
def _probe(f):
    import copy, inspect
    one = [0, 1, 7, -3, 2.5, 'abc', 'level', '', [3, 1, 2, 3], [], ['b', 'a'], {'a': 1}]
    two = [(7, 3), (0, 5), (-3, 2), (2.5, 2), ('abc', 'b'), ('level', 'level'), ('abc', 2),
           ([3, 1, 2, 3], 3), ([3, 1, 2], [2, 4]), ([], 0), ({'a': 1}, 'a'), (['b', 'a'], 'a')]
    three = [(7, 3, 2), (0, 5, 1), (-3, 2, 4), ('abc', 'b', 'c'), ([3, 1, 2, 3], 0, 2),
             ([3, 1], [2], [4]), ('abc', 0, 2), ([3, 1, 2], 2, 9)]
    try:
        wanted = [p for p in inspect.signature(f).parameters.values()
                  if p.default is p.empty and p.kind in (0, 1)]
        rows = [[()], [(v,) for v in one], two, three][len(wanted)]
    except BaseException:
        return
    for i, row in enumerate(rows):
        try:
            end = repr(f(*copy.deepcopy(row)))[:500].replace('\n', ' ')
        except BaseException as e:
            end = '!' + type(e).__name__
        print('\x01%d %s' % (i, end))
)";

std::set<std::string> functions_of(std::string_view code) {
  static const re2::RE2 kDef(R"((?m)^def ([A-Za-z_]\w*)\()");
  std::set<std::string> names;
  std::string name;
  re2::StringPiece rest(code.data(), code.size());
  while (re2::RE2::FindAndConsume(&rest, kDef, &name)) names.insert(name);
  return names;
}

// The function that was asked for, as far as both agree: named in the question, else the only one
// that both have.
std::string function_of_both(std::string_view question, std::string_view first,
                             std::string_view second) {
  const std::set<std::string> others = functions_of(second);
  std::string only;
  int common = 0;
  for (const std::string& name : functions_of(first)) {
    if (!others.contains(name)) continue;
    if (question.find(name) != std::string_view::npos) return name;
    only = name;
    ++common;
  }
  return common == 1 ? only : "";
}

// By number of the probe, what came of it; one that never ended is missing.
Result<std::map<int, std::string>> ends_of(const std::string& code, const std::string& function,
                                           sandbox::Judge& judge) {
  const std::string program =
      fmt::format("{}\n{}\n_probe({})\n", code, kProbes, function);
  auto outcome =
      judge.run({.language = "python", .source = program, .cpu_seconds = kProbeCpuSeconds});
  if (!outcome) return outcome.error();
  static const re2::RE2 kEnd("\x01(\\d{1,3}) (.*)\n");
  std::map<int, std::string> ends;
  int number = 0;
  std::string end;
  re2::StringPiece rest(outcome->output);
  while (re2::RE2::FindAndConsume(&rest, kEnd, &number, &end)) ends[number] = end;
  return ends;
}

}  // namespace

Result<std::optional<double>> agreement_on_probes(std::string_view question,
                                                  std::string_view first, std::string_view second,
                                                  sandbox::Judge& judge) {
  const std::string one = python_of(first, question);
  const std::string two = python_of(second, question);
  const std::string function = function_of_both(question, one, two);
  if (function.empty()) return std::optional<double>();
  auto ends = ends_of(one, function, judge);
  if (!ends) return ends.error();
  auto others = ends_of(two, function, judge);
  if (!others) return others.error();
  double told = 0;
  double same = 0;
  const auto has_value = [](const std::map<int, std::string>& all, int number) {
    const auto found = all.find(number);
    return found != all.end() && !found->second.starts_with('!');
  };
  std::set<int> numbers;
  for (const auto& each : *ends) numbers.insert(each.first);
  for (const auto& each : *others) numbers.insert(each.first);
  for (const int number : numbers) {
    if (!has_value(*ends, number) && !has_value(*others, number)) continue;
    ++told;
    const auto mine = ends->find(number);
    const auto theirs = others->find(number);
    const bool both = mine != ends->end() && theirs != others->end();
    same += both && mine->second == theirs->second ? 1 : 0;
  }
  return told > 0 ? std::optional(same / told) : std::optional<double>();
}

}  // namespace tinyarms::signals
