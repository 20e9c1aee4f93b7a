// Comments that silence rules: `ast-grep-ignore` (all rules) and `ast-grep-ignore: id, id`. At the
// end of a line they are for the statement that ends there, alone on a line for the next one, and
// alone on the first line with an empty one after it for the whole file. As in ast-grep 0.51.1
// (crates/config/src/combined.rs).
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "rules/finding.h"
#include "rules/flat_tree.h"

namespace tinyarms::rules {

class Suppressions {
 public:
  explicit Suppressions(const FlatTree& tree);

  // Whether all rules are silent in this file.
  bool silence_all() const { return file_ >= 0 && comments_[static_cast<size_t>(file_)].all; }
  // Whether the rule is silent for a node that starts on the line; notes that it was of use.
  bool silence(std::string_view rule, uint32_t line);

  std::vector<ByteRange> unused() const;

 private:
  struct Comment {
    ByteRange range;
    bool all = false;
    std::vector<std::string> rules;
    bool used = false;
  };

  bool silences(int comment, std::string_view rule);
  void add(const FlatTree& tree, NodeIndex node);

  std::vector<Comment> comments_;
  int file_ = -1;
  std::map<uint32_t, int> by_line_;
};

}  // namespace tinyarms::rules
