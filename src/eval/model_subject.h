// One local model as a subject: generation for Mode::Generate, option log-probabilities for
// Mode::Choose.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "engine/generator.h"
#include "eval/subject.h"

namespace tinyarms::eval {

struct ModelSubjectOptions {
  std::string name;  // in records: tells this file from every other one of the run
  std::filesystem::path path;
  std::string sha256;
  uint32_t context_tokens = 4096;  // clipped to what the model was trained for
  int threads = 0;                 // 0: every core
};

// Loads the weights; contexts are made when first needed. Errors: those of LanguageModel::load.
Result<std::unique_ptr<Subject>> open_model_subject(const ModelSubjectOptions& options);

}  // namespace tinyarms::eval
