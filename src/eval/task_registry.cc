#include "eval/task_registry.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/nearest.h"

namespace tinyarms::eval {
namespace {

std::vector<std::unique_ptr<Task>> make_tasks() {
  std::vector<std::unique_ptr<Task>> tasks;
  tasks.push_back(make_tiny());
  tasks.push_back(make_humaneval());
  tasks.push_back(make_humaneval_completion());
  tasks.push_back(make_humaneval_plus());
  tasks.push_back(make_mbpp());
  tasks.push_back(make_mbpp_all());
  tasks.push_back(make_mbpp_sanitized());
  for (auto& task : make_multipl_e()) tasks.push_back(std::move(task));
  tasks.push_back(make_livecodebench());
  tasks.push_back(make_livecodebench_recent());
  tasks.push_back(make_cruxeval_output());
  tasks.push_back(make_cruxeval_input());
  tasks.push_back(make_mmlu_coding(5));
  tasks.push_back(make_mmlu_coding(0));
  tasks.push_back(make_gsm8k(0));
  tasks.push_back(make_gsm8k(8));
  tasks.push_back(make_math500());
  tasks.push_back(make_bfcl(false));
  tasks.push_back(make_bfcl(true));
  return tasks;
}

}  // namespace

const std::vector<std::unique_ptr<Task>>& all_tasks() {
  static const std::vector<std::unique_ptr<Task>> tasks = make_tasks();
  return tasks;
}

std::vector<std::string> task_names() {
  std::vector<std::string> names;
  for (const auto& task : all_tasks()) names.emplace_back(task->name());
  return names;
}

Result<const Task*> find_task(std::string_view name) {
  for (const auto& task : all_tasks()) {
    if (task->name() == name) return task.get();
  }
  const std::vector<std::string> names = task_names();
  const auto near = nearest(name, names);
  return Error{ErrorCode::NotFound, fmt::format("there is no task `{}`", name), "",
               near ? fmt::format("did you mean `{}`?", *near)
                    : fmt::format("there are: {}", fmt::join(names, ", "))};
}

}  // namespace tinyarms::eval
