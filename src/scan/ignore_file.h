// One .gitignore, .ignore or exclude file: which paths below its folder it takes out, which it
// brings back. Source of the semantics: gitignore(5). What git cannot read as a pattern is noted
// and has no effect, as in git.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "scan/glob.h"

namespace tinyarms::scan {

inline constexpr size_t kIgnoreFileBytesMax = 4 << 20;

enum class Verdict { None, Ignored, Included };

class IgnoreFile {
 public:
  // `name` is for notices ("sub/.gitignore").
  static IgnoreFile parse(std::string_view name, std::string_view text);

  // One pattern more, as a line of the file would be; the last that matches decides.
  void add(std::string_view line);

  // `path` is relative to the file's folder, '/' between names, without a '/' at its end.
  Verdict match(std::string_view path, bool is_directory) const;

  bool empty() const { return patterns_.empty(); }
  const std::vector<std::string>& notices() const { return notices_; }

 private:
  struct Pattern {
    enum class Kind { Literal, Suffix, Glob };  // most are names or *.ext and need no glob
    Kind kind = Kind::Glob;
    std::string text;  // of Literal and Suffix
    std::optional<Glob> glob;
    bool negated = false;
    bool directories_only = false;
    bool whole_path = false;  // else the last name of the path is compared
  };

  std::string name_;
  std::vector<Pattern> patterns_;
  std::vector<std::string> notices_;
};

}  // namespace tinyarms::scan
