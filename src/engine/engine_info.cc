#include "engine/engine_info.h"

#include <ggml.h>
#include <llama.h>

namespace tinyarms::engine {

EngineInfo engine_info() {
  return {.ggml_version = ggml_version(),
          .ggml_commit = ggml_commit(),
          .features = llama_print_system_info()};
}

}  // namespace tinyarms::engine
