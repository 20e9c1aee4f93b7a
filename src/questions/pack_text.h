// A pack as text, looked through without reading its YAML: reading all packs whole would be most
// of the time that a process takes to start.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tinyarms::questions {

struct PackText {
  std::vector<std::string> words;  // of the header; without one, the pack is read at once
  std::vector<std::string> ids;    // of its rules, as written
  std::string rules;               // the file without its header, units, and examples
  std::string units;               // the file's unit documents only
};

// Blanked parts keep their line ends, so that positions stay true. Never fails: what is not
// understood stays in `rules` for the YAML reader to judge.
PackText split_pack(std::string_view name, std::string_view yaml);

}  // namespace tinyarms::questions
