// What a run of benchmarks leaves: a table for people and the same as JSON.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/result.h"
#include "bench.h"

namespace tinyarms::bench {

struct Report {
  std::vector<Figure> figures;
  std::string machine;    // processor, cores, memory
  std::string commit;     // of the code measured; "-dirty" where it is not committed
  std::string model_sha;  // SHA-256 of the small model
};

std::string table_of(const Report& report);

// {"figures": [{name, unit, ours, peer, ratio, goal, met}], machine, commit, model_sha}; null
// where there is no peer.
Result<void> write_json(const Report& report, const std::filesystem::path& file);

std::string describe_machine();

}  // namespace tinyarms::bench
