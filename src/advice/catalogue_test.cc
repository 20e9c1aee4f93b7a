#include "advice/catalogue.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <random>

#include "advice/catalogue_json.h"

namespace tinyarms::advice {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::StartsWith;

constexpr std::string_view kHead =
    "family = \"f\"\n[source.s]\ntext = \"a page\"\ndate = \"2026-11-01\"\n";

std::string entry(std::string_view name, std::string_view more = "") {
  return fmt::format(
      "[[model]]\nname = \"{}\"\nroles = [\"code\"]\nparameters = 1_000_000_000\n"
      "source = \"s\"\n{}",
      name, more);
}

Catalogue read(const std::string& text) {
  return read_catalogue({{.name = "f.toml", .text = std::string(kHead) + text}});
}

TEST(BundledCatalogue, HasNoFaultAndEveryModelThatIsAskedFor) {
  const Catalogue catalogue = load_catalogue("");
  for (const Error& problem : catalogue.problems) ADD_FAILURE() << problem.message();
  for (const char* name :
       {"embeddinggemma-300m", "all-minilm-l6-v2", "all-mpnet-base-v2", "instructor-xl",
        "text-embedding-3-small", "labse", "ms-marco-minilm-l-6", "ms-marco-minilm-l-12",
        "qwen2.5-coder-0.5b", "qwen2.5-coder-1.5b", "qwen2.5-coder-3b", "qwen2.5-coder-7b",
        "qwen2.5-coder-14b", "qwen2.5-coder-32b", "qwen3-coder-30b-a3b", "smollm2-135m-instruct",
        "smollm3-3b", "mobilellm-r1-950m", "stablelm-zephyr-3b", "llama-3.2-3b-instruct",
        "gemma-2b", "gemma2-9b", "phi-3-mini", "starcoder2-7b", "deepseek-coder-7b",
        "llama-3.1-8b-instruct", "mistral-7b-v0.3", "qwen2.5-7b-instruct", "gpt-5",
        "claude-sonnet-4.6"}) {
    EXPECT_TRUE(catalogue.find(name)) << name;
  }
  const auto coder = catalogue.find("qwen2.5-coder-3b");
  ASSERT_TRUE(coder);
  EXPECT_EQ((*coder)->licence.commercial, Commercial::No);
  EXPECT_EQ((*coder)->file("q4_k_m")->bytes, 1'900'000'000u);
  EXPECT_EQ((*catalogue.find("qwen2.5-coder-7b"))->score("humaneval")->value, 84.8);
  EXPECT_THAT((*catalogue.find("embeddinggemma-300m"))->matryoshka,
              testing::ElementsAre(512u, 256u, 128u));
  EXPECT_EQ((*catalogue.find("stablelm-zephyr-3b"))->licence.commercial, Commercial::Unknown);
}

TEST(BundledCatalogue, EveryFigureHasASourceAndADate) {
  for (const CatalogueModel& model : load_catalogue("").models) {
    const auto sound = [&](const Source& source) {
      EXPECT_FALSE(source.text.empty()) << model.name;
      EXPECT_EQ(source.date.size(), 10u) << model.name;
    };
    sound(model.source);
    if (model.shape) sound(model.shape->source);
    for (const Score& score : model.scores) sound(score.source);
    for (const ModelFile& file : model.files) {
      if (!file.estimated) sound(file.source);
    }
    if (model.price) sound(model.price->source);
    if (!model.licence.name.empty()) sound(model.licence.source);
    EXPECT_TRUE(model.remote == model.price.has_value()) << model.name;
  }
}

TEST(Catalogue, EstimatesWhatNoSourceTells) {
  const Catalogue catalogue = read(entry("a", "quantisations = [\"q4_k_m\", \"Q8_0\"]\n"));
  ASSERT_EQ(catalogue.problems.size(), 0u);
  const ModelFile* file = catalogue.models.at(0).file("Q4_K_M");
  ASSERT_NE(file, nullptr);
  EXPECT_TRUE(file->estimated);
  EXPECT_EQ(file->bytes, static_cast<uint64_t>(1e9 * 4.8944 / 8));
}

TEST(Catalogue, ABadEntryIsLeftOutWithItsPlaceAndTheOthersStay) {
  struct Case {
    std::string_view more;
    std::string_view what;
    std::string_view where;
  };
  for (const Case& one : std::initializer_list<Case>{
           {"contxt = 3\n", "unknown key contxt", "f.toml:10:1"},
           {"context = -3\n", "context is not a whole number", "f.toml:10:1"},
           {"quantisations = [\"Q4_K_XXL\"]\n", "unknown quantisation \"Q4_K_XXL\"", "f.toml:10:1"},
           {"remote = \"yes\"\n", "remote is not true or false", "f.toml:10:1"},
           {"matryoshka = [1.5]\n", "matryoshka is not a list", "f.toml:10:1"},
           {"[model.licence]\nname = \"x\"\n", "source is missing", "f.toml:10:"},
           {"[model.shape]\nlayers = 2\n", "architecture is missing", "f.toml:10:"},
           {"[[model.score]]\nbenchmark = \"IQ\"\n", "unknown benchmark \"IQ\"", "f.toml:11:1"},
           {"[[model.score]]\nbenchmark = \"MMLU\"\nvalue = 300\n", "value is not a number",
            "f.toml:12:1"},
           {"[[model.score]]\nbenchmark = \"MMLU\"\nvalue = 30\nsource = \"t\"\n",
            "no source is called \"t\"", "f.toml:13:1"},
           {"[[model.file]]\nquantisation = \"Q8_0\"\nbytes = 9\nsource = \"s\"\n",
            "9 bytes contradict 1000000000 parameters at Q8_0", "f.toml:5:"},
           {"[[model.file]]\nquantisation = \"Q8_0\"\nsha256 = \"zz\"\nsource = \"s\"\n",
            "sha256 is not", "f.toml:12:1"},
           {"file = 3\n", "file is not a list of tables", "f.toml:10:1"}}) {
    const Catalogue catalogue = read(entry("bad", one.more) + entry("good"));
    ASSERT_EQ(catalogue.problems.size(), 1u) << one.more;
    EXPECT_EQ(catalogue.problems[0].code, ErrorCode::Config);
    EXPECT_THAT(catalogue.problems[0].what, HasSubstr(one.what));
    EXPECT_THAT(catalogue.problems[0].where, StartsWith(one.where)) << one.more;
    ASSERT_EQ(catalogue.models.size(), 1u) << one.more;
    EXPECT_EQ(catalogue.models[0].name, "good");
  }
}

TEST(Catalogue, OfTwoOfOneNameTheFirstCounts) {
  const Catalogue catalogue =
      read(entry("a", "context = 1\n") + entry("b") + entry("a", "context = 2\n"));
  ASSERT_EQ(catalogue.problems.size(), 1u);
  EXPECT_THAT(catalogue.problems[0].what, HasSubstr("a second entry is called \"a\""));
  EXPECT_THAT(catalogue.problems[0].what, HasSubstr("f.toml:5"));
  EXPECT_THAT(catalogue.problems[0].where, StartsWith("f.toml:16:"));
  ASSERT_EQ(catalogue.models.size(), 2u);
  EXPECT_EQ(catalogue.models[0].context_tokens, 1u);
}

TEST(Catalogue, AFileThatIsNoTomlCostsNoOther) {
  const Catalogue catalogue = read_catalogue(
      {{.name = "bad.toml", .text = "[[model"},
       {.name = "nul.toml", .text = std::string("a = \"\0\"", 7)},
       {.name = "good.toml", .text = std::string(kHead) + entry("a")}});
  EXPECT_EQ(catalogue.problems.size(), 2u);
  EXPECT_THAT(catalogue.problems[0].where, StartsWith("bad.toml:1:"));
  EXPECT_EQ(catalogue.models.size(), 1u);
}

TEST(Catalogue, TheUsersFilesTakeThePlaceOfBundledEntries) {
  std::string pattern = (fs::temp_directory_path() / "tinyarms-catalogue-XXXXXX").string();
  const fs::path folder = ::mkdtemp(pattern.data());
  std::ofstream(folder / "own.toml")
      << kHead << entry("gemma-2b", "context = 77\n") << entry("my-own") << entry("my-own");
  std::ofstream(folder / "notes.txt") << "not a catalogue";
  fs::create_directory(folder / "folder.toml");
  const Catalogue catalogue = load_catalogue(folder);
  fs::remove_all(folder);
  EXPECT_EQ(catalogue.problems.size(), 2u);  // my-own twice, and a folder
  ASSERT_TRUE(catalogue.find("gemma-2b"));
  EXPECT_EQ((*catalogue.find("gemma-2b"))->context_tokens, 77u);
  EXPECT_FALSE((*catalogue.find("gemma-2b"))->bundled);
  EXPECT_TRUE(catalogue.find("my-own"));
  const auto missing = catalogue.find("my-ovn");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, ErrorCode::NotFound);
  EXPECT_THAT(missing.error().hint, HasSubstr("my-own"));
}

TEST(Catalogue, JsonSaysNullWhereNothingIsKnown) {
  const Catalogue catalogue = read(entry("a"));
  const nlohmann::ordered_json json = catalogue_model_json(catalogue.models.at(0));
  EXPECT_EQ(json.at("role"), "code");
  EXPECT_TRUE(json.at("context").is_null());
  EXPECT_TRUE(json.at("licence").at("commercial").is_null());
  EXPECT_TRUE(json.at("shape").is_null());
  EXPECT_EQ(json.at("date"), "2026-11-01");
}

// Whatever the bytes, an answer and no crash.
TEST(Catalogue, SurvivesMutations) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE(fmt::format("seed {}", seed));
  std::mt19937 random(seed);
  std::string whole;
  for (const EmbeddedFile& file : bundled_catalogue()) {
    if (file.name == "smollm.toml") whole = std::string(file.bytes);
  }
  ASSERT_FALSE(whole.empty());
  for (int round = 0; round < 300; ++round) {
    std::string text = whole;
    for (int change = 0; change < 3; ++change) {
      text[random() % text.size()] = static_cast<char>(random() % 256);
    }
    const Catalogue catalogue = read_catalogue({{.name = "m.toml", .text = text}});
    EXPECT_LE(catalogue.models.size(), 2u);
  }
}

}  // namespace
}  // namespace tinyarms::advice
