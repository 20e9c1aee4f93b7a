// YAML from outside, read into a plain tree with its positions. Refuses what a rule never needs
// and an attacker does: files over kYamlBytesMax, nesting over kYamlDepthMax. An alias becomes a
// copy of what it stands for, and all copies together are at most kYamlCopiesMax nodes: a few
// lines cannot stand for gigabytes.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace tinyarms::rules {

inline constexpr size_t kYamlBytesMax = 4 << 20;
inline constexpr int kYamlDepthMax = 128;
inline constexpr size_t kYamlCopiesMax = 20'000;

struct YamlEntry;

struct YamlNode {
  // Out of line: entries are complete only below.
  YamlNode();
  ~YamlNode();
  YamlNode(YamlNode&&) noexcept;
  YamlNode& operator=(YamlNode&&) noexcept;

  enum class Kind { Null, Scalar, Sequence, Map };

  Kind kind = Kind::Null;
  std::string scalar;
  std::vector<YamlNode> items;     // of a sequence
  std::vector<YamlEntry> entries;  // of a map, in order
  int line = 1;                    // one-based
  int column = 1;

  // The value under a key of a map; null where there is none.
  const YamlNode* find(std::string_view key) const;

  YamlNode clone() const;
  size_t count() const;  // of nodes, this one included
  int depth() const;     // 1 of a scalar
};

struct YamlEntry {
  YamlNode key;  // a scalar
  YamlNode value;
};

struct YamlFile {
  std::vector<YamlNode> documents;  // those before the error, if there is one
  std::vector<Error> errors;        // at most one: YAML cannot be read on after it
};

// Never throws; `where` of an error is "name:line:column".
YamlFile read_yaml(std::string_view name, std::string_view bytes);

// "name:line:column" of a node.
std::string yaml_position(std::string_view name, const YamlNode& node);

}  // namespace tinyarms::rules
