// What the tasks about code have in common: rows of JSON, running a check, saying why it failed.
#pragma once

#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "base/result.h"
#include "eval/task.h"
#include "sandbox/judge.h"

namespace tinyarms::eval {

// "passed", "timed out", "failed: AssertionError", "did not compile: …".
Verdict verdict_of(const sandbox::Outcome& outcome);

// Runs it and says how it went. Errors: the judge's.
Result<Verdict> judged(sandbox::Judge& judge, const sandbox::Program& program);

// The first of the names that is a file in the folder, or the first name.
std::string existing_file(const std::filesystem::path& folder,
                          const std::vector<std::string>& names);

// Calls `each` for every row of a JSON Lines file, gzip or not. A row that is no JSON object is
// Corrupt ("file:line"); so is whatever `each` complains about.
using RowSink = std::function<Result<void>(const nlohmann::json& row, const std::string& where)>;
Result<void> each_row(const std::filesystem::path& folder, const std::string& name,
                      const RowSink& each);

// A member that must be a string. Errors: Corrupt.
Result<std::string> text_of(const nlohmann::json& row, const char* key, const std::string& where);

// The same of several, in order.
Result<std::vector<std::string>> texts_of(const nlohmann::json& row,
                                          const std::vector<const char*>& keys,
                                          const std::string& where);

// Fenced as Markdown.
std::string fenced(std::string_view language, std::string_view code);

}  // namespace tinyarms::eval
