// Which inference engine is linked in, for `version` and for binding measurements to a build.
#pragma once

#include <string>

namespace tinyarms::engine {

struct EngineInfo {
  std::string ggml_version;  // "0.25.3"
  std::string ggml_commit;
  std::string features;  // what the kernels were built for: "AVX2 = 1 | AVX512 = 1 | …"
};

EngineInfo engine_info();

}  // namespace tinyarms::engine
