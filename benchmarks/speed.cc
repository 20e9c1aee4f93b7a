// Decoding and prompt processing, with everything an answer needs, against llama.cpp's own
// benchmark on the same file with as many threads, at the same depth. Rounds of both alternate, so
// that whatever else the machine does falls on both; the ratio is the median over the rounds.
#include <functional>

#include "bench.h"
#include "model.h"

namespace tinyarms::bench {
namespace {

constexpr double kGoal = 0.97;

struct Plan {
  const char* name;
  int tokens;
  std::function<Result<Model::Rate>(Model&, int)> ours;
  bool generates;  // what llama-bench is to do: generate, or process a prompt
};

Result<Figure> compare(Bench& bench, Model& model, const Plan& plan) {
  std::vector<double> ours;
  std::vector<double> peers;
  std::vector<double> ratios;
  if (auto warm = plan.ours(model, plan.tokens); !warm) return warm.error();
  for (int round = 0; round < bench.rounds(); ++round) {
    auto rate = plan.ours(model, plan.tokens);
    if (!rate) return rate.error();
    auto peer = run_llama_bench({.program = bench.options().deps / "llama" / "bin" / "llama-bench",
                                 .file = model.file(),
                                 .threads = bench.options().threads,
                                 .prompt_tokens = plan.generates ? 0 : rate->tokens,
                                 .generated_tokens = plan.generates ? rate->tokens : 0,
                                 .depth = rate->depth});
    if (!peer) return peer.error();
    ours.push_back(rate->tokens_per_second);
    peers.push_back(*peer);
    ratios.push_back(rate->tokens_per_second / *peer);
  }
  return Figure{.name = std::string(plan.name) + "/" + model.name(),
                .unit = "tokens/s",
                .ours = median(ours),
                .peer = median(peers),
                .ratio = median(ratios),
                .kind = Goal::RatioAtLeast,
                .goal = kGoal};
}

Result<std::vector<Figure>> on_both_models(Bench& bench, const Plan& plan) {
  std::vector<Figure> figures;
  for (auto open : {&Bench::small_model, &Bench::large_model}) {
    auto model = (bench.*open)();
    if (!model) return model.error();
    auto figure = compare(bench, **model, plan);
    if (!figure) return figure.error();
    figures.push_back(std::move(*figure));
  }
  return figures;
}

Result<std::vector<Figure>> decode(Bench& bench) {
  return on_both_models(bench, {.name = "decode",
                                .tokens = bench.smoke() ? 8 : 128,
                                .ours = &Model::decode,
                                .generates = true});
}

Result<std::vector<Figure>> prefill(Bench& bench) {
  return on_both_models(bench, {.name = "prefill",
                                .tokens = bench.smoke() ? 48 : 512,
                                .ours = &Model::prefill,
                                .generates = false});
}

const Registration decode_registration("decode", "tokens generated a second", decode);
const Registration prefill_registration("prefill", "prompt tokens processed a second", prefill);

}  // namespace
}  // namespace tinyarms::bench
