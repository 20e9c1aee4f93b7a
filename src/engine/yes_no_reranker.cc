#include "engine/yes_no_reranker.h"

#include <utility>

#include "base/utf8.h"
#include "engine/choice_scorer.h"
#include "engine/language_model.h"

namespace tinyarms::engine {
namespace {

constexpr size_t kPassageBytes = 4096;  // about a thousand tokens of code
constexpr const char* kTask =
    "Judge whether the Document answers the Query. The answer can only be \"yes\" or \"no\".";

// At most `bytes`, cut between characters.
std::string head_of(const std::string& text, size_t bytes) {
  if (text.size() <= bytes) return text;
  while (bytes > 0 && (static_cast<unsigned char>(text[bytes]) & 0xC0) == 0x80) --bytes;
  return text.substr(0, bytes);
}

class YesNoReranker final : public Reranker {
 public:
  YesNoReranker(std::unique_ptr<const LanguageModel> model, std::unique_ptr<ChoiceScorer> scorer)
      : model_(std::move(model)), scorer_(std::move(scorer)) {}

  std::string_view backend() const override { return "libllama, yes or no"; }

  Result<std::vector<PassageScore>> score(const std::string& query,
                                          std::span<const std::string> passages,
                                          const StopFlag& stop) override {
    std::vector<PassageScore> scores;
    for (const std::string& passage : passages) {
      auto each = judge(query, passage, stop);
      if (!each) return each.error();
      scores.push_back(*each);
    }
    return scores;
  }

 private:
  Result<PassageScore> judge(const std::string& query, const std::string& passage,
                             const StopFlag& stop) {
    static const std::vector<std::string> kAnswers = {"yes", "no"};
    for (size_t bytes = kPassageBytes;; bytes /= 2) {
      const std::string text = head_of(passage, bytes);
      const ChatMessage messages[] = {
          {"system", kTask}, {"user", "<Query>: " + query + "\n<Document>: " + text}};
      auto scores = scorer_->score({.messages = messages}, kAnswers, stop);
      if (!scores && scores.error().code == ErrorCode::ContextTooLong && bytes > 64) continue;
      if (!scores) return scores.error();
      return PassageScore{.score = scores->logprobs[0] - scores->logprobs[1],
                          .truncated = text.size() < passage.size()};
    }
  }

  std::unique_ptr<const LanguageModel> model_;
  std::unique_ptr<ChoiceScorer> scorer_;
};

}  // namespace

Result<std::unique_ptr<Reranker>> load_yes_no_reranker(const std::filesystem::path& path,
                                                       int threads) {
  auto model = LanguageModel::load(path);
  if (!model) return model.error();
  auto scorer = ChoiceScorer::create(**model, {.context_tokens = kYesNoContextTokens,
                                               .batch_tokens = kYesNoBatchTokens,
                                               .threads = threads});
  if (!scorer) return scorer.error();
  return Result<std::unique_ptr<Reranker>>(
      std::make_unique<YesNoReranker>(std::move(*model), std::move(*scorer)));
}

}  // namespace tinyarms::engine
