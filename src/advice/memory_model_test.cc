// The plan against what is really allocated, with the default models.
#include <gtest/gtest.h>
#include <malloc.h>
#include <unistd.h>

#include <cmath>
#include <cstdlib>

#include "advice/memory.h"
#include "encoder/dnnl_library.h"
#include "encoder/text_encoder.h"
#include "engine/bert_import.h"
#include "tiers/model_shelf.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define TINYARMS_OTHER_ALLOCATOR 1
#else
#define TINYARMS_OTHER_ALLOCATOR 0
#endif

namespace tinyarms::advice {
namespace {

namespace fs = std::filesystem;

constexpr double kTolerance = 0.05;

fs::path find_model(const std::string& name) {
  const char* folder = std::getenv("TINYARMS_TEST_MODELS");
  if (folder == nullptr) return {};
  const fs::path path = fs::path(folder) / name;
  return fs::exists(path) ? path : fs::path();
}

void expect_close(uint64_t planned, uint64_t taken) {
  EXPECT_NEAR(static_cast<double>(planned) / static_cast<double>(taken), 1.0, kTolerance)
      << planned << " bytes planned, " << taken << " taken";
}

TEST(MemoryModel, TheSmallModelTakesWhatIsPlanned) {
  const fs::path path = find_model("smollm2-135m-instruct.q4_1.gguf");
  if (path.empty()) GTEST_SKIP() << "SmolLM2's weights are missing: run ./setup/install";
  auto facts = engine::inspect_model(path);
  ASSERT_TRUE(facts);
  for (const uint32_t context : {1024u, 4096u}) {
    tiers::EngineLoader loader(1);
    auto loaded = loader.load(path, context);
    ASSERT_TRUE(loaded) << loaded.error().message();
    // libllama's own account: it does not hold the vocabulary's tables, nor the rows of logits.
    const engine::MemoryPlan taken = loaded->generator->memory_taken();
    const MemoryNeed planned = plan_model(*facts, {.context_tokens = context});
    EXPECT_EQ(planned.kv_bytes, taken.kv_bytes);
    expect_close(planned.weight_bytes + planned.kv_bytes + planned.compute_bytes,
                 taken.weight_bytes + taken.kv_bytes + taken.compute_bytes);
  }
}

TEST(MemoryModel, TheEncoderTakesWhatIsPlanned) {
  const fs::path source = find_model("all-minilm-l6-v2");
  if (source.empty()) GTEST_SKIP() << "MiniLM's weights are missing: run ./setup/install";
  if (!encoder::dnnl_library()) GTEST_SKIP() << "oneDNN is missing: apt-get install libdnnl2";
  if (TINYARMS_OTHER_ALLOCATOR) {
    GTEST_SKIP() << "mallinfo2 is missing under a sanitizer, so what the encoder takes is NOT held "
                    "against its plan: run ./check release";
  }
  const fs::path file =
      fs::temp_directory_path() / ("tinyarms-advice-" + std::to_string(::getpid()) + ".gguf");
  ASSERT_TRUE(engine::import_bert(source, file, engine::EncoderType::F32));
  auto facts = engine::inspect_model(file);
  ASSERT_TRUE(facts);
  const auto heap = [] {
    ::malloc_trim(0);
    const struct mallinfo2 account = ::mallinfo2();
    return static_cast<uint64_t>(account.uordblks + account.hblkhd);
  };
  const uint64_t before = heap();
  auto loaded = encoder::load_text_encoder(file, {.threads = 1, .precision = {}});
  ASSERT_TRUE(loaded) << loaded.error().message();
  std::string text;
  for (int i = 0; i < 250; ++i) text += "sort ";
  ASSERT_TRUE((*loaded)->embed(std::vector<std::string>{text}));
  const uint64_t taken = heap() - before;
  const MemoryNeed planned = plan_model(*facts, {.threads = 1});
  // What is mapped is no allocation.
  expect_close(planned.total() - planned.mapped_bytes, taken);
  fs::remove(file);
}

}  // namespace
}  // namespace tinyarms::advice
