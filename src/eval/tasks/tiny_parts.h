// The parts of the bundled suite `tiny`: what makes its items, one function a group, and the checks
// its references name. All items are original; most are drawn from a fixed seed.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/embedded_file.h"
#include "base/result.h"
#include "eval/task.h"

namespace tinyarms::eval::tiny {

// Ids are "group/level/number", levels 1 (easy) to 4; groups are code, general, maths, tools.
std::vector<Item> code_items();
std::vector<Item> general_items();
std::vector<Item> maths_items();
std::vector<Item> tools_items();

// The tables that ship as data: statements with options, questions, functions with their tests.
std::vector<EmbeddedFile> data_files();  // generated from tiny/
std::string_view data_file(std::string_view name);

// References, as JSON text (tiny_checks.cc judges by them).
std::string option_reference(std::string_view right);
std::string number_reference(int64_t value);
struct TextReference {
  std::vector<std::string> accepted;  // lower case; one of them must occur as a word
  std::vector<std::string> others;    // none of these may
};
std::string text_reference(const TextReference& reference);
std::string call_reference(const std::string& call_json);
std::string python_reference(std::string_view name, std::string_view tests);

Result<Verdict> judge(const Item& item, std::string_view answer, sandbox::Judge& judge);

}  // namespace tinyarms::eval::tiny
