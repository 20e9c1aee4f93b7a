// Embedding one text of 16 to 256 tokens with all-MiniLM-L6-v2: our encoder, libllama on the same
// file, and ONNX Runtime on the same weights, side by side on as many threads. Rounds alternate;
// of each round the best of some runs counts, so that whatever else the machine does falls on all.
// Then what many texts of mixed lengths take together.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <map>
#include <span>
#include <thread>

#include "bench.h"
#include "encoder/text_encoder.h"
#include "engine/bert_import.h"
#include "python_peer.h"

namespace tinyarms::bench {
namespace {

using encoder::Precision;

// Between subjects: the threads of the one before go on spinning for a while.
constexpr std::chrono::milliseconds kPause(250);

double milliseconds(const std::function<void()>& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  const auto end = std::chrono::steady_clock::now();
  return std::chrono::duration<double, std::milli>(end - start).count();
}

std::string text_of(int tokens) {
  std::string text;
  for (int i = 2; i < tokens; ++i) text += "code ";
  return text;
}

// What is measured, each ready to embed texts.
struct Subjects {
  std::map<std::string, std::unique_ptr<engine::Embedder>> ours;  // by precision, and "libllama"
  std::unique_ptr<PythonPeer> onnx;                               // may be null
};

Result<Subjects> open_subjects(Bench& bench) {
  const auto& options = bench.options();
  const auto file = options.cache / "all-minilm-l6-v2.f32.gguf";
  const auto folder = options.deps / "models" / "all-minilm-l6-v2";
  if (!std::filesystem::exists(file)) {
    auto imported = engine::import_bert(folder, file, engine::EncoderType::F32);
    if (!imported) return imported.error();
  }
  Subjects subjects;
  for (const Precision precision : {Precision::F32, Precision::BF16, Precision::Int8}) {
    if (!encoder::supports(precision)) continue;
    auto loaded = encoder::load_bert(file, {.threads = options.threads, .precision = precision});
    if (!loaded) return loaded.error();
    subjects.ours[encoder::name_of(precision)] = std::move(*loaded);
  }
  auto libllama = engine::Embedder::load(file, options.threads);
  if (!libllama) return libllama.error();
  subjects.ours["libllama"] = std::move(*libllama);
  auto onnx = PythonPeer::start("encoder_peer.py",
                                {folder.string(), (options.cache / "onnx").string(),
                                 std::to_string(options.threads)});
  if (!onnx) return onnx.error();
  subjects.onnx = std::move(*onnx);
  return subjects;
}

// Milliseconds by subject: the median over the rounds of each round's best.
Result<std::map<std::string, double>> time_all(Bench& bench, Subjects& subjects, int tokens) {
  const int repeats = bench.smoke() ? 1 : 12;
  const std::vector<std::string> texts = {text_of(tokens)};
  auto ids = subjects.ours["f32"]->tokenize(texts[0]);
  if (!ids) return ids.error();
  std::map<std::string, std::vector<double>> rounds;
  for (int round = 0; round < bench.rounds(); ++round) {
    for (auto& [name, embedder] : subjects.ours) {
      double best = 1e9;
      std::this_thread::sleep_for(kPause);
      for (int i = -1; i < repeats; ++i) {
        bool sound = false;
        const double ms = milliseconds([&, &e = *embedder] { sound = bool{e.embed(texts)}; });
        if (!sound) return Error{ErrorCode::Internal, "embedding failed", name, ""};
        if (i >= 0) best = std::min(best, ms);
      }
      rounds[name].push_back(best);
    }
    for (const char* kind : {"fp32", "int8"}) {
      if (!subjects.onnx) continue;
      std::this_thread::sleep_for(kPause);
      auto answer = subjects.onnx->ask({{"model", kind}, {"ids", {*ids}}, {"repeat", repeats}});
      if (!answer) return answer.error();
      rounds[std::string("onnx-") + kind].push_back((*answer)["ms"].get<double>());
    }
  }
  std::map<std::string, double> medians;
  for (auto& [name, times] : rounds) medians[name] = median(times);
  return medians;
}

double cosine(const std::vector<double>& a, const std::vector<double>& b) {
  double product = 0, lengths[2] = {0, 0};
  for (size_t i = 0; i < a.size(); ++i) {
    product += a[i] * b[i];
    lengths[0] += a[i] * a[i];
    lengths[1] += b[i] * b[i];
  }
  return product / std::sqrt(lengths[0] * lengths[1]);
}

// One less the worst cosine to the reference, by subject; nothing where there is no reference.
Result<std::map<std::string, double>> errors_of(Subjects& subjects) {
  std::map<std::string, double> errors;
  const char* shared = std::getenv("TINYARMS_SHARED");
  if (shared == nullptr) return errors;
  std::ifstream file(std::string(shared) + "/data/minilm-reference/minilm_reference.json");
  const auto reference = nlohmann::json::parse(file, nullptr, false);
  if (!reference.is_object()) return errors;
  for (const auto& item : reference["items"]) {
    const auto expected = item["embedding"].get<std::vector<double>>();
    const std::vector<std::string> texts = {item["text"]};
    for (auto& [name, embedder] : subjects.ours) {
      auto embedded = embedder->embed(texts);
      if (!embedded) return embedded.error();
      if ((*embedded)[0].parts > 1) continue;
      const auto& values = (*embedded)[0].values;
      errors[name] = std::max({errors[name], 1e-7,
                               1 - cosine({values.begin(), values.end()}, expected)});
    }
    for (const char* kind : {"fp32", "int8"}) {
      if (!subjects.onnx) continue;
      auto answer = subjects.onnx->ask({{"model", kind}, {"ids", {item["token_ids"]}}});
      if (!answer) return answer.error();
      double& worst = errors[std::string("onnx-") + kind];
      worst = std::max({worst, 1e-7,
                        1 - cosine((*answer)["vectors"][0].get<std::vector<double>>(), expected)});
    }
  }
  return errors;
}

// Microseconds a token of many texts of 8 to 128 tokens.
Result<double> bulk(Bench& bench, engine::Embedder& embedder) {
  std::vector<std::string> texts;
  double tokens = 0;
  for (int i = 0; i < (bench.smoke() ? 8 : 500); ++i) {
    const int length = 8 + i * 37 % 121;
    texts.push_back(text_of(length));
    tokens += length;
  }
  std::vector<double> rounds;
  for (int round = 0; round < bench.rounds(); ++round) {
    bool sound = false;
    rounds.push_back(milliseconds([&] { sound = bool{embedder.embed(texts)}; }) * 1000 / tokens);
    if (!sound) return Error{ErrorCode::Internal, "embedding failed", "", ""};
  }
  return median(rounds);
}

Result<std::vector<Figure>> run(Bench& bench) {
  auto subjects = open_subjects(bench);
  if (!subjects) return subjects.error();
  const std::string best = subjects->ours.contains("bf16") ? "bf16" : "f32";
  std::vector<Figure> figures;
  const std::vector<int> lengths = {16, 64, 128, 256};
  for (const int tokens : std::span(lengths).first(bench.smoke() ? 1 : 4)) {
    auto times = time_all(bench, *subjects, tokens);
    if (!times) return times.error();
    for (const auto& [name, ms] : *times) {
      if (name == best) continue;
      const bool judged = name == "onnx-int8" && (tokens == 64 || tokens == 256);
      figures.push_back({.name = fmt::format("encoder/{}-{}/{}", best, tokens, name),
                         .unit = "ms",
                         .ours = (*times)[best],
                         .peer = ms,
                         .ratio = (*times)[best] / ms,
                         .kind = Goal::RatioAtMost,
                         .goal = judged ? 0.8 : name == "int8" ? 3.0 : 1.0});
    }
  }
  auto errors = errors_of(*subjects);
  if (!errors) return errors.error();
  for (const auto& [name, error] : *errors) {
    figures.push_back({.name = "encoder/one-less-cosine/" + name,
                       .unit = "1",
                       .ours = error,
                       .peer = {},
                       .ratio = {},
                       .kind = Goal::OursAtMost,
                       .goal = 1e-4});
  }
  auto each = bulk(bench, *subjects->ours[best]);
  if (!each) return each.error();
  figures.push_back({.name = "encoder/bulk/" + best,
                     .unit = "us/token",
                     .ours = *each,
                     .peer = {},
                     .ratio = {},
                     .kind = Goal::OursAtMost,
                     .goal = 40});
  return figures;
}

const Registration registration("encoder", "embedding texts, against ONNX Runtime and libllama",
                                run);

}  // namespace
}  // namespace tinyarms::bench
