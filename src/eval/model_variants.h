// Which files `--models a,b --quantizations q4,q8` means: installed ones where they are, else
// copies quantised into the cache.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "catalog/model_store.h"
#include "eval/bench.h"

namespace tinyarms::eval {

struct ModelVariant {
  std::string name;  // "smollm2-135m-instruct.q8_0"
  std::filesystem::path path;
  std::string sha256;
  bool encoder = false;
  std::string note;  // "requantised from Q4_1: it holds no more than that file did"
};

struct VariantRequest {
  std::vector<std::string> models;         // names in the store, or paths of GGUF files
  std::vector<std::string> quantizations;  // "q4", "q8_0", "fp16"; none: each model as it is
  std::filesystem::path cache;             // where copies are made and found again
  int threads = 0;
  std::function<void(const std::string&)> note;  // told what takes long
};

// "q4" → "q4_k_m", "q8" → "q8_0", "fp16" → "f16"; a type's own name stays.
std::string quantization_type(const std::string& alias);

// In order, models first. Errors: those of ModelStore::find and engine::quantize;
// InvalidArgument where one comes twice or a type is unknown.
Result<std::vector<ModelVariant>> find_variants(const catalog::ModelStore& store,
                                                const VariantRequest& request);

}  // namespace tinyarms::eval
