#include "engine/scheduler/model_context.h"

#include <fmt/format.h>
#include <llama-ext.h>

#include <algorithm>

#include "engine/llama_open.h"

namespace tinyarms::engine {
namespace {

// Where layers forget (recurrent states, sliding windows), a prefix cannot be copied afterwards.
bool can_share(const LanguageModel& model) {
  return model.can_rewind() && llama_model_n_swa(model.handle()) == 0;
}

// Attention over one more token before it, in parts of what the matrices cost: two products of the
// model's width a layer, against two operations a parameter.
double depth_cost(const ModelFacts& facts) {
  return 2.0 * facts.layers * facts.embedding_width /
         std::max(1.0, static_cast<double>(facts.parameters));
}

// The length of the context is among it: some models turn positions by it.
std::string numerics_of(const llama_context_params& parameters, const llama_context* context) {
  return fmt::format("keys {} values {} attention {} cells {} rope {} {} {} yarn {} {} {} {} {}",
                     ggml_type_name(parameters.type_k), ggml_type_name(parameters.type_v),
                     static_cast<int>(parameters.flash_attn_type), llama_n_ctx(context),
                     static_cast<int>(parameters.rope_scaling_type), parameters.rope_freq_base,
                     parameters.rope_freq_scale, parameters.yarn_ext_factor,
                     parameters.yarn_attn_factor, parameters.yarn_beta_fast,
                     parameters.yarn_beta_slow, parameters.yarn_orig_ctx);
}

}  // namespace

Result<std::unique_ptr<ModelContext>> ModelContext::create(const LanguageModel& model,
                                                           CoreBudget& cores, ContextShape shape,
                                                           Pass::Decode decode) {
  std::unique_ptr<ModelContext> made(new ModelContext);
  const bool sharing = can_share(model);
  llama_context_params parameters = llama_context_default_params();
  parameters.n_ctx = shape.cells;
  // Everybody who writes has a token in each pass.
  parameters.n_batch = std::max(std::clamp(shape.batch_tokens, 1u, shape.cells), shape.running);
  parameters.n_ubatch = parameters.n_batch;
  parameters.n_seq_max = shape.running + (sharing ? shape.kept : 0);
  parameters.n_outputs_max = parameters.n_seq_max;  // fewer are not taken
  parameters.kv_unified = true;                     // sequences can share cells
  parameters.n_threads = cores.cores();
  parameters.n_threads_batch = cores.cores();
  parameters.no_perf = true;
  parameters.abort_callback = [](void* slot) {
    const Pass* pass = *static_cast<Pass**>(slot);
    return pass != nullptr && pass->unwanted();
  };
  parameters.abort_callback_data = &made->aborting_;
  auto context = open_llama_context(model.handle(), parameters, model.facts().path);
  if (!context) return context.error();
  made->context_ = std::move(*context);
  made->numerics_ = numerics_of(parameters, made->context_.get());
  made->kv_ = std::make_unique<KvStore>(
      made->context_.get(), KvOptions{.sequences = parameters.n_seq_max,
                                      .sharing = sharing && parameters.n_seq_max > 1,
                                      .depth_cost = depth_cost(model.facts())});
  made->pass_ = std::make_unique<Pass>(model, cores, *made->kv_, made->context_.get(),
                                       std::move(decode));
  made->aborting_ = made->pass_.get();
  return made;
}

MemoryPlan ModelContext::memory_taken() const {
  MemoryPlan taken;
  for (const auto& [type, bytes] : llama_get_memory_breakdown(context_.get())) {
    taken.weight_bytes += bytes.model;
    taken.kv_bytes += bytes.context;
    taken.compute_bytes += bytes.compute;
  }
  return taken;
}

}  // namespace tinyarms::engine
