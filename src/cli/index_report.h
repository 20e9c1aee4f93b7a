// What `tinyarms index` tells about its work and about the index, as text and as JSON.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "corpus/indexer.h"
#include "service/library_access.h"

namespace tinyarms::cli {

// "1,204 of 3,000 files, 210 files/s, about 12 s left"
std::string progress_line(const corpus::IndexProgress& progress);

// "all-minilm.f16: 5,120 of 12,000 passages (43 %), 180/s, about 38 s left"
std::string progress_line(const corpus::RemakeProgress& progress);

std::string report_line(const corpus::IndexReport& report);
std::string reports_text(const std::vector<corpus::IndexReport>& reports);
nlohmann::ordered_json report_json(const corpus::IndexReport& report);
// What came of vectors that were made anew; empty where none were.
std::string remake_line(const corpus::RemakeReport& report);
nlohmann::ordered_json remake_json(const corpus::RemakeReport& report);
// Sums, then each root.
nlohmann::ordered_json reports_json(const std::vector<corpus::IndexReport>& reports,
                                    const corpus::RemakeReport& remade,
                                    const std::vector<Error>& problems,
                                    const corpus::Library& library);

struct IndexStatus {
  std::filesystem::path folder;
  std::string model;  // whose vectors are searched; empty: words alone
  std::string configured_model;
  size_t dimensions = 0;
  std::optional<corpus::Remaking> remaking;
  struct Old {  // vectors that do not serve
    std::string model;
    uint64_t bytes = 0;
    bool complete = false;
  };
  std::vector<Old> old;
  uint64_t files = 0;
  uint64_t passages = 0;
  uint64_t vectors = 0;
  uint64_t bytes = 0;  // on disk
  std::string notice;
  struct Place {
    corpus::Root root;
    bool there = true;
    uint64_t files = 0;
    uint64_t passages = 0;
  };
  std::vector<Place> roots;
};

Result<IndexStatus> status_of(service::SearchableIndex& index, const std::filesystem::path& folder,
                              const std::string& configured_model);
std::string status_text(const IndexStatus& status);
nlohmann::ordered_json status_json(const IndexStatus& status);
nlohmann::ordered_json empty_status_json(const std::filesystem::path& folder);

}  // namespace tinyarms::cli
