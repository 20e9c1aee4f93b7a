// With real weights: all-MiniLM-L6-v2, imported anew.
#include "encoder/text_encoder.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "encoder/dnnl_library.h"
#include "engine/bert_import.h"

namespace tinyarms::encoder {
namespace {

namespace fs = std::filesystem;

fs::path find_data(const char* variable, const std::string& name) {
  const char* folder = std::getenv(variable);
  if (folder == nullptr) return {};
  const fs::path path = fs::path(folder) / name;
  return fs::exists(path) ? path : fs::path();
}

double cosine(const std::vector<float>& a, const std::vector<double>& b) {
  double product = 0, length = 0;
  for (size_t i = 0; i < a.size(); ++i) product += a[i] * b[i], length += b[i] * b[i];
  return product / std::sqrt(length);
}

std::vector<double> wide(const std::vector<float>& a) { return {a.begin(), a.end()}; }

class MiniLm : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    const fs::path source = find_data("TINYARMS_TEST_MODELS", "all-minilm-l6-v2");
    if (source.empty()) return;
    folder_ = fs::temp_directory_path() / ("tinyarms-encoder-" + std::to_string(::getpid()));
    fs::create_directories(folder_);
    if (engine::import_bert(source, folder_ / "minilm.gguf", engine::EncoderType::F32)) {
      file_ = folder_ / "minilm.gguf";
    }
  }
  static void TearDownTestSuite() {
    std::error_code ignored;
    if (!folder_.empty()) fs::remove_all(folder_, ignored);
  }
  void SetUp() override {
    if (file_.empty()) {
      GTEST_SKIP() << "MiniLM's weights are missing: run ./setup/install, which puts "
                      "all-minilm-l6-v2/ into $TINYARMS_TEST_MODELS";
    }
    if (!dnnl_library()) GTEST_SKIP() << "oneDNN is missing: apt-get install libdnnl2";
  }

  static std::unique_ptr<engine::Embedder> load(Precision precision, int threads = 2) {
    auto loaded = load_bert(file_, {.threads = threads, .precision = precision});
    EXPECT_TRUE(loaded) << loaded.error().message();
    return loaded ? std::move(*loaded) : nullptr;
  }

  static inline fs::path folder_;
  static inline fs::path file_;
};

struct Agreement {
  Precision precision;
  double cosine_min;
};

class MiniLmAgreement : public MiniLm, public ::testing::WithParamInterface<Agreement> {};

TEST_P(MiniLmAgreement, WithTheReference) {
  const fs::path file =
      find_data("TINYARMS_SHARED", "data/minilm-reference/minilm_reference.json");
  if (file.empty()) {
    GTEST_SKIP() << "the reference embeddings are missing: set TINYARMS_SHARED to the folder with "
                    "data/minilm-reference";
  }
  if (!supports(GetParam().precision)) {
    GTEST_SKIP() << "this processor does not compute in " << name_of(GetParam().precision)
                 << ": run on one that does";
  }
  auto embedder = load(GetParam().precision);
  const auto reference = nlohmann::json::parse(std::ifstream(file));
  double worst = 1;
  size_t compared = 0;
  for (const auto& item : reference["items"]) {
    const std::vector<std::string> texts = {item["text"]};
    auto ids = embedder->tokenize(texts[0]);
    ASSERT_TRUE(ids);
    EXPECT_EQ(*ids, item["token_ids"].get<std::vector<int32_t>>());
    auto embeddings = embedder->embed(texts);
    ASSERT_TRUE(embeddings) << embeddings.error().message();
    if ((*embeddings)[0].parts > 1) continue;  // the reference is of its first window only
    ++compared;
    worst = std::min(worst, cosine((*embeddings)[0].values,
                                   item["embedding"].get<std::vector<double>>()));
  }
  EXPECT_GE(compared, 19u);
  EXPECT_GE(worst, GetParam().cosine_min);
}

INSTANTIATE_TEST_SUITE_P(Precisions, MiniLmAgreement,
                         ::testing::Values(Agreement{Precision::F32, 0.999999},
                                           Agreement{Precision::BF16, 0.9999},
                                           Agreement{Precision::Int8, 0.99}),
                         [](const auto& each) {
                           return std::string(name_of(each.param.precision));
                         });

// Every character of the lower planes, between letters and alone, and texts that are traps.
// Left out are Hangul and scripts with spacing or enclosing marks: libllama keeps only the first
// letter of a decomposition and drops such marks, the published tokenizer does neither.
TEST_F(MiniLm, TokenIdsAreThoseOfLibllama) {
  auto ours = load(Precision::F32, 1);
  auto theirs = engine::Embedder::load(file_, 1);
  ASSERT_TRUE(theirs) << theirs.error().message();
  std::vector<std::string> texts = {
      "", " ", "Hello, World!", "naïve café ÀÉÎÕÜ ñ ß ŒÆ", "日本語のテスト、中文測試。",
      "がぎぐげご", "a\x01\x02\x7f b\tc\r\nd", "\u200bzero\u200dwidth\ufeff",
      "x = foo_bar[i+1]; // C++ {}<>|~^`$",
      "[CLS] [SEP] [MASK] ##ing ▁word", "İstanbul ΑΒΓ ΩΣς Привет Ёж", "👩‍👩‍👧 emoji 😀", "\ufffd",
      "ﬁ ﬂ ① ² ½ ™", std::string(3000, 'a'), std::string(1000, ' '), "١٢٣ ابجد שלום"};
  std::string run;
  for (uint32_t code = 0x21; code < 0x2e80; ++code) {
    if (code >= 0x900 && code < 0x1e00) continue;
    if ((code >= 0x488 && code < 0x48a) || (code >= 0x20dd && code < 0x20e5)) continue;
    run += "a";
    if (code < 0x80) run.push_back(static_cast<char>(code));
    else if (code < 0x800) {
      run.push_back(static_cast<char>(0xc0 | (code >> 6)));
      run.push_back(static_cast<char>(0x80 | (code & 0x3f)));
    } else {
      run.push_back(static_cast<char>(0xe0 | (code >> 12)));
      run.push_back(static_cast<char>(0x80 | ((code >> 6) & 0x3f)));
      run.push_back(static_cast<char>(0x80 | (code & 0x3f)));
    }
    run += "b ";
    if (code % 16 == 15) {
      texts.push_back(run);
      run.clear();
    }
  }
  size_t differences = 0;
  for (const std::string& text : texts) {
    auto a = ours->tokenize(text);
    auto b = (*theirs)->tokenize(text);
    ASSERT_TRUE(a && b) << text;
    if (*a != *b && differences++ < 10) {
      ADD_FAILURE() << '"' << text << "\"\n" << ::testing::PrintToString(*a) << "\n"
                    << ::testing::PrintToString(*b);
    }
  }
  EXPECT_EQ(differences, 0u) << "of " << texts.size();
}

TEST_F(MiniLm, ABatchOfManyLengthsIsWhatEachTextIsAlone) {
  for (const int threads : {1, 2, 3}) {
    auto embedder = load(Precision::F32, threads);
    std::vector<std::string> texts;
    for (int i = 0; i < 40; ++i) {
      std::string text = "text";
      for (int word = 0; word < (i * 53) % 200; ++word) text += " w" + std::to_string(word % 7 + i);
      texts.push_back(text);
    }
    auto together = embedder->embed(texts);
    ASSERT_TRUE(together) << together.error().message();
    for (size_t i = 0; i < texts.size(); i += 3) {
      auto alone = embedder->embed(std::span(&texts[i], 1));
      ASSERT_TRUE(alone);
      EXPECT_GT(cosine((*together)[i].values, wide((*alone)[0].values)), 0.999999) << i;
    }
  }
}

TEST_F(MiniLm, ALongTextIsPooledFromItsWindows) {
  auto embedder = load(Precision::F32);
  std::string text;
  for (int i = 0; i < 600; ++i) text += i < 300 ? "sea " : "code ";
  const std::vector<std::string> texts = {text, "sea", std::string(10'000, 'x'), ""};
  auto embeddings = embedder->embed(texts);
  ASSERT_TRUE(embeddings) << embeddings.error().message();
  EXPECT_EQ((*embeddings)[0].parts, 3);
  EXPECT_FALSE((*embeddings)[0].truncated);
  EXPECT_EQ((*embeddings)[1].parts, 1);
  EXPECT_GT((*embeddings)[2].parts, 1);
  for (const auto& embedding : *embeddings) {
    EXPECT_NEAR(cosine(embedding.values, wide(embedding.values)), 1, 1e-5);
    double length = 0;
    for (const float value : embedding.values) length += value * value;
    EXPECT_NEAR(length, 1, 1e-5);
  }
}

TEST_F(MiniLm, RefusesBytesThatAreNotText) {
  auto embedder = load(Precision::F32);
  auto refused = embedder->embed(std::vector<std::string>{"fine", "\xff\xfe"});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::InvalidArgument);
}

TEST_F(MiniLm, RefusesDamagedFiles) {
  auto bytes = read_file(file_, size_t{1} << 30);
  ASSERT_TRUE(bytes);
  const auto attempt = [&](const std::string& content) {
    const fs::path damaged = folder_ / "damaged.gguf";
    EXPECT_TRUE(write_file_atomically(damaged, content));
    auto loaded = load_text_encoder(damaged, {.threads = 1, .precision = {}});
    if (!loaded) return false;
    return bool{(*loaded)->embed(std::vector<std::string>{"a text"})};
  };
  EXPECT_TRUE(attempt(*bytes));
  EXPECT_FALSE(attempt(bytes->substr(0, bytes->size() / 2)));
  EXPECT_FALSE(attempt(""));
  EXPECT_FALSE(attempt("not a model"));
  std::string renamed = *bytes;
  renamed.replace(renamed.find("blk.3.attn_k.weight"), 19, "blk.3.attn_z.weight");
  EXPECT_FALSE(attempt(renamed));
  std::string nan = *bytes;
  std::fill(nan.end() - 4096, nan.end(), '\xff');  // of the last tensor
  EXPECT_FALSE(attempt(nan));
}

TEST_F(MiniLm, AGenerativeModelIsRefused) {
  const fs::path other = find_data("TINYARMS_TEST_MODELS", "smollm2-135m-instruct.q4_1.gguf");
  if (other.empty()) {
    GTEST_SKIP() << "SmolLM2's weights are missing: run ./setup/install, which puts "
                    "smollm2-135m-instruct.q4_1.gguf into $TINYARMS_TEST_MODELS";
  }
  auto loaded = load_text_encoder(other, {.threads = 1, .precision = {}});
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().code, ErrorCode::Unsupported);
}

}  // namespace
}  // namespace tinyarms::encoder
