// A pack as text, looked through without reading its YAML: reading all packs whole would be most
// of the time that a process takes to start.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tinyarms::questions {

// A rule that names its words (`words: [curl, exit]`, plain or in single quotes, on one line) is
// a section of its own, which is read when a question first holds one of them. All other rules of
// a file make one section that is read at once.
struct PackSection {
  std::vector<std::string> words;  // lower case; none: read at once
  std::vector<std::string> ids;    // of its rules, as written
  std::string yaml;                // without examples
  int lines_before = 0;            // of the file, which `yaml` leaves out
};

struct PackText {
  std::vector<PackSection> sections;
  std::string units;  // the unit documents; the rest is blanked, with its line ends kept
};

// Never fails: what is not understood stays for the YAML reader to judge.
PackText split_pack(std::string_view yaml);

}  // namespace tinyarms::questions
