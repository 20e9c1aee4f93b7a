#include "engine/llama_open.h"

#include <fmt/format.h>

#include <exception>

#include "engine/llama_backend.h"

namespace tinyarms::engine {
namespace {

// libllama goes on while this says so.
bool still_wanted(float /*loaded: share*/, void* stop) {
  return stop == nullptr || !static_cast<const StopFlag*>(stop)->raised();
}

}  // namespace

Result<llama_model_ptr> load_llama_model(const std::filesystem::path& path,
                                         llama_model_params parameters, const StopFlag* stop) {
  prepare_backend();
  forget_last_words();
  parameters.n_gpu_layers = 0;
  parameters.progress_callback = still_wanted;
  parameters.progress_callback_user_data = const_cast<StopFlag*>(stop);  // it is only read
  llama_model_ptr model;
  std::string words;
  try {
    model.reset(llama_model_load_from_file(path.c_str(), parameters));
    words = last_words();
  } catch (const std::exception& problem) {
    words = problem.what();
  }
  if (model) return model;
  if (stop != nullptr && stop->raised()) {
    return Error{ErrorCode::Interrupted, "stopped while it was loaded", path.string(), ""};
  }
  const bool unknown = words.find("unknown model architecture") != std::string::npos;
  return Error{unknown ? ErrorCode::Unsupported : ErrorCode::Corrupt,
               fmt::format("the engine refused it: {}", words), path.string(),
               unknown ? "use a model of a known architecture" : "fetch or import the model again"};
}

Result<llama_context_ptr> open_llama_context(const llama_model* model,
                                             const llama_context_params& parameters,
                                             const std::filesystem::path& place) {
  forget_last_words();
  llama_context_ptr context;
  std::string words;
  try {
    context.reset(llama_init_from_model(const_cast<llama_model*>(model), parameters));
    words = last_words();
  } catch (const std::exception& problem) {
    words = problem.what();
  }
  if (context) return context;
  // libllama tells a failed allocation only by its words.
  const bool memory = words.find("alloc") != std::string::npos;
  return Error{memory ? ErrorCode::OverBudget : ErrorCode::Internal,
               fmt::format("no context could be made: {}", words), place.string(),
               "use a shorter context or free some memory"};
}

}  // namespace tinyarms::engine
