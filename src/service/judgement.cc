#include "service/judgement.h"

#include <fmt/format.h>

#include <random>

#include "base/file.h"
#include "base/sha256.h"
#include "service/decision_record.h"
#include "service/policy_file.h"
#include "service/promise_watch.h"
#include "service/shadow_check.h"

namespace tinyarms::service {
namespace {

constexpr size_t kPolicyBytesMax = 1 << 20;

double system_chance() {
  thread_local std::mt19937_64 engine(std::random_device{}());
  return std::uniform_real_distribution<double>()(engine);
}

}  // namespace

std::filesystem::path decision_log_path(const Paths& paths) {
  return paths.data_dir / "decisions.sqlite";
}

cascade::PolicyTerms complete_terms(cascade::PolicyTerms read, const Settings& settings) {
  for (const auto& [level, threshold] : default_thresholds()) {
    std::optional<double>& own = read.tiers[level].threshold;
    if (!own) own = threshold;
  }
  if (settings.policy.explore > 0) read.explore = settings.policy.explore;
  return read;
}

Judgement::Judgement(const Settings& settings, const Paths& paths, const Clock& clock,
                     std::vector<std::string>& notices)
    : clock_(clock),
      keep_prompts_(settings.log.prompts),
      shadow_share_(settings.shadow.share),
      chance_(system_chance),
      estimator_(CalibratedEstimator::load(settings.calibration.files,
                                           settings.calibration.allow_foreign, notices)) {
  cascade::PolicyTerms terms = load_terms(settings, notices);
  if (watch(decision_log_path(paths), notices)) terms.safe_mode = true;
  policy_ = std::make_unique<cascade::DeclaredPolicy>(estimator_, std::move(terms), chance_);
  if (settings.log.decisions) {
    constexpr double kSecondsADay = 24 * 3600;
    writer_ = std::make_unique<storage::DecisionLogWriter>(
        decision_log_path(paths), clock,
        storage::DecisionLogOptions{.decisions_max = settings.log.keep_rows,
                                    .seconds_max = settings.log.keep_days * kSecondsADay});
  }
}

// A file that cannot be read was refused by check(); should it have changed since, nothing
// generated is kept by terms that nobody wrote.
cascade::PolicyTerms Judgement::load_terms(const Settings& settings,
                                           std::vector<std::string>& notices) {
  cascade::PolicyTerms terms;
  if (!settings.policy.file.empty()) {
    auto text = read_file(settings.policy.file, kPolicyBytesMax);
    if (text) policy_hash_ = sha256_hex(*text);
    auto read = read_policy_file(settings.policy.file);
    if (read) {
      terms = std::move(*read);
    } else {
      terms.safe_mode = true;
      notices.push_back(fmt::format("policy left out, the safe setting holds: {}",
                                    read.error().message()));
    }
  }
  return complete_terms(std::move(terms), settings);
}

// Whether a promise was broken. Without a log nothing was told of any answer.
bool Judgement::watch(const std::filesystem::path& log, std::vector<std::string>& notices) {
  std::error_code problem;
  if (estimator_.certificates().empty() || !std::filesystem::exists(log, problem)) return false;
  const auto unwatched = [&](const Error& error) {
    notices.push_back(fmt::format("certificates are not watched: {}", error.message()));
    for (CalibratedEstimator::LoadedCertificate& one : estimator_.certificates()) {
      one.revoked = "the log of outcomes cannot be read";
    }
    return false;
  };
  auto opened = storage::DecisionLog::open_existing(log, clock_);
  if (!opened) return unwatched(opened.error());
  auto watched = watch_promises(estimator_, **opened);
  if (!watched) return unwatched(watched.error());
  const std::vector<std::string> broken = revoke_broken(estimator_, *watched);
  notices.insert(notices.end(), broken.begin(), broken.end());
  return !broken.empty();
}

std::string Judgement::record(const cascade::Request& request, const cascade::Reply& reply) {
  if (!writer_) return {};
  const RecordContext context{.id = new_decision_id(),
                              .at = clock_.wall_seconds(),
                              .policy = policy_hash_,
                              .keep_prompt = keep_prompts_};
  storage::LoggedDecision decision = decision_record(request, reply, estimator_, context);
  // Chance alone chooses: a sample that looked at the answer would say nothing about the rest.
  if (shadow_share_ > 0 && chance_() < shadow_share_) {
    decision.shadow = shadow_record(request, reply);
  }
  if (!writer_->add(std::move(decision))) return {};
  return context.id;
}

}  // namespace tinyarms::service
