#include "engine/scheduler/grammar.h"

#include <fmt/format.h>
#include <json-schema-to-grammar.h>

#include <cmath>
#include <exception>
#include <limits>

#include "base/bracket_depth.h"
#include "engine/llama_backend.h"
#include "engine/schema_rules.h"

namespace tinyarms::engine {
namespace {

constexpr size_t kSchemaBytesMax = 64 << 10;
constexpr size_t kRulesBytesMax = 1 << 20;
constexpr int kNestingMax = 64;  // the conversion goes down by recursion

Error unusable(std::string what) {
  return Error{ErrorCode::InvalidArgument, std::move(what), "", "simplify the schema"};
}

}  // namespace

Result<GrammarText> grammar_of_schema(std::string_view json_schema) {
  if (json_schema.size() > kSchemaBytesMax) {
    return unusable(fmt::format("the JSON schema has {} bytes, at most {} are taken",
                                json_schema.size(), kSchemaBytesMax));
  }
  if (const int depth = bracket_depth(json_schema); depth > kNestingMax) {
    return unusable(fmt::format("the JSON schema is nested {} deep, at most {} are taken", depth,
                                kNestingMax));
  }
  try {
    GrammarText text;
    text.rules = json_schema_to_grammar(common_json::parse(std::string(json_schema)), true);
    if (text.rules.size() > kRulesBytesMax) return unusable("the JSON schema makes too many rules");
    return text;
  } catch (const std::exception& problem) {
    return unusable(fmt::format("the JSON schema cannot be used: {}", problem.what()));
  }
}

Result<void> check_schema_rules(std::string_view json_schema) {
  auto rules = grammar_of_schema(json_schema);
  if (!rules) return rules.error();
  return {};
}

Result<std::unique_ptr<Grammar>> Grammar::parse(const llama_vocab* vocabulary,
                                                const GrammarText& text) {
  forget_last_words();
  const auto unreadable = [](const std::string& words) {
    return Error{ErrorCode::InvalidArgument,
                 fmt::format("the answer's grammar cannot be used: {}", words), "",
                 "simplify the schema or grammar"};
  };
  if (text.rules.size() > kRulesBytesMax) return unreadable("it is too long");
  try {
    std::vector<const char*> patterns;
    for (const std::string& pattern : text.trigger_patterns) patterns.push_back(pattern.c_str());
    llama_sampler_ptr sampler(
        text.lazy ? llama_sampler_init_grammar_lazy_patterns(
                        vocabulary, text.rules.c_str(), "root", patterns.data(), patterns.size(),
                        text.trigger_tokens.data(), text.trigger_tokens.size())
                  : llama_sampler_init_grammar(vocabulary, text.rules.c_str(), "root"));
    if (!sampler) return unreadable(last_words());
    std::unique_ptr<Grammar> grammar(new Grammar(std::move(sampler)));
    if (!text.lazy && !text.prefix.empty()) {
      for (const llama_token token :
           tokenize_text(vocabulary, text.prefix, {.special = false, .markup = true})) {
        llama_sampler_accept(grammar->sampler_.get(), token);
      }
    }
    return Result<std::unique_ptr<Grammar>>(std::move(grammar));
  } catch (const std::exception& problem) {
    return unreadable(problem.what());
  }
}

bool Grammar::allows(llama_token token) {
  llama_token_data one{token, 0.0f, 0.0f};
  llama_token_data_array array{&one, 1, -1, false};
  llama_sampler_apply(sampler_.get(), &array);
  return std::isfinite(one.logit);
}

void Grammar::mask(std::span<float> logits) {
  candidates_.clear();
  for (size_t i = 0; i < logits.size(); ++i) {
    // What is forbidden already need not be looked at.
    if (std::isfinite(logits[i])) {
      candidates_.push_back({static_cast<llama_token>(i), logits[i], 0.0f});
    }
  }
  llama_token_data_array array{candidates_.data(), candidates_.size(), -1, false};
  llama_sampler_apply(sampler_.get(), &array);
  std::fill(logits.begin(), logits.end(), -std::numeric_limits<float>::infinity());
  for (size_t i = 0; i < array.size; ++i) {
    logits[static_cast<size_t>(array.data[i].id)] = array.data[i].logit;
  }
}

Result<void> Grammar::accept(llama_token token) {
  try {
    llama_sampler_accept(sampler_.get(), token);
    return {};
  } catch (const std::exception& problem) {
    return Error{ErrorCode::Internal,
                 fmt::format("the answer left its grammar: {}", problem.what()), "",
                 "try again, or without the schema or tools"};
  }
}

}  // namespace tinyarms::engine
