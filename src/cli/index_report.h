// What `tinyarms index` tells about its work and about the index, as text and as JSON.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/error.h"
#include "corpus/indexer.h"

namespace tinyarms::cli {

// "1,204 of 3,000 files, 210 files/s, about 12 s left"
std::string progress_line(const corpus::IndexProgress& progress);

std::string report_line(const corpus::IndexReport& report);
std::string reports_text(const std::vector<corpus::IndexReport>& reports);
nlohmann::ordered_json report_json(const corpus::IndexReport& report);
// Sums, then each root.
nlohmann::ordered_json reports_json(const std::vector<corpus::IndexReport>& reports,
                                    const std::vector<Error>& problems,
                                    const corpus::Library& library);

struct IndexStatus {
  std::filesystem::path folder;
  std::string model;
  std::string configured_model;
  bool same_model = true;
  size_t dimensions = 0;
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

// `model_id`: of the configured model; empty where it is not known.
Result<IndexStatus> status_of(corpus::Library& library, const std::filesystem::path& folder,
                              const std::string& configured_model, const std::string& model_id);
std::string status_text(const IndexStatus& status);
nlohmann::ordered_json status_json(const IndexStatus& status);
nlohmann::ordered_json empty_status_json(const std::filesystem::path& folder);

}  // namespace tinyarms::cli
