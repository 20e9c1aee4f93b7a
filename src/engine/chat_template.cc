#include "engine/chat_template.h"

#include <chat.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <exception>
#include <mutex>
#include <string_view>

#include "engine/llama_backend.h"
#include "engine/plain_tools.h"

namespace tinyarms::engine {
namespace {

// A template is a program: one that loops must not fill the memory.
constexpr size_t kMarkupMax = 1 << 20;

constexpr std::string_view kSpace = " \t\n\r\f\v";

std::string_view trim_front(std::string_view text) {
  const size_t first = text.find_first_not_of(kSpace);
  return first == std::string_view::npos ? std::string_view() : text.substr(first);
}

std::string_view trim_back(std::string_view text) {
  return text.substr(0, text.find_last_not_of(kSpace) + 1);
}

common_chat_msg chat_message(const ChatMessage& message) {
  common_chat_msg each;
  each.role = message.role;
  each.content = message.content;
  each.tool_call_id = message.tool_call_id;
  for (const ToolCall& call : message.tool_calls) {
    each.tool_calls.push_back({.name = call.name, .arguments = call.arguments, .id = call.id});
  }
  return each;
}

common_chat_tool_choice choice_of(ToolChoice choice) {
  switch (choice) {
    case ToolChoice::Auto: return COMMON_CHAT_TOOL_CHOICE_AUTO;
    case ToolChoice::None: return COMMON_CHAT_TOOL_CHOICE_NONE;
    case ToolChoice::Required: return COMMON_CHAT_TOOL_CHOICE_REQUIRED;
  }
  return COMMON_CHAT_TOOL_CHOICE_AUTO;
}

common_chat_params render_with(const common_chat_templates* templates,
                               std::span<const ChatMessage> messages,
                               const ChatOptions& options) {
  common_chat_templates_inputs inputs;
  for (const ChatMessage& message : messages) inputs.messages.push_back(chat_message(message));
  for (const ToolSpec& tool : options.tools) {
    inputs.tools.push_back({tool.name, tool.description,
                            tool.parameters.empty() ? std::string("{}") : tool.parameters});
  }
  inputs.tool_choice = choice_of(options.tool_choice);
  inputs.parallel_tool_calls = options.parallel_tool_calls;
  inputs.json_schema = options.json_schema;
  inputs.add_generation_prompt = true;
  inputs.enable_thinking = false;
  // Without tools the answer is plain text: no grammar, hence no parser to be derived.
  inputs.force_pure_content = options.tools.empty();
  // It asks std::localtime for today's date, whose answer is one and the same for all threads.
  static std::mutex one_at_a_time;
  const std::lock_guard lock(one_at_a_time);
  return common_chat_templates_apply(templates, inputs);
}

std::string escaped(const std::string& word) {
  std::string pattern;
  for (const char c : word) {
    if (std::string_view(".^$|()*+?[]{}\\").find(c) != std::string_view::npos) pattern += '\\';
    pattern += c;
  }
  return pattern;
}

// Triggers as patterns, as llama.cpp's own sampler makes them.
AnswerForm form_of(common_chat_params& rendered) {
  AnswerForm form{.structured = true,
                  .grammar = std::move(rendered.grammar),
                  .lazy = rendered.grammar_lazy,
                  .trigger_patterns = {},
                  .trigger_tokens = {},
                  .preserved = std::move(rendered.preserved_tokens),
                  .parser = std::move(rendered.parser),
                  .format = static_cast<int>(rendered.format),
                  .prefix = std::move(rendered.generation_prompt)};
  for (const common_grammar_trigger& trigger : rendered.grammar_triggers) {
    switch (trigger.type) {
      case COMMON_GRAMMAR_TRIGGER_TYPE_TOKEN: form.trigger_tokens.push_back(trigger.token); break;
      case COMMON_GRAMMAR_TRIGGER_TYPE_WORD:
        form.trigger_patterns.push_back(escaped(trigger.value));
        break;
      case COMMON_GRAMMAR_TRIGGER_TYPE_PATTERN:
        form.trigger_patterns.push_back(trigger.value);
        break;
      case COMMON_GRAMMAR_TRIGGER_TYPE_PATTERN_FULL:
        form.trigger_patterns.push_back("^" + trigger.value + "$");
        break;
    }
  }
  return form;
}

struct Cutter {
  std::string_view rendered;
  std::vector<std::string_view> between;  // the template's texts: one more than messages
  std::span<const ChatMessage> messages;
  std::vector<ChatPiece> pieces;

  // Matches message `i` at `at`, in each way a template may print it. The way is mostly the same
  // for all, so the search seldom goes back; it is bounded by the ways that differ.
  bool cut(size_t i, size_t at) {
    if (i == messages.size()) return at == rendered.size();
    const std::string_view whole = messages[i].content;
    const std::array<std::string_view, 4> ways = {whole, trim_back(trim_front(whole)),
                                                  trim_front(whole), trim_back(whole)};
    for (size_t way = 0; way < ways.size(); ++way) {
      if (way != 0 && ways[way] == ways[way - 1]) continue;
      const std::string_view next = between[i + 1];
      const size_t after = at + ways[way].size();
      if (rendered.substr(at, ways[way].size()) != ways[way]) continue;
      if (rendered.substr(std::min(after, rendered.size()), next.size()) != next) continue;
      pieces.push_back({std::string(ways[way]), true});
      pieces.push_back({std::string(next), false});
      if (--steps_left > 0 && cut(i + 1, after + next.size())) return true;
      pieces.resize(pieces.size() - 2);
    }
    return false;
  }

  int steps_left = 100'000;
};

}  // namespace

std::vector<ChatPiece> cut_by_origin(const std::string& rendered, const std::string& marked,
                                     std::span<const std::string> marks,
                                     std::span<const ChatMessage> messages) {
  Cutter cutter{.rendered = rendered, .between = {}, .messages = messages, .pieces = {}};
  size_t at = 0;
  for (const std::string& mark : marks) {
    const size_t found = marked.find(mark, at);
    if (found == std::string::npos || marked.find(mark) != found ||
        marked.find(mark, found + 1) != std::string::npos) {
      return {};
    }
    cutter.between.push_back(std::string_view(marked).substr(at, found - at));
    at = found + mark.size();
  }
  cutter.between.push_back(std::string_view(marked).substr(at));
  const std::string_view head = cutter.between.front();
  if (std::string_view(rendered).substr(0, head.size()) != head) return {};
  cutter.pieces.push_back({std::string(head), false});
  if (!cutter.cut(0, head.size())) return {};
  return std::move(cutter.pieces);
}

ChatTemplate::ChatTemplate(
    std::unique_ptr<common_chat_templates, void (*)(common_chat_templates*)> templates,
    std::filesystem::path place)
    : templates_(std::move(templates)), place_(std::move(place)) {
  const auto abilities = common_chat_templates_get_caps(templates_.get());
  const auto can = [&](const char* what) {
    const auto found = abilities.find(what);
    return found != abilities.end() && found->second;
  };
  knows_tools_ = can("supports_tools") && can("supports_tool_calls");
}

ChatTemplate::~ChatTemplate() = default;
ChatTemplate::ChatTemplate(ChatTemplate&&) noexcept = default;
ChatTemplate& ChatTemplate::operator=(ChatTemplate&&) noexcept = default;

Result<ChatTemplate> ChatTemplate::of(const llama_model* model,
                                      const std::filesystem::path& place) {
  prepare_backend();
  try {
    auto templates = common_chat_templates_init(model, "");
    if (!common_chat_templates_was_explicit(templates.get())) {
      return Error{ErrorCode::Unsupported, "the model has no chat template", place.string(),
                   "use an instruction-tuned (\"instruct\", \"chat\") model"};
    }
    return ChatTemplate({templates.release(), common_chat_templates_free}, place);
  } catch (const std::exception&) {
    return Error{ErrorCode::Unsupported, "the model's chat template cannot be read",
                 place.string(), "use another file of the model, or another model"};
  }
}

Result<RenderedChat> ChatTemplate::render(std::span<const ChatMessage> messages,
                                          const ChatOptions& options) const {
  const bool calls = std::any_of(messages.begin(), messages.end(), [](const ChatMessage& one) {
    return one.role == "tool" || !one.tool_calls.empty();
  });
  if (knows_tools_ || !(calls || !options.tools.empty())) {
    auto native = render_as_it_is(messages, options);
    if (!native || options.tools.empty()) return native;
    // Of some templates llama.cpp learns how tools are told of, but not how calls are written.
    if (!native->form.grammar.empty()) return native;
  }
  auto form = plain_tools_form(options);
  if (!form) return form.error();
  auto chat = render_as_it_is(with_plain_tools(messages, options), {});
  if (chat) chat->form = std::move(*form);
  return chat;
}

Result<RenderedChat> ChatTemplate::render_as_it_is(std::span<const ChatMessage> messages,
                                                   const ChatOptions& options) const {
  size_t said = 0;
  for (const ToolSpec& tool : options.tools) {
    said += 4 * (tool.name.size() + tool.description.size() + tool.parameters.size());
  }
  std::vector<ChatMessage> stand_ins;
  std::vector<std::string> marks;
  for (const ChatMessage& message : messages) {
    said += message.content.size();
    for (const ToolCall& call : message.tool_calls) said += 4 * call.arguments.size();
    marks.push_back(fmt::format("tinyarmsmessage{:06}slot", marks.size()));
    stand_ins.push_back(message);
    stand_ins.back().content = marks.back();
  }
  try {
    common_chat_params real = render_with(templates_.get(), messages, options);
    if (real.prompt.size() > said + kMarkupMax) {
      return Error{ErrorCode::Unsupported, "the model's chat template makes too much text",
                   place_.string(), "use another file of the model, or another model"};
    }
    common_chat_params marked = render_with(templates_.get(), stand_ins, options);
    RenderedChat chat;
    chat.pieces = cut_by_origin(real.prompt, marked.prompt, marks, messages);
    chat.text = std::move(real.prompt);
    chat.frame = std::move(marked.prompt);
    chat.stops = std::move(real.additional_stops);
    if (!options.tools.empty()) chat.form = form_of(real);
    return chat;
  } catch (const std::exception& problem) {
    return Error{ErrorCode::Unsupported,
                 fmt::format("the model's chat template refuses the conversation: {}",
                             problem.what()),
                 place_.string(), "begin with a question, then let turns alternate"};
  }
}

}  // namespace tinyarms::engine
