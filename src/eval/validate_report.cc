#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "eval/validate.h"

namespace tinyarms::eval {
namespace {

using nlohmann::ordered_json;

constexpr const char* kSchema = "tinyarms-validation/1";

double megabytes(uint64_t bytes) { return static_cast<double>(bytes) / 1e6; }

std::string difference_text(const Difference& difference, double margin) {
  const std::string verdict =
      difference.finding == Finding::Within
          ? fmt::format("within {:g} points with 95 % confidence", margin)
          : std::string(finding_text(difference.finding)) +
                (difference.finding == Finding::Worse ? fmt::format(" by more than {:g} points",
                                                                    margin)
                                                      : fmt::format(" within {:g} points", margin));
  const std::string unmeasured =
      difference.unmeasured > 0 ? fmt::format(" ({} not measured)", difference.unmeasured) : "";
  return fmt::format(
      "  {}: {:.2f} → {:.2f}, {:+.2f} points [{:+.2f}, {:+.2f}] over {} items{}: {}\n",
      difference.measure, difference.reference, difference.candidate, difference.difference,
      difference.interval.low, difference.interval.high, difference.items, unmeasured, verdict);
}

std::string language_text(const ModelResult& model) {
  const engine::Comparison& compared = *model.language;
  return fmt::format(
      "  perplexity {:.3f} ± {:.3f}, {:+.2f} % ± {:.2f} %; divergence mean {:.5f} ± {:.5f}, 99 % "
      "{:.4f}, largest {:.3f}; same first choice {:.2f} %\n",
      compared.candidate.perplexity, compared.candidate.perplexity_error,
      100 * std::expm1(compared.log_ratio),
      100 * std::exp(compared.log_ratio) * compared.log_ratio_error, compared.divergence_mean,
      compared.divergence_error, compared.divergence_99, compared.divergence_max,
      100 * compared.same_top);
}

std::string encoder_text(const EncoderAgreement& agreement) {
  return fmt::format("  spearman {:.4f} [{:.4f}, {:.4f}]; cosine to the reference mean {:.5f}, "
                     "least {:.5f}; {:.0f} sentences/s\n",
                     agreement.spearman, agreement.spearman_interval.low,
                     agreement.spearman_interval.high, agreement.cosine_mean,
                     agreement.cosine_min, agreement.sentences_per_second);
}

std::string model_text(const ModelResult& model, double margin) {
  std::string text = fmt::format("{} ({}): {:.1f} MB, {:.0f} MB memory planned", model.file.name,
                                 model.quantization, megabytes(model.file_bytes),
                                 megabytes(model.memory_bytes));
  if (model.likelihood) {
    text += fmt::format(", prefill {:.0f} tokens/s", model.likelihood->tokens_per_second);
  }
  if (model.decode_tokens_per_second > 0) {
    text += fmt::format(", decode {:.1f} tokens/s", model.decode_tokens_per_second);
  }
  if (model.file.fallback_tensors > 0) {
    text += fmt::format(", {} tensors in a larger type", model.file.fallback_tensors);
  }
  text += '\n';
  if (model.language) {
    text += language_text(model);
  } else if (model.likelihood) {
    text += fmt::format("  perplexity {:.3f} ± {:.3f} over {} tokens\n",
                        model.likelihood->perplexity, model.likelihood->perplexity_error,
                        model.likelihood->tokens);
  }
  if (model.encoder) text += encoder_text(*model.encoder);
  for (const Difference& difference : model.differences) {
    text += difference_text(difference, margin);
  }
  return text;
}

ordered_json difference_json(const Difference& difference) {
  return {{"measure", difference.measure},
          {"reference", difference.reference},
          {"candidate", difference.candidate},
          {"difference", difference.difference},
          {"interval", {difference.interval.low, difference.interval.high}},
          {"items", difference.items},
          {"unmeasured", difference.unmeasured},
          {"verdict", finding_text(difference.finding)}};
}

ordered_json model_json(const ModelResult& model) {
  ordered_json json = {{"name", model.file.name},
                       {"quantization", model.quantization},
                       {"sha256", model.file.sha256},
                       {"file_bytes", model.file_bytes},
                       {"memory_bytes", model.memory_bytes},
                       {"fallback_tensors", model.file.fallback_tensors}};
  if (model.decode_tokens_per_second > 0) {
    json["decode_tokens_per_second"] = model.decode_tokens_per_second;
  }
  if (model.likelihood) {
    json["perplexity"] = model.likelihood->perplexity;
    json["perplexity_error"] = model.likelihood->perplexity_error;
    json["tokens"] = model.likelihood->tokens;
    json["prefill_tokens_per_second"] = model.likelihood->tokens_per_second;
  }
  if (model.language) {
    const engine::Comparison& compared = *model.language;
    json["divergence"] = {{"mean", compared.divergence_mean},
                          {"mean_error", compared.divergence_error},
                          {"p99", compared.divergence_99},
                          {"max", compared.divergence_max}};
    json["same_top"] = compared.same_top;
    json["log_perplexity_ratio"] = compared.log_ratio;
    json["log_perplexity_ratio_error"] = compared.log_ratio_error;
  }
  if (model.encoder) {
    const EncoderAgreement& agreement = *model.encoder;
    json["spearman"] = agreement.spearman;
    json["spearman_interval"] = {agreement.spearman_interval.low,
                                 agreement.spearman_interval.high};
    json["cosine_mean"] = agreement.cosine_mean;
    json["cosine_min"] = agreement.cosine_min;
    json["sentences_per_second"] = agreement.sentences_per_second;
  }
  json["differences"] = ordered_json::array();
  for (const Difference& difference : model.differences) {
    json["differences"].push_back(difference_json(difference));
  }
  return json;
}

}  // namespace

std::string validation_as_text(const Validation& validation) {
  std::string text = "reference " + model_text(validation.reference, validation.margin);
  for (const ModelResult& model : validation.candidates) {
    text += model_text(model, validation.margin);
  }
  return text;
}

std::string validation_as_json(const Validation& validation) {
  ordered_json json = {{"schema", kSchema},
                       {"margin_points", validation.margin},
                       {"threads", validation.threads},
                       {"text_sha256", validation.text_sha256},
                       {"reference", model_json(validation.reference)},
                       {"candidates", ordered_json::array()}};
  for (const ModelResult& model : validation.candidates) {
    json["candidates"].push_back(model_json(model));
  }
  return json.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace tinyarms::eval
