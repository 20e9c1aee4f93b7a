#include "pull/local_stores.h"

#include <algorithm>
#include <set>
#include <system_error>

namespace tinyarms::pull {
namespace {

namespace fs = std::filesystem;

constexpr int kEntriesMax = 20'000;  // looked at in one folder; a store is no tree of everything

template <typename Each>
void each_entry(const fs::path& folder, const Each& each) {
  std::error_code problem;
  int seen = 0;
  for (fs::directory_iterator at(folder, problem), end; !problem && at != end;
       at.increment(problem)) {
    if (++seen > kEntriesMax) return;
    each(at->path());
  }
}

bool fits(const fs::path& path, const WantedFile& wanted) {
  std::error_code problem;
  if (!fs::is_regular_file(path, problem)) return false;
  const uint64_t bytes = fs::file_size(path, problem);
  return !problem && (wanted.bytes == 0 || bytes == wanted.bytes);
}

std::string hub_folder(const std::string& repository) {
  std::string name = "models--" + repository;
  if (const size_t slash = name.find('/'); slash != std::string::npos) name.replace(slash, 1, "--");
  return name;
}

// <cache>/models--user--repo/blobs/<sha256>, and snapshots/<commit>/<path> → ../../blobs/…
void find_in_hub_cache(const fs::path& cache, const WantedFile& wanted,
                       std::vector<HeldFile>& found) {
  each_entry(cache, [&](const fs::path& folder) {
    const std::string name = folder.filename().string();
    if (!name.starts_with("models--")) return;
    if (!wanted.sha256.empty()) {
      const fs::path blob = folder / "blobs" / wanted.sha256;
      if (fits(blob, wanted)) found.push_back({blob, "the Hugging Face cache", true});
      return;
    }
    if (wanted.repository.empty() || wanted.name.empty() ||
        name != hub_folder(wanted.repository)) {
      return;
    }
    each_entry(folder / "snapshots", [&](const fs::path& snapshot) {
      const fs::path file = snapshot / wanted.name;
      if (fits(file, wanted)) found.push_back({file, "the Hugging Face cache", false});
    });
  });
}

// <cache>/user_repo_file.gguf
void find_in_llama_cache(const fs::path& cache, const WantedFile& wanted,
                         std::vector<HeldFile>& found) {
  if (wanted.name.empty()) return;
  const std::string flat = wanted.name.substr(wanted.name.rfind('/') + 1);
  each_entry(cache, [&](const fs::path& file) {
    const std::string name = file.filename().string();
    const bool named = name == flat || name.ends_with("_" + flat);
    if (named && fits(file, wanted)) found.push_back({file, "the llama.cpp cache", false});
  });
}

// <models>/blobs/sha256-<hash>
void find_in_ollama(const fs::path& models, const WantedFile& wanted,
                    std::vector<HeldFile>& found) {
  if (wanted.sha256.empty()) return;
  const fs::path blob = models / "blobs" / ("sha256-" + wanted.sha256);
  if (fits(blob, wanted)) found.push_back({blob, "Ollama", true});
}

// <models>/user/repo/file.gguf
void find_in_lm_studio(const fs::path& models, const WantedFile& wanted,
                       std::vector<HeldFile>& found) {
  if (wanted.name.empty()) return;
  const std::string flat = wanted.name.substr(wanted.name.rfind('/') + 1);
  each_entry(models, [&](const fs::path& user) {
    each_entry(user, [&](const fs::path& repository) {
      const fs::path file = repository / flat;
      if (fits(file, wanted)) found.push_back({file, "LM Studio", false});
    });
  });
}

}  // namespace

StorePlaces find_store_places(const Environment& environment) {
  StorePlaces places;
  const fs::path home = environment("HOME").value_or("");
  const auto add = [&](std::vector<fs::path>& to, const char* variable, const char* below) {
    const auto value = environment(variable);
    if (value && !value->empty()) to.push_back(fs::path(*value) / below);
  };
  const auto add_home = [&](std::vector<fs::path>& to, const char* below) {
    if (!home.empty()) to.push_back(home / below);
  };
  add(places.hub_caches, "HF_HUB_CACHE", "");
  add(places.hub_caches, "HF_HOME", "hub");
  add(places.hub_caches, "XDG_CACHE_HOME", "huggingface/hub");
  add_home(places.hub_caches, ".cache/huggingface/hub");
  add(places.llama_caches, "LLAMA_CACHE", "");
  add(places.llama_caches, "XDG_CACHE_HOME", "llama.cpp");
  add_home(places.llama_caches, ".cache/llama.cpp");
  add(places.ollama, "OLLAMA_MODELS", "");
  add_home(places.ollama, ".ollama/models");
  places.ollama.emplace_back("/usr/share/ollama/.ollama/models");
  add_home(places.lm_studio, ".lmstudio/models");
  add_home(places.lm_studio, ".cache/lm-studio/models");
  return places;
}

std::vector<HeldFile> find_held(const WantedFile& wanted, const StorePlaces& places) {
  std::vector<HeldFile> found;
  for (const fs::path& cache : places.hub_caches) find_in_hub_cache(cache, wanted, found);
  for (const fs::path& models : places.ollama) find_in_ollama(models, wanted, found);
  // By name alone a file is worth reading only where its hash can tell.
  if (!wanted.sha256.empty()) {
    for (const fs::path& cache : places.llama_caches) find_in_llama_cache(cache, wanted, found);
    for (const fs::path& models : places.lm_studio) find_in_lm_studio(models, wanted, found);
  }
  return found;
}

std::vector<std::string> held_of_repository(const std::string& repository,
                                            const StorePlaces& places) {
  std::set<std::string> names;
  for (const fs::path& cache : places.hub_caches) {
    each_entry(cache / hub_folder(repository) / "snapshots", [&](const fs::path& snapshot) {
      each_entry(snapshot, [&](const fs::path& file) {
        if (file.extension() == ".gguf") names.insert(file.filename().string());
      });
    });
  }
  return {names.begin(), names.end()};
}

}  // namespace tinyarms::pull
