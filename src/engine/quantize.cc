#include "engine/quantize.h"

#include <fmt/format.h>
#include <ggml.h>
#include <llama.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstring>
#include <exception>
#include <mutex>
#include <optional>
#include <thread>

#include <fcntl.h>
#include <unistd.h>

#include "base/descriptor.h"
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
    Target{"iq4_xs", LLAMA_FTYPE_MOSTLY_IQ4_XS, GGML_TYPE_IQ4_XS},
    Target{"iq4_nl", LLAMA_FTYPE_MOSTLY_IQ4_NL, GGML_TYPE_IQ4_NL},
    Target{"q4_0", LLAMA_FTYPE_MOSTLY_Q4_0, GGML_TYPE_Q4_0},
    Target{"q4_1", LLAMA_FTYPE_MOSTLY_Q4_1, GGML_TYPE_Q4_1},
    Target{"q4_k_s", LLAMA_FTYPE_MOSTLY_Q4_K_S, GGML_TYPE_Q4_K},
    Target{"q4_k_m", LLAMA_FTYPE_MOSTLY_Q4_K_M, GGML_TYPE_Q4_K},
    Target{"q5_0", LLAMA_FTYPE_MOSTLY_Q5_0, GGML_TYPE_Q5_0},
    Target{"q5_k_m", LLAMA_FTYPE_MOSTLY_Q5_K_M, GGML_TYPE_Q5_K},
    Target{"q6_k", LLAMA_FTYPE_MOSTLY_Q6_K, GGML_TYPE_Q6_K},
    Target{"q8_0", LLAMA_FTYPE_MOSTLY_Q8_0, GGML_TYPE_Q8_0},
    Target{"f16", LLAMA_FTYPE_MOSTLY_F16, GGML_TYPE_F16},
    Target{"f32", LLAMA_FTYPE_ALL_F32, GGML_TYPE_F32},
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

Error refused_by_system(int reason, const std::filesystem::path& destination) {
  const bool full = reason == ENOSPC || reason == EDQUOT || reason == EFBIG;
  return Error{ErrorCode::Io, fmt::format("cannot be written: {}", std::strerror(reason)),
               destination.string(),
               full ? "make room on the disk or raise the limit"
                    : "check the folder and its permissions"};
}

// The quantiser tells "cannot open" as it tells a broken model: told apart here, before it starts.
Result<void> check_writable(const std::filesystem::path& destination) {
  PendingFile probe(destination);
  std::FILE* file = std::fopen(probe.path().c_str(), "wb");
  if (file == nullptr) return refused_by_system(errno, destination);
  std::fclose(file);
  return {};
}

// Nor does it tell a full disk: where a few more bytes cannot be added to what it left, that was
// the reason.
std::optional<int> why_not_writable(const std::filesystem::path& pending) {
  const Descriptor file(::open(pending.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC));
  if (file.get() < 0) return {};
  // More than what a file system rounds up to, so that the last block's slack does not hide it.
  const std::vector<char> probe(1 << 16, 0);
  const ssize_t written = ::write(file.get(), probe.data(), probe.size());
  if (written == static_cast<ssize_t>(probe.size()) && ::fsync(file.get()) == 0) return {};
  return written >= 0 && written < static_cast<ssize_t>(probe.size()) ? ENOSPC : errno;
}

// Reports a growing file's size until it is destroyed.
class GrowthWatch {
 public:
  GrowthWatch(std::filesystem::path file, const std::function<void(uint64_t)>& report) {
    if (!report) return;
    thread_ = std::thread([this, file = std::move(file), &report] {
      std::unique_lock lock(mutex_);
      while (!wake_.wait_for(lock, kInterval, [this] { return done_; })) {
        std::error_code problem;
        const uintmax_t bytes = std::filesystem::file_size(file, problem);
        if (!problem) report(bytes);
      }
    });
  }
  ~GrowthWatch() {
    if (!thread_.joinable()) return;
    {
      const std::lock_guard lock(mutex_);
      done_ = true;
    }
    wake_.notify_one();
    thread_.join();
  }
  GrowthWatch(const GrowthWatch&) = delete;
  GrowthWatch& operator=(const GrowthWatch&) = delete;

 private:
  static constexpr std::chrono::milliseconds kInterval{250};
  std::mutex mutex_;
  std::condition_variable wake_;
  bool done_ = false;
  std::thread thread_;
};

// libllama's form: a list that ends with a null name, pointing into `matrix`.
std::vector<llama_model_imatrix_data> as_entries(const ImportanceMatrix* matrix) {
  std::vector<llama_model_imatrix_data> entries;
  if (matrix == nullptr) return entries;
  for (const auto& [name, columns] : matrix->columns) {
    entries.push_back({name.c_str(), columns.data(), columns.size()});
  }
  entries.push_back({nullptr, nullptr, 0});
  return entries;
}

// Every entry names a matrix of this model and has a value for each of its columns.
Result<void> check_importance(const ImportanceMatrix* matrix, const GgufHeader& header,
                              const std::filesystem::path& source) {
  if (matrix == nullptr) return {};
  for (const auto& [name, columns] : matrix->columns) {
    const GgufTensor* tensor = header.tensor(name);
    if (tensor != nullptr && columns.size() == tensor->shape[0] * tensor->shape[2]) continue;
    return Error{ErrorCode::InvalidArgument,
                 fmt::format("the importance matrix is of another model: {} does not fit", name),
                 source.string(), "make one with --imatrix-from TEXT"};
  }
  return {};
}

Result<GgufHeader> read_header(const std::filesystem::path& path) {
  auto file = MappedFile::open(path);
  if (!file) return file.error();
  return GgufHeader::parse(file->bytes(), path);
}

Result<void> run_quantizer(const std::filesystem::path& source,
                           const std::filesystem::path& destination, const Target& target,
                           const QuantizeOptions& options) {
  const std::vector<llama_model_imatrix_data> entries = as_entries(options.importance);
  llama_model_quantize_params parameters = llama_model_quantize_default_params();
  parameters.nthread = resolve_threads(options.threads);
  parameters.ftype = target.file_type;
  parameters.allow_requantize = true;  // what people have at hand is mostly quantised already
  parameters.imatrix = entries.empty() ? nullptr : entries.data();
  forget_last_words();
  std::string words;
  try {
    if (llama_model_quantize(source.c_str(), destination.c_str(), &parameters) == 0) return {};
    words = last_words();
  } catch (const std::exception& problem) {
    words = problem.what();
  }
  return Error{ErrorCode::Corrupt, fmt::format("could not be quantised: {}", words),
               source.string(), "fetch the model again"};
}

// The quantiser does not look whether the last block reached the disk: a full one shows in a file
// that is not whole.
Result<ModelFacts> run_and_inspect(const std::filesystem::path& source, const PendingFile& pending,
                                   const std::filesystem::path& destination, const Target& target,
                                   const QuantizeOptions& options) {
  Result<void> done;
  {
    const GrowthWatch watch(pending.path(), options.progress);
    done = run_quantizer(source, pending.path(), target, options);
  }
  auto result = done ? inspect_model(pending.path()) : Result<ModelFacts>(done.error());
  if (result) return result;
  if (const auto reason = why_not_writable(pending.path())) {
    return refused_by_system(*reason, destination);
  }
  return done ? result.error().wrap("the quantised file is not whole") : done.error();
}

}  // namespace

std::vector<std::string> quantization_names() {
  std::vector<std::string> names;
  for (const Target& target : kTargets) names.emplace_back(target.name);
  return names;
}

Result<QuantizeReport> quantize(const std::filesystem::path& source,
                                const std::filesystem::path& destination,
                                const QuantizeOptions& options) {
  auto target = find_target(options.type);
  if (!target) return target.error();
  auto facts = inspect_model(source);
  if (!facts) return facts.error();
  if (auto plausible = check_plausible(*facts); !plausible) return plausible.error();
  auto before = read_header(source);
  if (!before) return before.error();
  auto fits = check_importance(options.importance, *before, source);
  if (!fits) return fits.error();
  if (auto writable = check_writable(destination); !writable) return writable.error();
  prepare_backend();
  PendingFile pending(destination);
  auto result = run_and_inspect(source, pending, destination, *target, options);
  if (!result) return result.error();
  auto after = read_header(pending.path());
  if (!after) return after.error();
  if (auto placed = pending.commit(); !placed) return placed.error();
  QuantizeReport report;
  report.bytes_before = facts->file_bytes;
  report.bytes_after = result->file_bytes;
  report.fallback_tensors = count_fallbacks(*after, target->tensor_type);
  return report;
}

}  // namespace tinyarms::engine
