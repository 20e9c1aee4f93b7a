#include "advice/recommend.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "advice/size_prior.h"
#include "service/settings.h"

namespace tinyarms::advice {
namespace {

constexpr double kBitsMin = 4;  // below, too much is lost (docs/quantisation.md)
constexpr uint32_t kContexts[] = {4096, 8192, 16384, 32768};
constexpr size_t kRowsMax = 12;

std::string gigabytes(uint64_t bytes) {
  return fmt::format("{:.1f} GB", static_cast<double>(bytes) / 1e9);
}

bool suits(const CatalogueModel& model, Role task) {
  switch (task) {
    case Role::Code: return model.has_role(Role::Code) || model.has_role(Role::General);
    case Role::Maths:
      return model.has_role(Role::Maths) || model.has_role(Role::General) ||
             model.has_role(Role::Code);
    case Role::General: return model.has_role(Role::General);
    case Role::Embedding:
    case Role::Reranker:
    case Role::Tools:
    case Role::Multilingual: break;
  }
  return false;
}

// Builds the problem and remembers why a model is not part of it.
class Recommender {
 public:
  Recommender(const Catalogue& catalogue, const RecommendQuestion& question,
              const OwnFigures& own, std::string benchmark)
      : catalogue_(catalogue),
        question_(question),
        own_(own),
        bytes_rate_(measured_bytes_rate(catalogue, own)),
        benchmark_(std::move(benchmark)),
        prior_(SizePrior::fit(catalogue, benchmark_)) {
    problem_.free_bytes = free_for_models(question.ram_bytes);
    problem_.l2_seconds_max = question.l2_seconds_max;
    problem_.l3_seconds_max = question.l3_seconds_max;
  }

  Result<Recommendation> run() {
    for (const CatalogueModel& model : catalogue_.models) add(model);
    // Everything that may serve at l2 may serve at l3: limits of time tell them apart.
    problem_.l3 = problem_.l2;
    const auto best = choose(problem_);
    if (!best) return nothing_fits();
    Recommendation result;
    result.assignment = *best;
    result.free_bytes = problem_.free_bytes;
    result.bytes_rate = bytes_rate_;
    result.picks = picks_of(*best);
    explain(*best, result.picks);
    add_remote(result.picks);
    for (const Assignment& one : pareto_front(problem_, best->l1)) {
      if (result.pareto.size() >= kRowsMax) break;
      result.pareto.push_back({picks_of(one), one});
    }
    reject_the_rest(*best, result.picks);
    result.rejected = std::move(rejected_);
    return result;
  }

 private:
  void reject(const CatalogueModel& model, std::string reason) {
    rejected_.push_back({model.name, std::move(reason)});
  }

  bool may_be_used(const CatalogueModel& model) const {
    return !question_.commercial || model.licence.commercial == Commercial::Yes;
  }

  void add(const CatalogueModel& model) {
    const bool encoder = model.has_role(Role::Embedding);
    if (model.remote) {
      if (question_.offline) reject(model, "is remote, and nothing may leave the machine");
      return;
    }
    if (!encoder && !suits(model, question_.task)) return;
    if (!may_be_used(model)) {
      const std::string name = model.licence.name.empty() ? "unknown" : model.licence.name;
      return reject(model, model.licence.commercial == Commercial::No
                               ? fmt::format("its licence, {}, forbids commercial use", name)
                               : fmt::format("whether its licence, {}, allows commercial use is "
                                             "not known", name));
    }
    if (!model.speaks(question_.languages)) {
      return reject(model, "does not list all of the languages that are asked for");
    }
    if (encoder) add_encoder(model);
    else add_generator(model);
  }

  void add_encoder(const CatalogueModel& model) {
    const Score* score = model.score("MTEB");
    if (score == nullptr) return reject(model, "has no MTEB score in the catalogue");
    if (model.files.empty()) return reject(model, "has no file that is known");
    for (const ModelFile& file : model.files) {
      const auto facts = facts_of(model, file);
      // Without a shape: the file alone, which is most of it.
      const uint64_t bytes = facts ? plan_model(*facts, {}).total() : file.bytes;
      problem_.l1.push_back({model.name, file.quantisation, bytes, score->value});
    }
  }

  void add_generator(const CatalogueModel& model) {
    if (model.chat_template.empty()) {
      return reject(model, "has no chat template that is known: it completes, it does not answer");
    }
    if (!model.shape) return reject(model, "its shape is not known, so its memory is not either");
    const auto prior = prior_of(model);
    if (!prior && !was_asked(model)) {
      return reject(model, fmt::format("has no {} score, and {}", benchmark_,
                                       prior_ ? "no size to guess one from"
                                              : "too few others have for a prior"));
    }
    if (model.context_tokens < question_.context_min) {
      return reject(model, fmt::format("was trained for {} tokens, {} are asked for",
                                       model.context_tokens, question_.context_min));
    }
    uint64_t least = std::numeric_limits<uint64_t>::max();
    double fastest = std::numeric_limits<double>::max();
    std::string smallest;
    size_t added = 0;
    for (const ModelFile& file : model.files) {
      if (bits_per_weight(file.quantisation) < kBitsMin) continue;
      const OwnOutcomes* asked = own_.outcome(model.name, file.quantisation);
      if (!prior && asked == nullptr) continue;
      const double accuracy = asked != nullptr ? shrunk_accuracy(prior, *asked) : *prior;
      for (const uint32_t context : contexts(model)) {
        const GeneratorOption option = option_of(model, file, context, accuracy);
        if (option.bytes < least) smallest = file.quantisation;
        least = std::min(least, option.bytes);
        fastest = std::min(fastest, option.seconds);
        if (option.bytes > problem_.free_bytes) continue;
        problem_.l2.push_back(option);
        ++added;
      }
    }
    if (added > 0) return;
    if (smallest.empty()) {
      return reject(model, prior ? "is not listed at four bits a weight or more"
                                 : "has no score at four bits a weight or more");
    }
    smallest_ = std::min(smallest_, least);
    reject(model, fmt::format("{} needs {}, {} are free", smallest, gigabytes(least),
                              gigabytes(problem_.free_bytes)));
  }

  std::vector<uint32_t> contexts(const CatalogueModel& model) const {
    std::vector<uint32_t> found = {question_.context_min};
    for (const uint32_t context : kContexts) {
      if (context > question_.context_min && context <= model.context_tokens) {
        found.push_back(context);
      }
    }
    return found;
  }

  // The share that it is expected to get right before it was asked here.
  std::optional<double> prior_of(const CatalogueModel& model) const {
    if (const Score* score = model.score(benchmark_)) return score->value / 100;
    if (prior_ && model.parameters > 0) return prior_->score(model.parameters) / 100;
    return std::nullopt;
  }

  bool was_asked(const CatalogueModel& model) const {
    return std::any_of(model.files.begin(), model.files.end(), [&](const ModelFile& file) {
      return own_.outcome(model.name, file.quantisation) != nullptr;
    });
  }

  GeneratorOption option_of(const CatalogueModel& model, const ModelFile& file, uint32_t context,
                            double accuracy) const {
    const auto facts = facts_of(model, file);
    const OwnSpeed* speed = own_.speed(model.name, file.quantisation);
    const double bytes_rate = bytes_rate_.value_or(kBytesPerSecond);
    return {.model = model.name,
            .quantisation = file.quantisation,
            .context_tokens = context,
            .bytes = plan_model(*facts, {.context_tokens = context}).total(),
            .accuracy = accuracy,
            .seconds = speed != nullptr
                           ? kPromptTokens / speed->prompt_tokens_rate +
                                 kAnswerTokens / speed->answer_tokens_rate
                           : (kAnswerTokens + kPromptTokens / 10) * active_bytes(model, file) /
                                 bytes_rate,
            .load_seconds = speed != nullptr
                                ? speed->load_seconds
                                : static_cast<double>(file.bytes) / kLoadBytesPerSecond};
  }

  Error nothing_fits() const {
    std::string what = fmt::format("no model fits: {} are free", gigabytes(problem_.free_bytes));
    // A model that fits alone is only ever left out for its time.
    if (!problem_.l2.empty() && problem_.l2_seconds_max) {
      what = fmt::format("no model answers within {:g} s at l2", *problem_.l2_seconds_max);
    } else if (smallest_ != std::numeric_limits<uint64_t>::max()) {
      what += fmt::format(", the smallest that is allowed needs {}", gigabytes(smallest_));
    } else {
      what = "no model is left by licence, languages and context";
    }
    return Error{ErrorCode::OverBudget, what, "", "loosen a limit, or add memory"};
  }

  std::string basis_of(const std::string& model, std::string_view benchmark) const {
    const auto entry = catalogue_.find(model);
    const Score* score = entry ? (*entry)->score(benchmark) : nullptr;
    if (score == nullptr) return "prior: size";
    return score->approximate ? "prior: published, about" : "prior: published";
  }

  Pick pick_of(const char* tier, const GeneratorOption& option) const {
    const OwnOutcomes* asked = own_.outcome(option.model, option.quantisation);
    return {.tier = tier,
            .model = option.model,
            .quantisation = option.quantisation,
            .context_tokens = option.context_tokens,
            .bytes = option.bytes,
            .seconds = option.seconds,
            .seconds_measured = own_.speed(option.model, option.quantisation) != nullptr,
            .score = option.accuracy * 100,
            .benchmark = benchmark_,
            .items = asked != nullptr ? asked->items : 0,
            .basis = asked != nullptr ? fmt::format("measured (n = {})", asked->items)
                                      : basis_of(option.model, benchmark_)};
  }

  std::vector<Pick> picks_of(const Assignment& assignment) const {
    std::vector<Pick> picks;
    if (assignment.l1) {
      const EncoderOption& option = problem_.l1[*assignment.l1];
      picks.push_back({.tier = "l1",
                       .model = option.model,
                       .quantisation = option.quantisation,
                       .bytes = option.bytes,
                       .score = option.score,
                       .benchmark = "MTEB",
                       .basis = basis_of(option.model, "MTEB")});
    }
    picks.push_back(pick_of("l2", problem_.l2[assignment.l2]));
    if (assignment.l3) picks.push_back(pick_of("l3", problem_.l3[*assignment.l3]));
    return picks;
  }

  void explain(const Assignment& best, std::vector<Pick>& picks) const {
    const GeneratorOption& small = problem_.l2[best.l2];
    for (Pick& pick : picks) {
      if (pick.tier == "l1") {
        pick.reason = fmt::format("the best MTEB that leaves room for the rest ({}), in {}",
                                  pick.basis, gigabytes(pick.bytes));
      } else if (pick.tier == "l2") {
        pick.reason = fmt::format("{:.1f} {} ({}), {} of {} that are free, {} {:.1f} s an "
                                  "answer",
                                  pick.score, benchmark_, pick.basis, gigabytes(pick.bytes),
                                  gigabytes(problem_.free_bytes),
                                  pick.seconds_measured ? "measured" : "about", pick.seconds);
      } else {
        pick.reason = fmt::format(
            "lifts the cascade from {:.1f} % to {:.1f} % ({}); {}", small.accuracy * 100,
            best.accuracy * 100, pick.basis,
            best.resident ? "in memory together with l2"
                          : fmt::format("takes turns with l2, {:.0f} s to load",
                                        problem_.l3[*best.l3].load_seconds));
      }
    }
  }

  // By price: the catalogue has no score of theirs.
  void add_remote(std::vector<Pick>& picks) const {
    if (question_.offline) return;
    const CatalogueModel* cheapest = nullptr;
    const auto cost = [](const CatalogueModel& model) {
      return kPromptTokens * model.price->input + kAnswerTokens * model.price->output;
    };
    for (const CatalogueModel& model : catalogue_.models) {
      if (!model.remote || !model.price || !model.has_role(question_.task) ||
          !model.speaks(question_.languages) || !may_be_used(model)) {
        continue;
      }
      if (cheapest == nullptr || cost(model) < cost(*cheapest)) cheapest = &model;
    }
    if (cheapest == nullptr) return;
    picks.push_back({.tier = "l4",
                     .model = cheapest->name,
                     .basis = "prior: price",
                     .reason = fmt::format("the cheapest remote class for it: {:g} $ in, {:g} $ "
                                           "out, a million tokens; no score in the catalogue, so "
                                           "not counted",
                                           cheapest->price->input, cheapest->price->output)});
  }

  // The best accuracy that a stack with this model could have.
  double best_with(const std::string& model) const {
    double best = -1;
    ChoiceProblem only = problem_;
    std::erase_if(only.l2, [&](const GeneratorOption& o) { return o.model != model; });
    if (const auto found = choose(only)) best = found->accuracy;
    only.l2 = problem_.l2;
    only.l3.clear();
    for (const GeneratorOption& option : problem_.l3) {
      if (option.model == model) only.l3.push_back(option);
    }
    for (const Assignment& one : sensible_assignments(only)) {
      if (one.l3) best = std::max(best, one.accuracy);
    }
    return best;
  }

  void reject_the_rest(const Assignment& best, const std::vector<Pick>& picks) {
    std::vector<std::string> seen;
    for (const Pick& pick : picks) seen.push_back(pick.model);
    const auto is_new = [&](const std::string& model) {
      if (std::find(seen.begin(), seen.end(), model) != seen.end()) return false;
      seen.push_back(model);
      return true;
    };
    for (const EncoderOption& option : problem_.l1) {
      if (!is_new(option.model)) continue;
      const bool better = option.score > best.l1_score;
      rejected_.push_back(
          {option.model,
           better ? fmt::format("{} needs {}, which the language models leave no room for",
                                option.quantisation, gigabytes(option.bytes))
                  : fmt::format("{:g} MTEB, l1 has {:g}", option.score, best.l1_score)});
    }
    for (const GeneratorOption& option : problem_.l2) {
      if (!is_new(option.model)) continue;
      const double with = best_with(option.model);
      if (with < 0) {
        rejected_.push_back({option.model,
                             fmt::format("{} takes about {:.1f} s an answer, and {:.1f} s to load "
                                         "where it takes turns: over the limit",
                                         option.quantisation, option.seconds,
                                         option.load_seconds)});
      } else {
        rejected_.push_back(
            {option.model, fmt::format("the best stack with it is expected to get {:.1f} % right, "
                                       "this one {:.1f} %",
                                       with * 100, best.accuracy * 100)});
      }
    }
    std::sort(rejected_.begin(), rejected_.end(),
              [](const Rejection& a, const Rejection& b) { return a.model < b.model; });
  }

  const Catalogue& catalogue_;
  const RecommendQuestion& question_;
  const OwnFigures& own_;
  std::optional<double> bytes_rate_;
  std::string benchmark_;
  std::optional<SizePrior> prior_;
  ChoiceProblem problem_;
  std::vector<Rejection> rejected_;
  uint64_t smallest_ = std::numeric_limits<uint64_t>::max();
};

}  // namespace

uint64_t free_for_models(uint64_t ram_bytes) {
  return static_cast<uint64_t>(service::kAutoMemoryShare * static_cast<double>(ram_bytes));
}

std::optional<std::string> benchmark_of(Role task) {
  switch (task) {
    case Role::Code: return "HumanEval";
    case Role::General: return "MMLU";
    case Role::Maths: return "MATH";
    case Role::Embedding:
    case Role::Reranker:
    case Role::Tools:
    case Role::Multilingual: break;
  }
  return std::nullopt;
}

Result<Recommendation> recommend(const Catalogue& catalogue, const RecommendQuestion& question,
                                 const OwnFigures& own) {
  const auto benchmark = benchmark_of(question.task);
  if (!benchmark) {
    return Error{ErrorCode::InvalidArgument,
                 fmt::format("{} is no task with a benchmark", role_name(question.task)), "--task",
                 "the tasks are code, general and maths"};
  }
  return Recommender(catalogue, question, own, *benchmark).run();
}

}  // namespace tinyarms::advice
