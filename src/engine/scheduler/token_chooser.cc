#include "engine/scheduler/token_chooser.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

namespace tinyarms::engine {
namespace {

constexpr size_t kPenaltyWindow = 64;
constexpr size_t kFirstSorted = 256;  // mostly all that a top-p needs

bool between(double value, double low, double high) { return value >= low && value <= high; }

Error out_of_range(std::string_view name, double value, std::string_view range) {
  return Error{ErrorCode::InvalidArgument, fmt::format("{} is {}", name, value), "",
               fmt::format("use {}", range)};
}

double weight(float logit, float top) { return std::exp(double(logit) - double(top)); }

}  // namespace

Result<void> check_sampling(const SamplingOptions& options, int32_t vocabulary) {
  const auto& [temperature, top_k, top_p, min_p, repetition, frequency, presence, seed, biases] =
      options;
  if (!std::isfinite(temperature) || temperature < 0) {
    return out_of_range("the temperature", temperature, "0 (greedy) or more");
  }
  if (top_k < 0) return out_of_range("top-k", top_k, "0 (all) or more");
  if (!(top_p > 0 && top_p <= 1)) return out_of_range("top-p", top_p, "more than 0, at most 1");
  if (!between(min_p, 0, 1)) return out_of_range("min-p", min_p, "0 to 1");
  if (!(repetition > 0 && repetition <= 10)) {
    return out_of_range("the repetition penalty", repetition, "more than 0, at most 10");
  }
  if (!between(frequency, -2, 2)) {
    return out_of_range("the frequency penalty", frequency, "-2 to 2");
  }
  if (!between(presence, -2, 2)) return out_of_range("the presence penalty", presence, "-2 to 2");
  for (const TokenBias& bias : biases) {
    if (bias.token < 0 || bias.token >= vocabulary) {
      return out_of_range("a token with a logit bias", bias.token,
                          fmt::format("0 to {}", vocabulary - 1));
    }
    if (std::isnan(bias.bias) || bias.bias > 1000) {
      return out_of_range("a logit bias", bias.bias, "a number up to 1000");
    }
  }
  return {};
}

TokenChooser::TokenChooser(const SamplingOptions& options, std::span<const llama_token> prompt,
                           std::unique_ptr<Grammar> grammar)
    : options_(options),
      grammar_(std::move(grammar)),
      sampler_(options.temperature, options.seed),
      random_(options.seed) {
  const auto tail = prompt.last(std::min(prompt.size(), kPenaltyWindow));
  recent_.assign(tail.begin(), tail.end());
}

bool TokenChooser::plain() const {
  return options_.top_k == 0 && options_.top_p >= 1 && options_.min_p <= 0;
}

Result<TokenChooser::Choice> TokenChooser::choose(std::span<const float> logits) {
  scan_ = scan_logits(logits);
  if (!std::isfinite(scan_.log_sum)) {
    return Error{ErrorCode::Corrupt, "the model's output is not a number", "",
                 "fetch or import the model again"};
  }
  const bool modified = !options_.logit_bias.empty() || options_.repetition_penalty != 1 ||
                        options_.frequency_penalty != 0 || options_.presence_penalty != 0;
  Choice choice;
  if (!modified && plain()) {
    choice.token = sampler_.draw(logits, scan_);
  } else {
    scratch_.assign(logits.begin(), logits.end());
    modify(scratch_);
    choice.token = draw(scratch_);
  }
  if (grammar_ && (choice.token < 0 || !grammar_->allows(choice.token))) {
    // Seldom: what a model would say is mostly what its format allows.
    if (!(modified || !plain())) scratch_.assign(logits.begin(), logits.end());
    grammar_->mask(scratch_);
    choice.token = draw(scratch_);
  }
  if (choice.token < 0) {
    return Error{ErrorCode::Internal, "no token is left that the constraints allow", "",
                 "loosen the schema, the grammar or the logit bias"};
  }
  if (grammar_) {
    if (auto accepted = grammar_->accept(choice.token); !accepted) return accepted.error();
  }
  choice.statistics = scan_.choosing(logits[static_cast<size_t>(choice.token)]);
  remember(choice.token);
  return choice;
}

void TokenChooser::modify(std::span<float> logits) const {
  for (const TokenBias& bias : options_.logit_bias) {
    logits[static_cast<size_t>(bias.token)] += bias.bias;
  }
  if (options_.repetition_penalty != 1) {
    // Keskar et al. 2019 (CTRL): towards less likely, whatever the logit's sign.
    const auto penalty = static_cast<float>(options_.repetition_penalty);
    for (const llama_token token : std::set<llama_token>(recent_.begin(), recent_.end())) {
      float& logit = logits[static_cast<size_t>(token)];
      logit = logit > 0 ? logit / penalty : logit * penalty;
    }
  }
  for (const auto& [token, times] : generated_) {
    logits[static_cast<size_t>(token)] -= static_cast<float>(
        options_.frequency_penalty * times + options_.presence_penalty);
  }
}

// −1 where every token is forbidden.
llama_token TokenChooser::draw(std::span<const float> logits) {
  const auto top = std::max_element(logits.begin(), logits.end());
  if (!std::isfinite(*top)) return -1;
  const auto likeliest = static_cast<llama_token>(top - logits.begin());
  if (options_.temperature <= 0) return likeliest;
  if (plain()) return sampler_.draw(logits, scan_logits(logits));

  double total = 0;
  for (const float logit : logits) total += weight(logit, *top);
  order_.clear();
  // What is never drawn only makes the list long.
  const double floor = std::max(std::log(options_.min_p), -30.0);
  for (size_t i = 0; i < logits.size(); ++i) {
    if (double(logits[i]) - double(*top) >= floor) {
      order_.push_back(static_cast<llama_token>(i));
    }
  }
  return draw_among(logits, order_, total);
}

llama_token TokenChooser::draw_among(std::span<const float> logits,
                                     std::vector<llama_token>& candidates, double total) {
  const auto logit = [&](llama_token token) { return logits[static_cast<size_t>(token)]; };
  const auto likelier = [&](llama_token a, llama_token b) {
    return logit(a) != logit(b) ? logit(a) > logit(b) : a < b;
  };
  const size_t most = options_.top_k > 0
                          ? std::min<size_t>(static_cast<size_t>(options_.top_k), candidates.size())
                          : candidates.size();
  const auto sort_to = [&](size_t count) {
    std::partial_sort(candidates.begin(), candidates.begin() + static_cast<std::ptrdiff_t>(count),
                      candidates.end(), likelier);
  };
  size_t sorted = std::min(most, kFirstSorted);
  sort_to(sorted);
  const float top = logit(candidates.front());
  // Top-p is of what top-k left.
  if (options_.top_k > 0) {
    if (sorted < most) sort_to(sorted = most);
    total = 0;
    for (size_t i = 0; i < most; ++i) total += weight(logit(candidates[i]), top);
  }
  size_t kept = 0;
  for (double mass = 0; kept < most && (kept == 0 || mass < options_.top_p * total); ++kept) {
    if (kept == sorted) sort_to(sorted = most);
    mass += weight(logit(candidates[kept]), top);
  }

  const double inverse = 1.0 / std::max(options_.temperature, 1e-6);
  double sum = 0;
  for (size_t i = 0; i < kept; ++i) {
    sum += std::exp((double(logit(candidates[i])) - double(top)) * inverse);
  }
  double left = static_cast<double>(random_() >> 11) * 0x1.0p-53 * sum;
  for (size_t i = 0; i < kept; ++i) {
    left -= std::exp((double(logit(candidates[i])) - double(top)) * inverse);
    if (left < 0) return candidates[i];
  }
  return candidates.front();
}

void TokenChooser::remember(llama_token token) {
  ++generated_[token];
  recent_.push_back(token);
  if (recent_.size() > kPenaltyWindow) recent_.erase(recent_.begin());
}

std::vector<TokenChooser::Ranked> TokenChooser::likeliest(std::span<const float> logits,
                                                          size_t count) const {
  if (count == 0) return {};
  std::vector<llama_token> order(logits.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = static_cast<llama_token>(i);
  count = std::min(count, order.size());
  std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(count), order.end(),
                    [&](llama_token a, llama_token b) {
                      const float left = logits[static_cast<size_t>(a)];
                      const float right = logits[static_cast<size_t>(b)];
                      return left != right ? left > right : a < b;
                    });
  std::vector<Ranked> ranked;
  for (size_t i = 0; i < count; ++i) {
    ranked.push_back({order[i], scan_.choosing(logits[static_cast<size_t>(order[i])]).logprob});
  }
  return ranked;
}

}  // namespace tinyarms::engine
