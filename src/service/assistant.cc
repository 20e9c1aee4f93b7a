#include "service/assistant.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <optional>

#include "base/file.h"
#include "catalog/model_store.h"
#include "questions/bundled_packs.h"
#include "questions/question_engine.h"
#include "sandbox/bubblewrap_judge.h"
#include "service/cache_pairs.h"
#include "service/counted_models.h"
#include "service/judgement.h"
#include "service/language_tiers.h"
#include "service/library_access.h"
#include "service/model_places.h"
#include "service/model_pool.h"
#include "service/repository_state.h"
#include "service/trace_export.h"
#include "service/user_files.h"
#include "tiers/embedding_tier.h"
#include "tiers/rule_tier.h"

namespace tinyarms::service {
namespace {

constexpr size_t kPackBytesMax = 4 << 20;

tiers::BoundEncoder bound(tiers::ModelRef encoder, const Settings& settings, const Paths& paths) {
  auto least = threshold_in_force(paths, encoder.sha256, settings.l1.similarity);
  return {.model = std::move(encoder), .similarity_min = least};
}

// One whose vectors still serve while those of the configured encoder are made.
auto finder_of_encoders(const Settings& settings, const Paths& paths) {
  return [settings, paths](const std::string& model,
                           const std::string& id) -> std::optional<tiers::BoundEncoder> {
    auto installed = find_maker({.model = model, .model_id = id}, paths);
    if (!installed) return std::nullopt;
    return bound(reference_to(*installed), settings, paths);
  };
}

// What an answer from above L1 depends on, whoever gives it.
std::string stack_identity(const Settings& settings, const catalog::ModelStore& store,
                           const std::vector<tiers::ModelRef>& models) {
  std::string identity;
  for (const tiers::ModelRef& model : models) {
    identity += fmt::format("{} {} {}\n", model.name, model.sha256, model.quantization);
  }
  identity += fmt::format("{} {}\n", settings.l2.context, settings.l3.context);
  for (const NamedModel& one : named_models(settings)) {
    if (one.place.find('.') == std::string::npos) continue;
    const tiers::ModelRef model = resolve_model(store, one.model);
    identity += fmt::format("{} {} {} {}\n", one.place, model.name, model.sha256,
                            model.quantization);
  }
  if (has_ensemble(settings)) {
    identity += fmt::format("{} {}\n", cascade::ensemble_rule_name(settings.l2.ensemble_rule),
                            cascade::ensemble_rule_name(settings.l3.ensemble_rule));
  }
  if (settings.escalation.endorse < 1) {
    identity += fmt::format("endorse {}\n", settings.escalation.endorse);
  }
  identity += fmt::format("{}:{}\n", settings.l2.system_prompt.size(), settings.l2.system_prompt);
  identity += fmt::format("{}:{}\n", settings.l3.system_prompt.size(), settings.l3.system_prompt);
  return identity + fmt::format("{} {}", fmt::join(settings.l4.urls, " "), settings.l4.model);
}

std::filesystem::path current_folder() {
  std::error_code problem;
  return std::filesystem::current_path(problem);
}

tiers::RetrievalOptions retrieval_options(const Settings& settings, const Paths& paths,
                                          const tiers::ModelRef& encoder,
                                          const std::string& own_folder) {
  return {.enabled = settings.l1.index,
          .folder = library_folder(paths),
          .encoder = {.model = encoder.name, .model_id = encoder.sha256},
          .budget_tokens = static_cast<size_t>(settings.l1.index_budget),
          .weights = fusion_weights(settings),
          .working_folder = own_folder};
}

// The project is looked at for each question: a server has clients in many folders, and outlives
// many states of each.
std::function<tiers::Place(const std::string&)> place_of(const std::string& own_folder) {
  return [own_folder](const std::string& folder) -> tiers::Place {
    RepositoryState found = repository_state(folder.empty() ? own_folder : folder);
    return {.project = std::move(found.root), .state = std::move(found.state)};
  };
}

questions::QuestionEngine load_rules(const Settings& settings, std::vector<std::string>& notices) {
  std::vector<std::pair<std::string, std::string>> files;
  for (const std::string& path : settings.l0.packs) {
    auto bytes = read_file(path, kPackBytesMax);
    if (bytes) {
      files.emplace_back(path, std::move(*bytes));
    } else {
      notices.push_back(fmt::format("rule pack left out: {}", bytes.error().message()));
    }
  }
  std::vector<EmbeddedFile> packs = questions::bundled_packs();
  for (const auto& [path, bytes] : files) packs.push_back({path, bytes});
  questions::QuestionEngine engine =
      files.empty() ? questions::QuestionEngine::bundled() : questions::QuestionEngine::load(packs);
  if (files.empty()) return engine;  // our own are read when they are asked, and tested
  for (const Error& problem : engine.problems()) {
    notices.push_back(fmt::format("rule left out: {}", problem.message()));
  }
  return engine;
}

// What an encoder that must not be loaded says.
Error not_at_hand() {
  return Error{ErrorCode::Unavailable, "nothing at hand answers this", "", ""};
}

}  // namespace

// A level that the user switched off still stands in the trace, with the reason.
class DisabledTier final : public cascade::Tier {
 public:
  explicit DisabledTier(cascade::Level level) : level_(level) {}
  cascade::Level level() const override { return level_; }
  std::string describe() const override { return ""; }
  std::optional<std::string> skip_reason(const cascade::Request&,
                                         const cascade::Trace&) const override {
    return fmt::format("switched off ({}.enabled = false)", level_name(level_));
  }
  Result<cascade::Attempt> attempt(const cascade::Request&, const cascade::Trace&, const StopFlag&,
                                   cascade::Listener&) override {
    return cascade::Attempt::abstain("switched off");
  }

 private:
  cascade::Level level_;
};

// Stands for the tiers that a climb at hand does not have, so that the policy judges as if they
// were there.
class TiersAbove final : public cascade::Tier {
 public:
  cascade::Level level() const override { return cascade::Level::L2; }
  std::string describe() const override { return "the tiers above"; }
  std::optional<std::string> skip_reason(const cascade::Request&,
                                         const cascade::Trace&) const override {
    return std::nullopt;
  }
  Result<cascade::Attempt> attempt(const cascade::Request&, const cascade::Trace&, const StopFlag&,
                                   cascade::Listener&) override {
    return cascade::Attempt::abstain("not at hand");
  }
};

// In order of construction: what is used comes before what uses it.
struct Assistant::Parts {
  Scope scope;
  std::string own_folder = current_folder().string();
  std::vector<std::string> notices;
  std::optional<questions::QuestionEngine> rules;
  std::optional<ModelPool> own_models;
  ModelPool& models;
  tiers::AnswerMemory memory;
  std::unique_ptr<sandbox::Judge> judge;  // for signals that run code
  Judgement judgement;
  const Clock& clock;
  const TraceExport* traces;
  tiers::EmbeddingTier* recall = nullptr;  // owned by the cascade
  std::optional<RemotePool> own_remotes;
  std::unique_ptr<cascade::Cascade> cascade;

  Parts(const Settings& settings, const Surroundings& around, Scope wanted)
      : scope(wanted),
        models(around.models != nullptr
                   ? *around.models
                   : own_models.emplace(settings, around.paths, around.clock,
                                        around.physical_bytes, 1, around.on_notice)),
        memory(answer_cache_path(around.paths), answer_cache_options(settings), around.clock),
        judgement(settings, around.paths, around.clock, notices),
        clock(around.clock),
        traces(around.traces) {}

  // Climbs and remembers; nothing of a climb at hand that found no answer.
  cascade::Reply ask(const cascade::Request& request, const StopFlag& stop,
                     cascade::Listener& listener) {
    const double began = clock.wall_seconds();
    const double start = clock.monotonic_seconds();
    cascade::Reply reply = cascade->run(request, stop, listener);
    if (scope == Scope::AtHand && !reply.sure) return reply;
    const double seconds = clock.monotonic_seconds() - start;
    if (recall != nullptr) recall->remember(request, reply);
    reply.id = judgement.record(request, reply);
    if (traces != nullptr) traces->record(request, reply, began, seconds);
    return reply;
  }
};

uint64_t physical_memory() {
  return static_cast<uint64_t>(::sysconf(_SC_PHYS_PAGES)) *
         static_cast<uint64_t>(::sysconf(_SC_PAGE_SIZE));
}

cascade::Request make_request(const Settings& settings) {
  cascade::Request request;
  request.offline = settings.offline;
  request.threshold = settings.confidence_threshold;
  request.level_thresholds = set_thresholds(settings);
  request.route_thresholds = set_route_thresholds(settings);
  request.sampling = {.temperature = settings.sampling.temperature,
                      .seed = settings.sampling.seed,
                      .tokens_max = settings.sampling.max_tokens,
                      .stop = settings.sampling.stop};
  return request;
}

Assistant::Assistant(const Settings& settings, const Surroundings& around, Scope scope)
    : parts_(std::make_unique<Parts>(settings, around, scope)) {
  Parts& parts = *parts_;
  const catalog::ModelStore store(around.paths.models_dir);
  const tiers::ModelRef encoder = resolve_model(store, settings.l1.model);
  const tiers::ModelRef small =
      resolve_model(store, models_of(settings, cascade::Level::L2).front().model);
  const tiers::ModelRef large =
      resolve_model(store, models_of(settings, cascade::Level::L3).front().model);

  const std::string engine = engine_build();

  // Names were checked with the settings; those of a setting that changed since measure nothing.
  auto panel = signals::Panel::of(settings.signals.enabled);
  if ((panel && !panel->empty()) || has_ensemble(settings)) parts.judge = sandbox::make_judge();
  const auto signal_setup = [&](const tiers::ModelRef& next) {
    return tiers::SignalSetup{.panel = panel ? *panel : signals::Panel(),
                              .judge = parts.judge.get(),
                              .clock = &around.clock,
                              .next_model = next};
  };

  std::vector<std::unique_ptr<cascade::Tier>> tiers;
  const auto add = [&](bool enabled, cascade::Level level, auto make) {
    if (enabled) {
      tiers.push_back(make());
    } else {
      tiers.push_back(std::make_unique<DisabledTier>(level));
    }
  };
  add(settings.l0.enabled, cascade::Level::L0, [&] {
    parts.rules = load_rules(settings, parts.notices);
    return std::make_unique<tiers::RuleTier>(*parts.rules, scope == Scope::Whole);
  });
  add(settings.l1.enabled, cascade::Level::L1, [&] {
    std::function<std::optional<tiers::BoundEncoder>(const std::string&, const std::string&)> find;
    if (scope == Scope::Whole) find = finder_of_encoders(settings, around.paths);
    auto tier = std::make_unique<tiers::EmbeddingTier>(
        tiers::EmbeddingTierOptions{
            .encoder = bound(encoder, settings, around.paths),
            .find_encoder = std::move(find),
            .remember_answers = settings.l1.cache,
            .stack = stack_identity(settings, store, {small, large}),
            .intent_head = intent_head_path(around.paths),
            .intent_folder = around.paths.cache_dir,
            .retrieval = retrieval_options(settings, around.paths, encoder, parts.own_folder),
            .place = place_of(parts.own_folder)},
        [threads = settings.threads, shelf = &parts.models.shelf(),
         scope](const tiers::ModelRef& model) -> Result<std::unique_ptr<engine::Embedder>> {
          if (scope == Scope::AtHand) return not_at_hand();
          return load_counted_encoder(model.path, threads, {.shelf = shelf, .use = "l1"});
        },
        parts.memory, around.clock);
    parts.recall = tier.get();
    return tier;
  });
  if (scope == Scope::AtHand) {
    tiers.push_back(std::make_unique<TiersAbove>());
    parts.cascade =
        std::make_unique<cascade::Cascade>(std::move(tiers), parts.judgement.policy(),
                                           around.clock);
    return;
  }
  const auto language_tier = [&](cascade::Level level, const tiers::ModelRef& next) {
    return make_language_tier(level, {.settings = settings,
                                      .store = store,
                                      .models = parts.models,
                                      .estimator = parts.judgement.estimator(),
                                      .judge = parts.judge.get(),
                                      .engine = engine,
                                      .signals = signal_setup(next),
                                      .early_aborts = parts.judgement.early_aborts()});
  };
  add(settings.l2.enabled, cascade::Level::L2,
      [&] { return language_tier(cascade::Level::L2, large); });
  add(settings.l3.enabled, cascade::Level::L3,
      [&] { return language_tier(cascade::Level::L3, {}); });
  // While `offline` holds there is no client at all.
  tiers::RemoteEngine* remote = nullptr;
  if (!settings.offline) {
    RemotePool& remotes = around.remotes != nullptr
                              ? *around.remotes
                              : parts.own_remotes.emplace(settings, around.paths, around.clock,
                                                             around.prices);
    remote = around.remote != nullptr ? around.remote : remotes.engine();
  }
  tiers.push_back(std::make_unique<tiers::RemoteTier>(
      tiers::RemoteTierOptions{.urls = settings.l4.urls, .model = settings.l4.model}, remote));
  parts.cascade = std::make_unique<cascade::Cascade>(std::move(tiers), parts.judgement.policy(),
                                                     around.clock, parts.models.headstarts());
}

Assistant::~Assistant() = default;

cascade::Reply Assistant::ask(const cascade::Request& request, const StopFlag& stop,
                              cascade::Listener& listener) const {
  const bool begins = parts_->traces != nullptr && parts_->traces->on();
  if (!begins || request.provenance.span.valid()) return parts_->ask(request, stop, listener);
  cascade::Request traced = request;
  parts_->traces->begin(traced.provenance);
  return parts_->ask(traced, stop, listener);
}

cascade::Trace Assistant::plan(const cascade::Request& request) const {
  return parts_->cascade->plan(request);
}

const std::vector<std::string>& Assistant::notices() const { return parts_->notices; }

}  // namespace tinyarms::service
