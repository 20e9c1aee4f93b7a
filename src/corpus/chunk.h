// A file as passages that can be found and shown by themselves: a function, a class's head, a
// section of a document; where a file's structure is not known, runs of lines.
//
// Passages are in the order of the file, do not overlap, and hold every line that says something.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tinyarms::corpus {

struct Passage {
  uint32_t first_line = 0;  // 1-based, both included
  uint32_t last_line = 0;
  std::string kind;    // "function", "class", "code", "section", "text"
  std::string symbol;  // "Class.method", "Install > Linux"; may be empty
  std::string text;
};

struct ChunkLimits {
  size_t bytes = 1800;  // about twice what an encoder reads at once
  size_t lines = 60;
};

// `language`: a name of rules::languages(), "markdown", "rst", anything else is plain text.
std::vector<Passage> chunk(std::string_view text, std::string_view language,
                           const ChunkLimits& limits = {});

// Raised whenever chunk() cuts differently, so that indexes are made anew.
inline constexpr int kChunkVersion = 1;

}  // namespace tinyarms::corpus
