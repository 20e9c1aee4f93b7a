// SmolLM2-135M-Instruct at Q4_1 looking at drafts of its own Q2_K copy: token for token what it
// writes alone. Every seventh of 210 prompts; TINYARMS_DRAFT_PROMPTS=all takes all of them, long.
// Several tokens in one pass are summed in another order than one by one; where that changes an
// answer, the two first choices must have been as near to each other as that noise is large, and
// that is measured here.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "engine/generator.h"
#include "engine/quantize.h"
#include "engine/tiny_model.h"

namespace tinyarms::engine {
namespace {

namespace fs = std::filesystem;
using testing::TemporaryFolder;

constexpr const char* kNoModel =
    "SmolLM2's weights are missing: run ./setup/install, which puts "
    "smollm2-135m-instruct.q4_1.gguf into $TINYARMS_TEST_MODELS";

std::vector<std::string> prompts(size_t every) {
  const char* tasks[] = {"Write a Python function for", "Explain in one sentence",
                         "Give an example of",          "What is the purpose of",
                         "Name two properties of",      "Write a short note on",
                         "How would you test"};
  const char* things[] = {
      "sorting a list",       "a binary search", "a hash table",   "recursion",  "a linked list",
      "a mutex",              "a race condition", "unit tests",    "a compiler", "a stack",
      "reversing a string",   "prime numbers",   "a queue",        "JSON",
      "regular expressions",
      "the Fibonacci series", "a database index", "memory leaks",  "floats",     "a web server",
      "merging two lists",    "a cache",         "version control", "threads",   "a file system",
      "counting words",       "a matrix",        "an iterator",    "UTF-8",      "a checksum"};
  std::vector<std::string> some;
  size_t sum = 0;  // of both numbers: a share of the prompts still has every task and thing
  for (const char* task : tasks) {
    size_t diagonal = sum++;
    for (const char* thing : things) {
      if (diagonal++ % every == 0) some.push_back(std::string(task) + " " + thing + ".");
    }
  }
  return some;
}

struct Loaded {
  std::unique_ptr<const LanguageModel> model;
  std::unique_ptr<Generator> generator;
};

Loaded load(const fs::path& path) {
  Loaded loaded;
  auto model = LanguageModel::load(path);
  EXPECT_TRUE(model) << model.error().message();
  if (!model) return loaded;
  loaded.model = std::move(*model);
  auto generator = Generator::create(
      *loaded.model, {.context_tokens = 512, .threads = 1, .guesses_max = 32});
  EXPECT_TRUE(generator) << generator.error().message();
  if (generator) loaded.generator = std::move(*generator);
  return loaded;
}

TEST(DraftModelTest, TokenForTokenWhatTheModelWritesAlone) {
  const char* folder = std::getenv("TINYARMS_TEST_MODELS");
  const fs::path strong =
      fs::path(folder == nullptr ? "" : folder) / "smollm2-135m-instruct.q4_1.gguf";
  if (folder == nullptr || !fs::exists(strong)) GTEST_SKIP() << kNoModel;
  TemporaryFolder home;
  QuantizeOptions to;
  to.type = "q2_k";
  auto made = quantize(strong, home / "weak.gguf", to);
  ASSERT_TRUE(made) << made.error().message();
  const Loaded small = load(home / "weak.gguf");
  const Loaded large = load(strong);
  ASSERT_TRUE(small.generator && large.generator);

  const StopFlag stop;
  GenerateOptions options{.tokens_max = 20};
  double noise = 0;
  std::vector<double> partings;  // margins of what plain decoding chose where the answers part
  int agreed = 0;
  int drafted = 0;
  const char* extent = std::getenv("TINYARMS_DRAFT_PROMPTS");
  const std::vector<std::string> all =
      prompts(extent != nullptr && std::string_view(extent) == "all" ? 1 : 7);
  ASSERT_GE(all.size(), 30u);
  for (const std::string& prompt : all) {
    const std::vector<ChatMessage> messages = {{"user", prompt}};
    options.draft = {};
    auto draft = small.generator->generate(messages, options, stop, {});
    auto plain = large.generator->generate(messages, options, stop, {});
    ASSERT_TRUE(draft && plain);
    options.draft.draft = Draft{.text = draft->text, .trail = draft->trail, .ended = false};
    options.draft.lookup = true;
    options.draft.lookup_in_prompt = true;
    auto checked = large.generator->generate(messages, options, stop, {});
    ASSERT_TRUE(checked);
    ASSERT_TRUE(checked->draft && checked->draft->same_vocabulary);
    agreed += checked->draft->agreed;
    drafted += checked->draft->tokens;
    const auto& a = plain->trail.tokens;
    const auto& b = checked->trail.tokens;
    const size_t same = static_cast<size_t>(
        std::mismatch(a.begin(), a.end(), b.begin(), b.end()).first - a.begin());
    for (size_t i = 0; i < same; ++i) {
      noise = std::max<double>(noise, std::abs(plain->margins[i] - checked->margins[i]));
    }
    if (same < a.size() || same < b.size()) {
      ASSERT_LT(same, std::min(a.size(), b.size()));
      partings.push_back(plain->margins[same]);
    }
  }
  std::printf("%zu of %zu answers token for token; %d of %d drafted tokens agreed; margins differ "
              "by up to %.4f by the shape of a batch\n",
              all.size() - partings.size(), all.size(), agreed, drafted, noise);
  for (const double margin : partings) {
    std::printf("  parted at a margin of %.5f\n", margin);
    EXPECT_LE(margin, 2 * noise) << "the answers part where nothing was near a tie";
  }
  EXPECT_LE(partings.size(), all.size() / 10);
  EXPECT_GT(agreed, 0);
}

}  // namespace
}  // namespace tinyarms::engine
