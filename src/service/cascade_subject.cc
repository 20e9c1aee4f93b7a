#include "service/cascade_subject.h"

#include <fmt/format.h>

#include <map>
#include <utility>

#include "base/sha256.h"
#include "catalog/model_store.h"
#include "engine/engine_info.h"
#include "service/assistant.h"
#include "service/model_places.h"

namespace tinyarms::service {
namespace {

struct ModelIdentity {
  std::string sha256;
  std::string quantization;
};

class CascadeSubject final : public eval::Subject {
 public:
  CascadeSubject(const CascadeSubjectOptions& options, LoadedConfig config)
      : name_("cascade " + options.config_file.stem().string()),
        settings_(std::move(config.settings)),
        store_(options.paths.models_dir),
        assistant_(settings_, {.paths = options.paths,
                               .clock = options.clock,
                               .physical_bytes = physical_memory()}) {
    for (const ConfigEntry& entry : config.entries) {
      configuration_ += fmt::format("{} = {}\n", entry.setting->key, entry.value);
    }
  }

  std::string name() const override { return name_; }

  std::string fingerprint() const override {
    std::string models;
    std::vector<std::string> names = {settings_.l1.model};
    for (const NamedModel& one : named_models(settings_)) names.push_back(one.model);
    for (const std::string& name : names) {
      const ModelIdentity identity = identify(name);
      if (!identity.sha256.empty()) models += fmt::format("{} {}; ", name, identity.sha256);
    }
    const engine::EngineInfo info = engine::engine_info();
    return fmt::format("configuration {}, models {}ggml {} {} [{}], answer cache off",
                       sha256_hex(configuration_), models, info.ggml_version, info.ggml_commit,
                       info.features);
  }

  Result<eval::Response> answer(const eval::Item& item, const eval::Sampling& sampling,
                                const StopFlag& stop) override {
    cascade::Request request = make_request(settings_);
    request.messages = item.messages;
    request.sampling = {.temperature = sampling.temperature,
                        .seed = sampling.seed,
                        .tokens_max = item.tokens_max,
                        .stop = item.stop};
    cascade::Listener quiet;
    const cascade::Reply reply = assistant_.ask(request, stop, quiet);
    if (reply.interrupted || stop.raised()) {
      return Error{ErrorCode::Interrupted, "stopped", "", ""};
    }
    if (!reply.winner) return no_answer(reply.trace);
    eval::Response response;
    for (size_t i = 0; i < reply.trace.size(); ++i) {
      const cascade::Step& step = reply.trace[i];
      add_others(step, response);
      if (i != *reply.winner && step.attempt.answered) {
        response.tiers.push_back(response_of(step));
      }
    }
    response.tiers.push_back(response_of(*reply.step()));
    return response;
  }

 private:
  static Error no_answer(const cascade::Trace& trace) {
    std::string reasons;
    for (const cascade::Step& step : trace) {
      if (step.decision == cascade::Decision::Skip) continue;
      reasons += fmt::format("{}{}: {}", reasons.empty() ? "" : "; ",
                             cascade::level_name(step.level), step.reason);
    }
    return Error{ErrorCode::Unavailable, "no tier answered: " + reasons, "", ""};
  }

  ModelIdentity identify(const std::string& name) const {
    const auto known = identities_.find(name);
    if (known != identities_.end()) return known->second;
    ModelIdentity identity;
    if (!name.empty()) {
      if (auto model = store_.find(name)) {
        auto hash = store_.sha256_of(*model);
        identity = {hash ? *hash : std::string(), model->quantization};
      }
    }
    identities_[name] = identity;
    return identity;
  }

  // Of an ensemble both models' answers are outcomes: what each is worth can be learned from them
  // without the bias of the choice.
  void add_others(const cascade::Step& step, eval::Response& response) const {
    for (const cascade::Attempt& other : step.attempt.others) {
      eval::TierResponse tier = response_of_attempt(step.level, other);
      tier.tier += ".other";
      tier.seconds = other.cost.prefill_seconds + other.cost.decode_seconds;
      response.tiers.push_back(std::move(tier));
    }
  }

  eval::TierResponse response_of(const cascade::Step& step) const {
    eval::TierResponse tier = response_of_attempt(step.level, step.attempt);
    if (step.confidence) tier.evidence.set("confidence", *step.confidence);
    tier.seconds = step.seconds - step.attempt.cost.load_seconds;
    return tier;
  }

  eval::TierResponse response_of_attempt(cascade::Level level,
                                         const cascade::Attempt& attempt) const {
    eval::TierResponse tier;
    tier.tier = cascade::level_name(level);
    if (level == cascade::Level::L2 || level == cascade::Level::L3) {
      const ModelIdentity identity = identify(attempt.source);
      tier.model_sha = identity.sha256;
      tier.quantization = identity.quantization;
    }
    tier.answer = attempt.answer;
    tier.evidence = attempt.evidence;
    tier.prompt_tokens = attempt.cost.prompt_tokens;
    tier.completion_tokens = attempt.cost.completion_tokens;
    return tier;
  }

  std::string name_;
  Settings settings_;
  std::string configuration_;
  catalog::ModelStore store_;
  mutable std::map<std::string, ModelIdentity> identities_;
  Assistant assistant_;
};

}  // namespace

Result<std::unique_ptr<eval::Subject>> open_cascade_subject(const CascadeSubjectOptions& options) {
  ConfigSources sources = options.sources;
  sources.environment = [](const std::string&) { return std::nullopt; };
  sources.environment_names.clear();
  sources.user_file = options.config_file;
  sources.user_file_must_exist = true;
  sources.working_dir.clear();
  sources.overrides.push_back({"l1.cache", "false", "bench"});
  auto config = load_config(sources);
  if (!config) return config.error();
  if (auto sound = check(config->settings); !sound) return sound.error();
  return Result<std::unique_ptr<eval::Subject>>(
      std::make_unique<CascadeSubject>(options, std::move(*config)));
}

}  // namespace tinyarms::service
