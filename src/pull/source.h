// What a person may write after `tinyarms pull`, taken apart without looking anything up.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace tinyarms::pull {

struct PullSource {
  enum class Kind {
    Name,  // "qwen2.5-coder-3b", "qwen2.5-coder-3b:q4_k_m": of the catalogue or a mirror
    Hub,   // "hf:user/repo", "hf:user/repo:Q4_K_M", "hf:user/repo@rev/path/to/file.gguf"
    Url,   // "https://…/file.gguf"
    Path,  // a file or folder that is here, also as file://
  };
  Kind kind = Kind::Name;
  std::string name{};
  std::string quantisation{};  // empty: not said
  std::string repository{};    // "user/repo"
  std::string revision = "main";
  std::string file{};          // in the repository
  std::string url{};
  std::filesystem::path path{};
};

using IsThere = std::function<bool(const std::filesystem::path&)>;

// Errors: InvalidArgument (with the forms there are).
Result<PullSource> parse_source(std::string_view text, const IsThere& is_there);

// "model-q4_k_m.gguf" → "Q4_K_M": the type of weights that a file's name tells, empty where none.
std::string quantisation_in(std::string_view file_name);

struct ShardName {
  std::string stem{};  // "model-q8_0" of "model-q8_0-00001-of-00003.gguf"
  int part = 0;        // from 1; 0: the name is not one of a part
  int parts = 0;
};
ShardName shard_of(std::string_view file_name);

}  // namespace tinyarms::pull
