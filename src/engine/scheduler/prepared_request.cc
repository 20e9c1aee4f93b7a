#include "engine/scheduler/prepared_request.h"

#include <fmt/format.h>

#include <exception>

#include "base/utf8.h"
#include "engine/llama_backend.h"
#include "engine/prompt_tokens.h"

namespace tinyarms::engine {
namespace {

constexpr int kTopLogprobsMax = 20;
constexpr size_t kToolsMax = 128;
constexpr size_t kToolBytesMax = 256 << 10;

Error invalid(std::string what, std::string hint) {
  return Error{ErrorCode::InvalidArgument, std::move(what), "", std::move(hint)};
}

bool known_role(const ChatMessage& message) {
  return message.role == "system" || message.role == "user" || message.role == "assistant" ||
         (message.role == "tool");
}

Result<void> check_text(std::string_view text) {
  if (const auto offset = find_invalid_utf8(text)) {
    return invalid(fmt::format("the text is not valid UTF-8 at byte {}", *offset),
                   "convert it to UTF-8");
  }
  return {};
}

Result<void> check_messages(const CompletionRequest& request) {
  if (request.messages.empty() && !request.prompt) {
    return invalid("there is nothing to answer", "ask a question");
  }
  if (!request.messages.empty() && request.prompt) {
    return invalid("there are both messages and a prompt", "give one of them");
  }
  for (const ChatMessage& message : request.messages) {
    if (!known_role(message)) {
      return invalid(fmt::format("a message's role is '{}'", message.role),
                     "use system, user, assistant or tool");
    }
    if (auto valid = check_text(message.content); !valid) return valid;
    for (const ToolCall& call : message.tool_calls) {
      if (auto valid = check_text(call.name + call.arguments + call.id); !valid) return valid;
    }
  }
  for (const auto& text : {request.prompt, request.suffix}) {
    if (!text) continue;
    if (auto valid = check_text(*text); !valid) return valid;
  }
  return {};
}

Result<void> check_tools(const CompletionRequest& request) {
  size_t bytes = 0;
  for (const ToolSpec& tool : request.tools) {
    bytes += tool.name.size() + tool.description.size() + tool.parameters.size();
    if (tool.name.empty()) return invalid("a tool has no name", "name it");
    if (auto valid = check_text(tool.name + tool.description + tool.parameters); !valid) {
      return valid;
    }
    if (!tool.parameters.empty()) {
      // The same limits as for an answer's schema, before a template's parser sees it.
      if (auto schema = grammar_of_schema(tool.parameters); !schema) {
        return schema.error().wrap(fmt::format("the tool '{}'", tool.name));
      }
    }
  }
  if (request.tools.size() > kToolsMax || bytes > kToolBytesMax) {
    return invalid(fmt::format("there are {} tools of {} bytes, at most {} of {} are taken",
                               request.tools.size(), bytes, kToolsMax, kToolBytesMax),
                   "offer fewer tools");
  }
  return {};
}

Result<void> check(const CompletionRequest& request, const RequestLimits& limits) {
  if (auto valid = check_messages(request); !valid) return valid;
  if (auto valid = check_tools(request); !valid) return valid;
  if (request.tokens_max < 1) return invalid("no token may be generated", "allow at least one");
  if (request.top_logprobs &&
      (*request.top_logprobs < 0 || *request.top_logprobs > kTopLogprobsMax)) {
    return invalid(fmt::format("{} alternatives are asked for each token", *request.top_logprobs),
                   fmt::format("ask for 0 to {}", kTopLogprobsMax));
  }
  if (!request.json_schema.empty() && !request.grammar.empty()) {
    return invalid("there are both a schema and a grammar", "give one of them");
  }
  return check_sampling(request.sampling, llama_vocab_n_tokens(limits.vocabulary));
}

Error too_long(const std::string& needed, const RequestLimits& limits) {
  return Error{ErrorCode::ContextTooLong,
               fmt::format("the prompt takes {} tokens and the context holds {}, of which one "
                           "must be left for the answer", needed, limits.context_tokens),
               limits.place, "shorten the prompt or the files, or use a longer context"};
}

// A text of many megabytes is refused without tokenising it.
Result<void> check_length(const CompletionRequest& request, const RequestLimits& limits) {
  size_t bytes = 0;
  for (const ChatMessage& message : request.messages) bytes += message.content.size();
  for (const auto& text : {request.prompt, request.suffix}) bytes += text ? text->size() : 0;
  const size_t at_least = bytes / limits.longest_piece;
  if (at_least < limits.context_tokens) return {};
  return too_long(fmt::format("at least {}", at_least), limits);
}

std::vector<llama_token> plain_tokens(const RequestLimits& limits, const std::string& text,
                                      bool begins) {
  return tokenize_text(limits.vocabulary, text, {.special = begins, .markup = false});
}

// Prefix, suffix, middle: the order that models with such tokens were trained on most.
Result<PromptTokens> fill_in_prompt(const CompletionRequest& request,
                                    const RequestLimits& limits) {
  const llama_token before = llama_vocab_fim_pre(limits.vocabulary);
  const llama_token after = llama_vocab_fim_suf(limits.vocabulary);
  const llama_token middle = llama_vocab_fim_mid(limits.vocabulary);
  if (before == LLAMA_TOKEN_NULL || after == LLAMA_TOKEN_NULL || middle == LLAMA_TOKEN_NULL) {
    return Error{ErrorCode::Unsupported, "the model cannot fill in the middle", limits.place,
                 "use a code model with fill-in-the-middle tokens"};
  }
  PromptTokens prompt;
  const auto add = [&](const std::vector<llama_token>& tokens) {
    prompt.tokens.insert(prompt.tokens.end(), tokens.begin(), tokens.end());
  };
  add({before});
  add(plain_tokens(limits, *request.prompt, false));
  add({after});
  add(plain_tokens(limits, *request.suffix, false));
  add({middle});
  return prompt;
}

Result<PromptTokens> tokenize(const CompletionRequest& request, const RequestLimits& limits) {
  try {
    if (request.prompt && request.suffix) return fill_in_prompt(request, limits);
    if (request.prompt) return PromptTokens{plain_tokens(limits, *request.prompt, true), {}, {}};
  } catch (const std::exception& problem) {
    return Error{ErrorCode::Internal, fmt::format("the prompt could not be tokenised: {}",
                                                  problem.what()), "", "shorten the prompt"};
  }
  if (!*limits.chat) return limits.chat->error();
  const bool tools = !request.tools.empty() && request.tool_choice != ToolChoice::None;
  return tokenize_chat(
      limits.vocabulary, **limits.chat, request.messages,
      {.tools = tools ? request.tools : std::vector<ToolSpec>(),
       .tool_choice = request.tool_choice,
       .parallel_tool_calls = request.parallel_tool_calls,
       .json_schema = tools ? request.json_schema : std::string()});
}

Result<PromptTokens> checked_prompt(const CompletionRequest& request,
                                    const RequestLimits& limits) {
  if (auto fits = check_length(request, limits); !fits) return fits.error();
  auto prompt = tokenize(request, limits);
  if (!prompt) {
    Error error = prompt.error();
    if (error.where.empty()) error.where = limits.place;
    return error;
  }
  if (prompt->tokens.empty()) return invalid("the prompt is empty", "give a text to go on with");
  if (prompt->tokens.size() >= limits.context_tokens) {
    return too_long(fmt::format("{}", prompt->tokens.size()), limits);
  }
  return prompt;
}

Result<std::unique_ptr<Grammar>> constraint(const CompletionRequest& request,
                                            const AnswerForm& form,
                                            const RequestLimits& limits) {
  GrammarText text;
  if (!form.grammar.empty()) {
    text = {form.grammar, form.lazy, form.trigger_patterns, form.trigger_tokens, form.prefix};
  } else if (!request.grammar.empty()) {
    text.rules = request.grammar;
  } else if (!request.json_schema.empty()) {
    auto schema = grammar_of_schema(request.json_schema);
    if (!schema) return schema.error();
    text = std::move(*schema);
  } else {
    return std::unique_ptr<Grammar>();
  }
  return Grammar::parse(limits.vocabulary, text);
}

}  // namespace

Result<std::vector<llama_token>> prompt_of(const CompletionRequest& request,
                                           const RequestLimits& limits) {
  if (auto valid = check(request, limits); !valid) return valid.error();
  auto prompt = checked_prompt(request, limits);
  if (!prompt) return prompt.error();
  return std::move(prompt->tokens);
}

Result<PreparedRequest> prepare_request(CompletionRequest request, const RequestLimits& limits) {
  if (auto valid = check(request, limits); !valid) return valid.error();
  auto prompt = checked_prompt(request, limits);
  if (!prompt) return prompt.error();
  PreparedRequest prepared;
  prepared.prompt = std::move(prompt->tokens);
  prepared.form = std::move(prompt->form);
  prepared.stops = std::move(prompt->stops);
  prepared.stops.insert(prepared.stops.end(), request.stop.begin(), request.stop.end());
  auto grammar = constraint(request, prepared.form, limits);
  if (!grammar) return grammar.error();
  prepared.chooser =
      std::make_unique<TokenChooser>(request.sampling, prepared.prompt, std::move(*grammar));
  if (prepared.form.structured) {
    auto parser = AnswerParser::of(prepared.form);
    if (!parser) return parser.error();
    prepared.parser = std::move(*parser);
  }
  request.messages.clear();
  request.tools.clear();
  prepared.request = std::move(request);
  return prepared;
}

}  // namespace tinyarms::engine
