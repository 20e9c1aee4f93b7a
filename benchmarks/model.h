// One model under measurement: what the product does with it, and what llama.cpp's own benchmark
// does with the same file.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "base/result.h"
#include "engine/generator.h"
#include "shape.h"

namespace tinyarms::bench {

class Model {
 public:
  static Result<std::unique_ptr<Model>> open(std::string name, const std::filesystem::path& file,
                                             int threads);

  const std::string& name() const { return name_; }
  const std::filesystem::path& file() const { return file_; }
  const engine::ModelFacts& facts() const { return weights_->facts(); }

  struct Rate {
    double tokens_per_second = 0;
    int tokens = 0;
    int depth = 0;  // tokens in the context before the first that was measured
  };

  // A whole answer through the generator: template, evidence for every token, sampling, text.
  // `tokens` passes through the model are timed. Errors: those of the generator.
  Result<Rate> decode(int tokens);

  // A prompt of about `tokens` tokens up to its first logits, template and tokenizer included.
  Result<Rate> prefill(int tokens);

 private:
  Model(std::string name, std::filesystem::path file)
      : name_(std::move(name)), file_(std::move(file)) {}
  Result<engine::Generation> ask(const std::string& prompt, int tokens, uint32_t seed);

  std::string name_;
  std::filesystem::path file_;
  std::unique_ptr<const engine::LanguageModel> weights_;
  std::unique_ptr<engine::Generator> generator_;
  uint32_t seed_ = 0;  // one whose answer is long enough, once found
};

// llama-bench on the same file: tokens per second of one repetition after its own warm-up.
struct PeerOptions {
  std::filesystem::path program;
  std::filesystem::path file;
  int threads = 0;
  int prompt_tokens = 0;  // exactly one of these two is not zero
  int generated_tokens = 0;
  int depth = 0;
};
Result<double> run_llama_bench(const PeerOptions& options);

}  // namespace tinyarms::bench
