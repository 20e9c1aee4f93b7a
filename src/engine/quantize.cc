#include "engine/quantize.h"

#include <fmt/format.h>
#include <ggml.h>
#include <llama.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <exception>

#include "base/file.h"
#include "base/nearest.h"
#include "engine/gguf_header.h"
#include "engine/llama_backend.h"
#include "engine/mapped_file.h"
#include "engine/model_facts.h"
#include "engine/plausible.h"

namespace tinyarms::engine {
namespace {

struct Target {
  const char* name;
  llama_ftype file_type;
  ggml_type tensor_type;  // what most matrices are stored in
};

// Smallest first. Those that need an importance matrix to be any good are left out.
constexpr std::array kTargets = {
    Target{"q2_k", LLAMA_FTYPE_MOSTLY_Q2_K, GGML_TYPE_Q2_K},
    Target{"q3_k_s", LLAMA_FTYPE_MOSTLY_Q3_K_S, GGML_TYPE_Q3_K},
    Target{"q3_k_m", LLAMA_FTYPE_MOSTLY_Q3_K_M, GGML_TYPE_Q3_K},
    Target{"q4_0", LLAMA_FTYPE_MOSTLY_Q4_0, GGML_TYPE_Q4_0},
    Target{"q4_1", LLAMA_FTYPE_MOSTLY_Q4_1, GGML_TYPE_Q4_1},
    Target{"q4_k_s", LLAMA_FTYPE_MOSTLY_Q4_K_S, GGML_TYPE_Q4_K},
    Target{"q4_k_m", LLAMA_FTYPE_MOSTLY_Q4_K_M, GGML_TYPE_Q4_K},
    Target{"q5_0", LLAMA_FTYPE_MOSTLY_Q5_0, GGML_TYPE_Q5_0},
    Target{"q5_k_m", LLAMA_FTYPE_MOSTLY_Q5_K_M, GGML_TYPE_Q5_K},
    Target{"q6_k", LLAMA_FTYPE_MOSTLY_Q6_K, GGML_TYPE_Q6_K},
    Target{"q8_0", LLAMA_FTYPE_MOSTLY_Q8_0, GGML_TYPE_Q8_0},
    Target{"f16", LLAMA_FTYPE_MOSTLY_F16, GGML_TYPE_F16},
};

Result<Target> find_target(std::string_view type) {
  std::string lower(type);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  for (const Target& target : kTargets) {
    if (lower == target.name) return target;
  }
  const std::vector<std::string> names = quantization_names();
  const auto suggestion = nearest(lower, names);
  return Error{ErrorCode::InvalidArgument, fmt::format("there is no quantization '{}'", type), "",
               suggestion ? fmt::format("did you mean {}?", *suggestion)
                          : fmt::format("use one of {}", fmt::join(names, ", "))};
}

// Matrices whose rows do not divide into the blocks of the type that was asked for.
int count_fallbacks(const GgufHeader& header, ggml_type type) {
  const auto block = static_cast<uint64_t>(ggml_blck_size(type));
  return static_cast<int>(std::count_if(
      header.tensors().begin(), header.tensors().end(), [&](const GgufTensor& tensor) {
        return tensor.dimensions > 1 && tensor.type != GGML_TYPE_F32 &&
               tensor.shape[0] % block != 0;
      }));
}

// The quantiser tells "cannot open" as it tells a broken model: told apart here, before it starts.
Result<void> check_writable(const std::filesystem::path& destination) {
  PendingFile probe(destination);
  std::FILE* file = std::fopen(probe.path().c_str(), "wb");
  if (file != nullptr) {
    std::fclose(file);
    return {};
  }
  return Error{ErrorCode::Io, fmt::format("cannot be written: {}", std::strerror(errno)),
               destination.string(), "check the folder and its permissions"};
}

Result<void> run_quantizer(const std::filesystem::path& source,
                           const std::filesystem::path& destination, const Target& target,
                           int threads) {
  llama_model_quantize_params parameters = llama_model_quantize_default_params();
  parameters.nthread = resolve_threads(threads);
  parameters.ftype = target.file_type;
  parameters.allow_requantize = true;  // what people have at hand is mostly quantised already
  forget_last_words();
  std::string words;
  try {
    if (llama_model_quantize(source.c_str(), destination.c_str(), &parameters) == 0) return {};
    words = last_words();
  } catch (const std::exception& problem) {
    words = problem.what();
  }
  return Error{ErrorCode::Corrupt, fmt::format("could not be quantised: {}", words),
               source.string(), "check the disk's room, or fetch the model again"};
}

}  // namespace

std::vector<std::string> quantization_names() {
  std::vector<std::string> names;
  for (const Target& target : kTargets) names.emplace_back(target.name);
  return names;
}

Result<QuantizeReport> quantize(const std::filesystem::path& source,
                                const std::filesystem::path& destination, std::string_view type,
                                int threads) {
  auto target = find_target(type);
  if (!target) return target.error();
  auto facts = inspect_model(source);
  if (!facts) return facts.error();
  if (facts->encoder) {
    return Error{ErrorCode::Unsupported, "is an embedding model", source.string(),
                 "choose its type when importing it"};
  }
  if (auto plausible = check_plausible(*facts); !plausible) return plausible.error();
  if (auto writable = check_writable(destination); !writable) return writable.error();
  prepare_backend();
  PendingFile pending(destination);
  if (auto done = run_quantizer(source, pending.path(), *target, threads); !done) {
    return done.error();
  }
  // The quantiser does not look whether the last block reached the disk: a full one shows here.
  auto result = inspect_model(pending.path());
  if (!result) return result.error().wrap("the quantised file is not whole");
  QuantizeReport report;
  report.bytes_before = facts->file_bytes;
  report.bytes_after = result->file_bytes;
  {
    auto file = MappedFile::open(pending.path());
    if (!file) return file.error();
    auto header = GgufHeader::parse(file->bytes(), pending.path());
    if (!header) return header.error();
    report.fallback_tensors = count_fallbacks(*header, target->tensor_type);
  }
  if (auto placed = pending.commit(); !placed) return placed.error();
  return report;
}

}  // namespace tinyarms::engine
