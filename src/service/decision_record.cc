#include "service/decision_record.h"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <random>

#include "base/sha256.h"

namespace tinyarms::service {
namespace {

using Json = nlohmann::ordered_json;
namespace signal = cascade::signal;

bool may_be_kept(const std::string& name) {
  return name == signal::kIntent || name == signal::kCodeLanguage || name == signal::kRule ||
         name == signal::kCachedLevel || name == signal::kCacheEntry || name == signal::kRoute;
}

std::string evidence_text(const cascade::Evidence& evidence, bool keep_all) {
  Json object = Json::object();
  for (const auto& [name, value] : evidence.items()) {
    if (const double* number = std::get_if<double>(&value)) {
      if (std::isfinite(*number)) object[name] = *number;
    } else if (const bool* flag = std::get_if<bool>(&value)) {
      object[name] = *flag;
    } else if (keep_all || may_be_kept(name)) {
      object[name] = std::get<std::string>(value);
    }
  }
  return object.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

storage::LoggedDecision decision_record(const cascade::Request& request,
                                        const cascade::Reply& reply,
                                        const CalibratedEstimator& estimator,
                                        const RecordContext& context) {
  const std::string& question = request.question();
  storage::LoggedDecision record{.id = context.id,
                                 .at = context.at,
                                 .question_sha = sha256_hex(question),
                                 .question_bytes = static_cast<int64_t>(question.size()),
                                 .question = context.keep_prompt ? question : std::string(),
                                 .group = cascade::group_of(request.group, reply.trace),
                                 .policy = context.policy,
                                 .winner = reply.winner ? static_cast<int>(*reply.winner) : -1,
                                 .sure = reply.sure,
                                 .request = request.provenance.id};
  for (const cascade::Step& step : reply.trace) {
    const cascade::Origin& origin = step.attempt.origin;
    storage::LoggedStep& logged = record.steps.emplace_back();
    logged.level = level_name(step.level);
    logged.verdict = decision_name(step.decision);
    logged.answered = step.attempt.answered;
    logged.source = step.attempt.source;
    logged.model = origin.model;
    logged.quantization = origin.quantization;
    logged.engine = origin.engine;
    logged.sampler = origin.sampler;
    logged.confidence = step.confidence;
    logged.calibrated = step.calibrated;
    if (step.certified) logged.certificate = estimator.covering(step.level, step.attempt);
    logged.threshold = step.threshold;
    logged.propensity = step.propensity;
    logged.seconds = step.seconds;
    logged.tokens = step.attempt.cost.completion_tokens;
    logged.evidence = evidence_text(step.attempt.evidence, context.keep_prompt);
  }
  return record;
}

cascade::Attempt attempt_of(const storage::LoggedStep& step) {
  cascade::Attempt attempt;
  attempt.answered = step.answered;
  attempt.source = step.source;
  attempt.origin = {step.model, step.quantization, step.engine, step.sampler};
  if (!step.answered) attempt.reason = "had no answer";
  attempt.cost.completion_tokens = step.tokens;
  const Json evidence = Json::parse(step.evidence, nullptr, false);
  if (!evidence.is_object()) return attempt;
  for (const auto& [name, value] : evidence.items()) {
    if (value.is_boolean()) {
      attempt.evidence.set(name, value.get<bool>());
    } else if (value.is_number()) {
      attempt.evidence.set(name, value.get<double>());
    } else if (value.is_string()) {
      attempt.evidence.set(name, value.get<std::string>());
    }
  }
  if (attempt.evidence.flag(signal::kStoppedEarly).value_or(false)) {
    attempt.finish = cascade::Finish::Abandoned;
    attempt.reason = "stopped early";
  }
  return attempt;
}

std::string new_decision_id() {
  std::random_device chance;
  const uint64_t value = (static_cast<uint64_t>(chance()) << 32) | chance();
  return fmt::format("{:012x}", value & 0xFFFFFFFFFFFFULL);
}

}  // namespace tinyarms::service
