#include "tiers/model_shelf.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "engine/memory_plan.h"

namespace tinyarms::tiers {
namespace {

constexpr uint32_t kBatchTokens = 512;
constexpr double kGigabyte = 1e9;

}  // namespace

Result<uint64_t> EngineLoader::bytes_needed(const std::filesystem::path& file,
                                            uint32_t context_tokens) {
  auto facts = engine::inspect_model(file);
  if (!facts) return facts.error();
  return engine::plan_memory(*facts, context_tokens, kBatchTokens).total();
}

Result<LoadedModel> EngineLoader::load(const std::filesystem::path& file,
                                       uint32_t context_tokens) {
  auto weights = engine::LanguageModel::load(file);
  if (!weights) return weights.error();
  auto generator = engine::Generator::create(
      **weights,
      {.context_tokens = context_tokens, .batch_tokens = kBatchTokens, .threads = threads_});
  if (!generator) return generator.error();
  return LoadedModel{std::move(*weights), std::move(*generator)};
}

ModelShelf::ModelShelf(ModelLoader& loader, const Clock& clock, uint64_t budget_bytes)
    : loader_(loader), clock_(clock), budget_bytes_(budget_bytes) {}

Result<ModelShelf::Loan> ModelShelf::take(const std::filesystem::path& file,
                                          uint32_t context_tokens) {
  const auto known = std::find_if(shelf_.begin(), shelf_.end(), [&](const Place& place) {
    return place.file == file && place.context_tokens == context_tokens;
  });
  if (known != shelf_.end()) {
    shelf_.splice(shelf_.begin(), shelf_, known);
    return Loan{shelf_.front().model.generator.get(), shelf_.front().model.weights.get(), 0};
  }

  auto needed = loader_.bytes_needed(file, context_tokens);
  if (!needed) return needed.error();
  if (*needed > budget_bytes_) {
    return Error{ErrorCode::OverBudget,
                 fmt::format("needs {:.2f} GB with a context of {} tokens, the memory budget is "
                             "{:.2f} GB",
                             static_cast<double>(*needed) / kGigabyte, context_tokens,
                             static_cast<double>(budget_bytes_) / kGigabyte),
                 file.string(),
                 "raise memory_budget, shorten the tier's context, or choose a smaller model"};
  }
  while (bytes_resident() + *needed > budget_bytes_) shelf_.pop_back();

  const double start = clock_.monotonic_seconds();
  auto model = loader_.load(file, context_tokens);
  if (!model) return model.error();
  shelf_.push_front({file, context_tokens, *needed, std::move(*model)});
  return Loan{shelf_.front().model.generator.get(), shelf_.front().model.weights.get(),
              clock_.monotonic_seconds() - start};
}

uint64_t ModelShelf::bytes_resident() const {
  return std::accumulate(shelf_.begin(), shelf_.end(), uint64_t{0},
                         [](uint64_t sum, const Place& place) { return sum + place.bytes; });
}

}  // namespace tinyarms::tiers
