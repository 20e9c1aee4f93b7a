// Keeps an answer inside a grammar (GBNF), token by token: JSON of a schema, a tool call. The one
// adapter over llama.cpp's grammars and over its conversion of JSON schemas to them.
#pragma once

#include <llama-cpp.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace tinyarms::engine {

struct GrammarText {
  std::string rules;  // GBNF with a rule "root"; empty: no constraint
  // Where `lazy`, the answer is free until one of these begins.
  bool lazy = false;
  std::vector<std::string> trigger_patterns = {};
  std::vector<llama_token> trigger_tokens = {};
  std::string prefix = {};  // what of the grammar's text the prompt holds already
};

// Errors: InvalidArgument (not JSON, nested deeper than 64, longer than 64 KiB, or a schema that
// cannot be turned into rules; `what` says which).
Result<GrammarText> grammar_of_schema(std::string_view json_schema);

class Grammar {
 public:
  // Errors: InvalidArgument where the rules cannot be read.
  static Result<std::unique_ptr<Grammar>> parse(const llama_vocab* vocabulary,
                                                const GrammarText& text);

  // Whether the token may come next.
  bool allows(llama_token token);
  // Sets the logits of all tokens that may not come next to −infinity.
  void mask(std::span<float> logits);
  // The token, allowed before, comes next. Errors: Internal, and then this is used no more.
  Result<void> accept(llama_token token);

 private:
  explicit Grammar(llama_sampler_ptr sampler) : sampler_(std::move(sampler)) {}

  llama_sampler_ptr sampler_;
  std::vector<llama_token_data> candidates_;  // kept: no allocation a token
};

}  // namespace tinyarms::engine
