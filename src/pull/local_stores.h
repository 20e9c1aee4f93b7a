// Models that other programs of this machine already hold: nothing of them is fetched again. What
// is found is a candidate until its SHA-256 was computed.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/paths.h"

namespace tinyarms::pull {

struct StorePlaces {
  std::vector<std::filesystem::path> hub_caches{};   // Hugging Face: $HF_HUB_CACHE, $HF_HOME/hub
  std::vector<std::filesystem::path> llama_caches{};  // llama.cpp: $LLAMA_CACHE
  std::vector<std::filesystem::path> ollama{};       // $OLLAMA_MODELS
  std::vector<std::filesystem::path> lm_studio{};
};

StorePlaces find_store_places(const Environment& environment);

struct WantedFile {
  std::string repository{};  // "user/repo"; may be empty
  std::string name{};        // "model-q4_k_m.gguf"; may be empty
  uint64_t bytes = 0;        // 0: not known
  std::string sha256{};      // empty: not known
};

struct HeldFile {
  std::filesystem::path path{};
  std::string holder{};  // "Ollama"
  bool by_hash = false;  // its own store calls it by that SHA-256
  bool own = false;      // it lies in the model store
};

// Files that may be it: by hash where it is known, else by repository and name in the stores that
// keep those. A file of another size is none.
std::vector<HeldFile> find_held(const WantedFile& wanted, const StorePlaces& places);

// The file names of GGUFs that the Hugging Face cache holds of a repository, when no hub can be
// asked.
std::vector<std::string> held_of_repository(const std::string& repository,
                                            const StorePlaces& places);

}  // namespace tinyarms::pull
