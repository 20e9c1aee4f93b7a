// What kind of question it is: the cascade's own classifier (intent/head.h) on the questions of
// the bundled suite that are answered in words, whose group is the right intent. None of them is
// among the classifier's examples.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "eval/embedding_task.h"
#include "eval/task_registry.h"
#include "intent/example.h"
#include "intent/train.h"

namespace tinyarms::eval {
namespace {

// Tool prompts spell out the functions; what the person asks is their last line.
std::string question_of(const Item& item) {
  const std::string& text = item.messages.back().content;
  constexpr std::string_view kMark = "\nRequest: ";
  const size_t at = text.rfind(kMark);
  if (at == std::string::npos) return text;
  std::string request = text.substr(at + kMark.size());
  while (!request.empty() && request.back() == '\n') request.pop_back();
  return request;
}

class IntentTask final : public EmbeddingTask {
 public:
  std::string_view name() const override { return "intent"; }
  std::string_view description() const override {
    return "Code, general, maths or tools: the cascade's classifier on the bundled questions";
  }
  std::string_view caveat() const override {
    return "the questions are drawn from few templates, so they are easier than real ones";
  }
  std::vector<std::string> files() const override { return {}; }

  Result<EmbeddingMeasurement> measure(const std::filesystem::path&, size_t limit,
                                       const EmbedTexts& embed) const override {
    auto items = make_tiny()->read({});
    if (!items) return items.error();
    std::erase_if(*items, [](const Item& item) { return item.mode == Mode::Choose; });
    if (limit > 0 && limit < items->size()) items->resize(limit);
    const std::vector<intent::Example> examples = intent::bundled_examples();
    std::vector<std::string> known;
    for (const intent::Example& example : examples) known.push_back(example.text);
    auto known_vectors = embed(known);
    if (!known_vectors) return known_vectors.error();
    auto trained = intent::train(examples, *known_vectors, "");
    if (!trained) return trained.error();
    std::vector<std::string> texts;
    for (const Item& item : *items) texts.push_back(question_of(item));
    auto vectors = embed(texts);
    if (!vectors) return vectors.error();
    EmbeddingMeasurement result;
    uint64_t right = 0;
    for (size_t i = 0; i < items->size(); ++i) {
      const intent::Intent intent = trained->head.classify((*vectors)[i]);
      const bool correct = intent.name == (*items)[i].group;
      right += correct ? 1 : 0;
      result.lines.push_back(nlohmann::ordered_json{{"id", "intent/" + (*items)[i].id},
                                                    {"intent", intent.name},
                                                    {"margin", intent.margin},
                                                    {"correct", correct}}
                                 .dump());
    }
    const uint64_t count = items->size();
    result.figures.push_back(
        {.task = {},
         .subject = {},
         .name = "accuracy",
         .value = count > 0 ? static_cast<double>(right) / static_cast<double>(count) : 0,
         .interval = wilson({.hits = right, .trials = count}),
         .items = count});
    return result;
  }
};

}  // namespace

std::unique_ptr<EmbeddingTask> make_intent() { return std::make_unique<IntentTask>(); }

}  // namespace tinyarms::eval
