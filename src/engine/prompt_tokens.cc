#include "engine/prompt_tokens.h"

#include <algorithm>
#include <exception>
#include <optional>
#include <set>

#include "engine/llama_backend.h"

namespace tinyarms::engine {
namespace {

constexpr std::string_view kZeroWidthSpace = "\xE2\x80\x8B";
constexpr int kBreakRoundsMax = 8;

class ChatTokenizer {
 public:
  ChatTokenizer(const llama_vocab* vocabulary, const ChatTemplate& chat,
                const ChatOptions& options)
      : vocabulary_(vocabulary), chat_(chat), options_(options) {}

  Result<PromptTokens> tokenize(std::span<const ChatMessage> given) {
    std::vector<ChatMessage> messages(given.begin(), given.end());
    auto rendered = chat_.render(messages, options_);
    if (!rendered) return rendered.error();
    learn_markup(*rendered);
    if (has_calls(messages)) {
      if (!disarm(messages)) return cannot_be_kept_apart();
      rendered = chat_.render(messages, options_);
      if (!rendered) return rendered.error();
    }
    std::optional<std::vector<llama_token>> tokens = tokenize_whole(*rendered, messages);
    if (!tokens) tokens = tokenize_apart(*rendered);
    if (tokens) return finish(std::move(*tokens), *rendered);
    return tokenize_broken_up(messages);
  }

 private:
  std::vector<llama_token> ids(std::string_view text, bool markup) const {
    return tokenize_text(vocabulary_, text, {.special = false, .markup = markup});
  }

  // Control tokens and ends of generation; also what the file calls user-defined but its own
  // template uses as markup (the tokenizer takes such text for the token even in plain text).
  bool is_markup(llama_token token) const {
    return llama_vocab_is_control(vocabulary_, token) || llama_vocab_is_eog(vocabulary_, token) ||
           template_markup_.count(token) != 0;
  }

  std::vector<llama_token> markup_in(const std::vector<llama_token>& tokens) const {
    std::vector<llama_token> markup;
    std::copy_if(tokens.begin(), tokens.end(), std::back_inserter(markup),
                 [this](llama_token token) { return is_markup(token); });
    return markup;
  }

  void learn_markup(const RenderedChat& rendered) {
    for (const llama_token token : ids(rendered.frame, true)) {
      const auto kind = llama_vocab_get_attr(vocabulary_, token);
      if ((kind & LLAMA_TOKEN_ATTR_USER_DEFINED) != 0) template_markup_.insert(token);
    }
  }

  // Sound where no message holds markup by itself and the whole has exactly the template's.
  std::optional<std::vector<llama_token>> tokenize_whole(
      const RenderedChat& rendered, std::span<const ChatMessage> messages) const {
    for (const ChatMessage& message : messages) {
      if (!markup_in(ids(message.content, true)).empty()) return std::nullopt;
    }
    std::vector<llama_token> whole = ids(rendered.text, true);
    if (rendered.pieces.empty()) return whole;
    std::vector<llama_token> expected;
    for (const ChatPiece& piece : rendered.pieces) {
      if (piece.content) continue;
      const auto markup = markup_in(ids(piece.text, true));
      expected.insert(expected.end(), markup.begin(), markup.end());
    }
    if (markup_in(whole) != expected) return std::nullopt;
    return whole;
  }

  std::optional<std::vector<llama_token>> tokenize_apart(const RenderedChat& rendered) const {
    if (rendered.pieces.empty()) return std::nullopt;
    std::vector<llama_token> tokens;
    for (const ChatPiece& piece : rendered.pieces) {
      const std::vector<llama_token> part = ids(piece.text, !piece.content);
      if (piece.content && !markup_in(part).empty()) return std::nullopt;
      tokens.insert(tokens.end(), part.begin(), part.end());
    }
    return tokens;
  }

  Result<PromptTokens> tokenize_broken_up(std::span<const ChatMessage> messages) {
    std::vector<ChatMessage> harmless(messages.begin(), messages.end());
    for (ChatMessage& message : harmless) {
      if (!break_up(message.content)) return cannot_be_kept_apart();
    }
    auto rendered = chat_.render(harmless, options_);
    if (!rendered) return rendered.error();
    return finish(ids(rendered->text, true), *rendered);
  }

  static Error cannot_be_kept_apart() {
    return Error{ErrorCode::Unsupported, "a message holds the text of a control token that "
                 "this model's chat template cannot be kept apart from", "",
                 "leave that text out"};
  }

  bool has_calls(const std::vector<ChatMessage>& messages) const {
    return !options_.tools.empty() ||
           std::any_of(messages.begin(), messages.end(),
                       [](const ChatMessage& message) { return !message.tool_calls.empty(); });
  }

  // Tools and calls of them: the caller's text, wherever a template prints it.
  bool disarm(std::vector<ChatMessage>& messages) {
    bool harmless = true;
    for (ToolSpec& tool : options_.tools) {
      for (std::string* text : {&tool.name, &tool.description, &tool.parameters}) {
        harmless = harmless && break_up(*text);
      }
    }
    for (ChatMessage& message : messages) {
      for (ToolCall& call : message.tool_calls) {
        for (std::string* text : {&call.id, &call.name, &call.arguments}) {
          harmless = harmless && break_up(*text);
        }
      }
    }
    return harmless;
  }

  bool break_up(std::string& text) const {
    for (int round = 0; round < kBreakRoundsMax; ++round) {
      std::set<llama_token> found;
      for (const llama_token token : markup_in(ids(text, true))) found.insert(token);
      if (found.empty()) return true;
      for (const llama_token token : found) {
        break_up(text, llama_vocab_get_text(vocabulary_, token));
      }
    }
    return markup_in(ids(text, true)).empty();
  }

  static void break_up(std::string& text, std::string_view control) {
    if (control.empty()) return;
    // The first character of a control text is ASCII or a whole UTF-8 sequence.
    size_t first = 1;
    while (first < control.size() && (control[first] & 0xC0) == 0x80) ++first;
    for (size_t at = text.find(control); at != std::string::npos; at = text.find(control, at)) {
      text.insert(at + first, kZeroWidthSpace);
      at += first + kZeroWidthSpace.size();
    }
  }

  PromptTokens finish(std::vector<llama_token> tokens, const RenderedChat& rendered) const {
    const llama_token begin = llama_vocab_bos(vocabulary_);
    const bool wants_begin = llama_vocab_get_add_bos(vocabulary_) && begin != LLAMA_TOKEN_NULL;
    // Many templates print the begin token themselves.
    if (wants_begin && (tokens.empty() || tokens.front() != begin)) {
      tokens.insert(tokens.begin(), begin);
    }
    return {std::move(tokens), rendered.stops, rendered.form};
  }

  const llama_vocab* vocabulary_;
  const ChatTemplate& chat_;
  ChatOptions options_;
  std::set<llama_token> template_markup_;
};

}  // namespace

Result<PromptTokens> tokenize_chat(const llama_vocab* vocabulary, const ChatTemplate& chat,
                                   std::span<const ChatMessage> messages,
                                   const ChatOptions& options) {
  try {
    return ChatTokenizer(vocabulary, chat, options).tokenize(messages);
  } catch (const std::exception& problem) {
    return Error{ErrorCode::Internal,
                 std::string("the prompt could not be tokenised: ") + problem.what(), "",
                 "shorten the prompt"};
  }
}

}  // namespace tinyarms::engine
