// How a model's chat template wants an answer written that may call tools: the grammar it must
// keep to, and how its text is taken apart. The adapter over llama.cpp's parsers of such answers.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "engine/chat_message.h"

namespace tinyarms::engine {

struct AnswerForm {
  bool structured = false;  // false: plain text, and the rest is empty
  std::string grammar;      // GBNF; empty: none
  bool lazy = false;        // the grammar begins with a trigger
  std::vector<std::string> trigger_patterns;
  std::vector<int32_t> trigger_tokens;
  std::vector<std::string> preserved;  // control tokens whose text is part of the answer
  std::string parser;                  // as llama.cpp saves it
  int format = 0;
  std::string prefix;  // the end of the prompt, where the answer's form begins
};

struct ParsedAnswer {
  std::string content;
  std::string reasoning;
  std::vector<ToolCall> tool_calls;
};

class AnswerParser {
 public:
  // Errors: Internal where the form cannot be read.
  static Result<std::unique_ptr<AnswerParser>> of(const AnswerForm& form);
  ~AnswerParser();

  // `partial`: more is to come. Errors: Internal (the text does not keep to the form).
  Result<ParsedAnswer> parse(std::string_view text, bool partial) const;

 private:
  struct Parts;
  explicit AnswerParser(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace tinyarms::engine
