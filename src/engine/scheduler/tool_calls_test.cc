// Answers that call tools, by a model of random weights: what holds by construction.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "engine/scheduler/scheduler.h"
#include "engine/tiny_model.h"

namespace tinyarms::engine {
namespace {

using Json = nlohmann::json;

// Knows tools, in the form of Hermes.
constexpr const char* kWithTools =
    "{%- if tools %}<|im_start|>system\n<tools>{% for tool in tools %}{{ tool | tojson }}\n"
    "{% endfor %}</tools> <tool_call>\n{\"name\": 1, \"arguments\": 2}\n</tool_call><|im_end|>\n"
    "{% endif %}{% for message in messages %}<|im_start|>{{ message.role }}\n"
    "{%- if message.content %}{{ message.content }}{% endif %}"
    "{%- if message.tool_calls %}{% for call in message.tool_calls %}<tool_call>\n"
    "{\"name\": \"{{ call.function.name }}\", "
    "\"arguments\": {{ call.function.arguments | tojson }}}"
    "\n</tool_call>{% endfor %}{% endif %}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}";

class ToolCallsTest : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    testing::write_tiny_model(folder_ / "tiny.gguf", {.chat_template = GetParam()});
    auto model = LanguageModel::load(folder_ / "tiny.gguf");
    ASSERT_TRUE(model) << model.error().message();
    model_ = std::move(*model);
    auto scheduler = Scheduler::create(*model_, cores_, {.context_tokens = 512});
    ASSERT_TRUE(scheduler) << scheduler.error().message();
    scheduler_ = std::move(*scheduler);
  }

  static CompletionRequest ask() {
    CompletionRequest request;
    request.messages = {{"user", "Hi"}};
    request.tools = {{"f", "", R"({"type":"object","properties":{"n":{"enum":[1,2]},)"
                               R"("on":{"type":"boolean"}},"required":["n","on"]})"}};
    request.sampling = {.temperature = 1, .seed = 4};
    request.tokens_max = 120;
    return request;
  }

  testing::TemporaryFolder folder_;
  CoreBudget cores_{1};
  std::unique_ptr<const LanguageModel> model_;
  std::unique_ptr<Scheduler> scheduler_;
};

TEST_P(ToolCallsTest, ARequiredCallKeepsToItsSchema) {
  CompletionRequest request = ask();
  request.tool_choice = ToolChoice::Required;
  auto stream = scheduler_->submit(request);
  ASSERT_TRUE(stream) << stream.error().message();
  std::string name;
  std::string arguments;
  int prompt_tokens = 0;
  while (auto event = (*stream)->next()) {
    prompt_tokens += event->prompt_tokens;
    for (const auto& delta : event->tools) {
      EXPECT_EQ(delta.index, 0u);
      name += delta.name;
      arguments += delta.arguments;
    }
  }
  auto completion = (*stream)->result();
  ASSERT_TRUE(completion) << completion.error().message();
  // The form of a template that knows tools lets a model talk before it calls, and this one has
  // nothing but noise to say.
  if (completion->finish == FinishReason::Length && !completion->text.empty()) return;
  ASSERT_EQ(completion->tool_calls.size(), 1u) << completion->text;
  EXPECT_EQ(prompt_tokens, completion->prompt_tokens);
  EXPECT_EQ(completion->tool_calls[0].name, "f");
  const Json read = Json::parse(completion->tool_calls[0].arguments, nullptr, false);
  ASSERT_TRUE(read.is_object()) << completion->tool_calls[0].arguments;
  EXPECT_TRUE(read["n"] == 1 || read["n"] == 2);
  EXPECT_TRUE(read["on"].is_boolean());
  EXPECT_EQ(name, "f");
  EXPECT_EQ(Json::parse(arguments, nullptr, false), read) << arguments;
  EXPECT_EQ(completion->finish, FinishReason::Stop);
}

TEST_P(ToolCallsTest, EarlierCallsAreRead) {
  CompletionRequest request = ask();
  request.messages.push_back({"assistant", ""});
  request.messages.back().tool_calls = {{"1", "f", R"({"n": 1, "on": true})"}};
  request.messages.push_back(
      {.role = "tool", .content = "done", .tool_calls = {}, .tool_call_id = "1"});
  request.tokens_max = 3;
  auto stream = scheduler_->submit(request);
  ASSERT_TRUE(stream) << stream.error().message();
  const auto completion = (*stream)->result();
  ASSERT_TRUE(completion) << completion.error().message();
  const auto counted = scheduler_->count_tokens(request);
  ASSERT_TRUE(counted);
  EXPECT_EQ(*counted, completion->prompt_tokens);
}

TEST_P(ToolCallsTest, AHostileSchemaIsRefusedBeforeAnyWork) {
  for (const std::string& schema :
       {std::string("{"), std::string(100, '['), R"({"type":"wrong"})" + std::string(),
        R"({"description":")" + std::string(70000, 'x') + "\"}"}) {
    CompletionRequest request = ask();
    request.tools[0].parameters = schema;
    const auto refused = scheduler_->submit(request);
    ASSERT_FALSE(refused) << schema.substr(0, 20);
    EXPECT_EQ(refused.error().code, ErrorCode::InvalidArgument);
  }
}

INSTANTIATE_TEST_SUITE_P(Templates, ToolCallsTest,
                         ::testing::Values(testing::kChatMl, kWithTools));

TEST(StoppedBy, NamesTheRequestsOwnStop) {
  testing::TemporaryFolder folder;
  testing::write_tiny_model(folder / "tiny.gguf");
  auto model = LanguageModel::load(folder / "tiny.gguf");
  ASSERT_TRUE(model);
  CoreBudget cores{1};
  auto scheduler = Scheduler::create(**model, cores, {.context_tokens = 512});
  ASSERT_TRUE(scheduler);
  CompletionRequest request;
  request.messages = {{"user", "Hi"}};
  request.grammar = "root ::= \"one STOP two\"";
  request.stop = {"never", "STOP"};
  auto stream = (*scheduler)->submit(request);
  ASSERT_TRUE(stream);
  const auto completion = (*stream)->result();
  ASSERT_TRUE(completion);
  EXPECT_EQ(completion->text, "one ");
  EXPECT_EQ(completion->stopped_by, "STOP");
}

}  // namespace
}  // namespace tinyarms::engine
