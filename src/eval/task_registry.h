// Every task by name. A new task is a file under src/eval/tasks and a line in each list here.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "eval/task.h"

namespace tinyarms::eval {

// One a file under tasks/.
std::unique_ptr<Task> make_tiny();
std::unique_ptr<Task> make_mmlu_coding(size_t shots);
std::unique_ptr<Task> make_gsm8k(size_t shots);  // 0 or 8
std::unique_ptr<Task> make_math500();
std::unique_ptr<Task> make_bfcl(bool strict);
std::unique_ptr<Task> make_humaneval();
std::unique_ptr<Task> make_humaneval_completion();
std::unique_ptr<Task> make_humaneval_plus();
std::unique_ptr<Task> make_mbpp();
std::unique_ptr<Task> make_mbpp_all();
std::unique_ptr<Task> make_mbpp_sanitized();
std::vector<std::unique_ptr<Task>> make_multipl_e();  // one a language
std::unique_ptr<Task> make_livecodebench();
std::unique_ptr<Task> make_livecodebench_recent();
std::unique_ptr<Task> make_cruxeval_output();
std::unique_ptr<Task> make_cruxeval_input();

// In the order in which people should read them.
const std::vector<std::unique_ptr<Task>>& all_tasks();

std::vector<std::string> task_names();

// Errors: NotFound, with the nearest known name.
Result<const Task*> find_task(std::string_view name);

}  // namespace tinyarms::eval
