#include "engine/answer_form.h"

#include <chat.h>
#include <fmt/format.h>

#include <exception>

#include "engine/plain_tools.h"

namespace tinyarms::engine {

struct AnswerParser::Parts {
  bool plain = false;  // engine/plain_tools.h
  common_chat_parser_params parameters;
};

AnswerParser::AnswerParser(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
AnswerParser::~AnswerParser() = default;

Result<std::unique_ptr<AnswerParser>> AnswerParser::of(const AnswerForm& form) {
  auto parts = std::make_unique<Parts>();
  if (form.format == kPlainToolsFormat) {
    parts->plain = true;
    return std::unique_ptr<AnswerParser>(new AnswerParser(std::move(parts)));
  }
  try {
    parts->parameters.format = static_cast<common_chat_format>(form.format);
    parts->parameters.generation_prompt = form.prefix;
    if (!form.parser.empty()) parts->parameters.parser.load(form.parser);
  } catch (const std::exception& problem) {
    return Error{ErrorCode::Internal,
                 fmt::format("the form of tool calls cannot be read: {}", problem.what()), "",
                 "use another model, or no tools"};
  }
  return std::unique_ptr<AnswerParser>(new AnswerParser(std::move(parts)));
}

Result<ParsedAnswer> AnswerParser::parse(std::string_view text, bool partial) const {
  if (parts_->plain) return parse_plain_tools(text, partial);
  try {
    common_chat_msg message =
        common_chat_parse(std::string(text), partial, parts_->parameters);
    ParsedAnswer answer{std::move(message.content), std::move(message.reasoning_content), {}};
    for (common_chat_tool_call& call : message.tool_calls) {
      answer.tool_calls.push_back(
          {std::move(call.id), std::move(call.name), std::move(call.arguments)});
    }
    return answer;
  } catch (const std::exception& problem) {
    return Error{ErrorCode::Internal,
                 fmt::format("the answer cannot be taken apart: {}", problem.what()), "",
                 "try again, or without tools"};
  }
}

}  // namespace tinyarms::engine
