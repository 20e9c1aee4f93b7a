// The model's own chat template: messages → the text it was trained to continue. The one adapter
// over llama.cpp's `common` library, whose interface is not stable.
#pragma once

#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "engine/answer_form.h"
#include "engine/chat_message.h"

struct common_chat_templates;
struct llama_model;

namespace tinyarms::engine {

// A stretch of the rendered conversation: the template's own text, or what a message said.
struct ChatPiece {
  std::string text;
  bool content = false;
};

// What a conversation may be rendered with besides its messages. Where there are tools, the answer
// may call them, and `json_schema` is for what is said instead.
struct ChatOptions {
  std::vector<ToolSpec> tools = {};
  ToolChoice tool_choice = ToolChoice::Auto;
  bool parallel_tool_calls = false;
  std::string json_schema = {};
};

struct RenderedChat {
  std::string text;  // as the template renders it
  // The same cut up by origin; empty where the template does more with a message than to print it
  // (possibly trimmed), so that its text cannot be told from the template's.
  std::vector<ChatPiece> pieces;
  std::string frame;  // what the template prints around such messages, with marks for them
  std::vector<std::string> stops;  // further texts that end the answer, by the template's format
  AnswerForm form;                 // structured where there are tools
};

// Reads only; any number of threads.
class ChatTemplate {
 public:
  // Errors: Unsupported, where the model has no template (llama.cpp would guess ChatML, which is
  // silently wrong for a model that was not trained on it) or one that cannot be read. `place`
  // names the model in errors.
  static Result<ChatTemplate> of(const llama_model* model, const std::filesystem::path& place);
  ~ChatTemplate();
  ChatTemplate(ChatTemplate&&) noexcept;
  ChatTemplate& operator=(ChatTemplate&&) noexcept;

  // Ends where the answer begins. A template's thinking mode is off: the answer is what is asked
  // for, and its evidence is taken token by token. Errors: Unsupported (the template refuses the
  // conversation, or makes far more of it than it says), InvalidArgument (a tool's schema).
  Result<RenderedChat> render(std::span<const ChatMessage> messages,
                              const ChatOptions& options = {}) const;

 private:
  ChatTemplate(std::unique_ptr<common_chat_templates, void (*)(common_chat_templates*)> templates,
               std::filesystem::path place);
  Result<RenderedChat> render_as_it_is(std::span<const ChatMessage> messages,
                                       const ChatOptions& options) const;

  std::unique_ptr<common_chat_templates, void (*)(common_chat_templates*)> templates_;
  std::filesystem::path place_;
  bool knows_tools_ = false;  // how they are told of and called; else engine/plain_tools.h
};

// Finds `messages` in `rendered`, given what the template makes of placeholders in their stead:
// `marked`, in which `marks[i]` stands for message i. Each must occur once, in order, and be
// printed as it is or trimmed; otherwise nothing is returned. Exposed for its tests.
std::vector<ChatPiece> cut_by_origin(const std::string& rendered, const std::string& marked,
                                     std::span<const std::string> marks,
                                     std::span<const ChatMessage> messages);

}  // namespace tinyarms::engine
