#include "service/calibrated_estimator.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/file.h"
#include "base/sha256.h"
#include "engine/engine_info.h"

namespace tinyarms::service {
namespace {

namespace fs = std::filesystem;
using calibration::Certified;

constexpr size_t kServingFileBytesMax = size_t{4} << 20;
constexpr size_t kFilesMax = 1000;
constexpr std::string_view kConfidence = "confidence";  // the score that is P(correct) itself

std::optional<double> signal_value(const cascade::Attempt& attempt, std::string_view name) {
  if (auto number = attempt.evidence.number(name)) return number;
  if (auto flag = attempt.evidence.flag(name)) return *flag ? 1.0 : 0.0;
  return std::nullopt;
}

calibration::ServingIdentity identity_of(const cascade::Origin& origin) {
  return {origin.model, origin.quantization, origin.engine, origin.sampler};
}

// A folder is what `calibrate --out` wrote: its files in the order of their names.
std::vector<fs::path> files_of(const std::string& path) {
  std::error_code problem;
  if (!fs::is_directory(path, problem)) return {path};
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(path, problem)) {
    const std::string name = entry.path().filename().string();
    const bool ours = name.starts_with("calibrator-") ||
                      name.starts_with("certificate-") || name.starts_with("jitter-") ||
                      name.starts_with("early-abort-");
    if (ours && name.ends_with(".json")) files.push_back(entry.path());
    if (files.size() >= kFilesMax) break;
  }
  std::sort(files.begin(), files.end());
  return files;
}

// "-entropy_mean": a score of doubt, turned round.
std::optional<double> score_value(std::string_view score, const cascade::Attempt& attempt,
                                  double confidence) {
  if (score == kConfidence) return confidence;
  const bool turned = score.starts_with('-');
  auto value = signal_value(attempt, turned ? score.substr(1) : score);
  if (value && turned) *value = -*value;
  return value;
}

// How far the score of a certificate may move by the manner of computing alone.
double band_of(std::string_view score, const calibration::JitterFile* jitter,
               const cascade::Confidence& confidence) {
  if (score == kConfidence) return confidence.band;
  if (jitter == nullptr) return 0;
  const auto signal =
      jitter->signals.find(score.starts_with('-') ? score.substr(1) : score);
  return signal == jitter->signals.end() ? 0 : signal->second.q95;
}

// The formula reads an attempt: one with the evidence as it is looked up.
double by_formula(const cascade::FormulaEstimator& formula, cascade::Level level,
                  const cascade::Attempt& attempt, const calibration::EvidenceLookup& evidence) {
  cascade::Attempt moved;
  for (const auto& [name, value] : attempt.evidence.items()) {
    const bool number = std::holds_alternative<double>(value);
    moved.evidence.set(name, number ? cascade::EvidenceValue(*evidence(name)) : value);
  }
  return formula.estimate(level, moved).value;
}

}  // namespace

std::string engine_build() {
  const engine::EngineInfo info = engine::engine_info();
  return fmt::format("ggml {} {} {}", info.ggml_version, info.ggml_commit,
                     sha256_hex(info.features).substr(0, 8));
}

CalibratedEstimator CalibratedEstimator::load(const std::vector<std::string>& paths,
                                              bool allow_foreign,
                                              std::vector<std::string>& notices) {
  CalibratedEstimator estimator;
  estimator.allow_foreign_ = allow_foreign;
  for (const std::string& path : paths) {
    const std::vector<fs::path> files = files_of(path);
    if (files.empty()) notices.push_back(fmt::format("no calibrators in {}", path));
    for (const fs::path& file : files) estimator.load_file(file, notices);
  }
  return estimator;
}

void CalibratedEstimator::load_file(const fs::path& file, std::vector<std::string>& notices) {
  auto text = read_file(file, kServingFileBytesMax);
  if (!text) {
    notices.push_back(fmt::format("calibration left out: {}", text.error().message()));
    return;
  }
  const std::string hash = sha256_hex(*text);
  if (text->find("\"tinyarms-certificate\"") != std::string::npos) {
    auto certificate = calibration::parse_certificate(*text, file.string());
    if (certificate) {
      certificates_.push_back({std::move(*certificate), hash, ""});
    } else {
      notices.push_back(fmt::format("certificate left out: {}", certificate.error().message()));
    }
    return;
  }
  if (text->find("\"tinyarms-jitter\"") != std::string::npos) {
    auto jitter = calibration::parse_jitter(*text, file.string());
    if (jitter) {
      jitters_.push_back(std::move(*jitter));
    } else {
      notices.push_back(fmt::format("jitter left out: {}", jitter.error().message()));
    }
    return;
  }
  if (text->find("\"tinyarms-early-abort\"") != std::string::npos) {
    auto fitted = calibration::parse_early_abort(*text, file.string());
    if (fitted) {
      early_aborts_.push_back(std::move(*fitted));
    } else {
      notices.push_back(fmt::format("early abort left out: {}", fitted.error().message()));
    }
    return;
  }
  auto set = calibration::parse_calibrators(*text, file.string());
  if (set) {
    sets_.push_back({std::move(*set), hash});
  } else {
    notices.push_back(fmt::format("calibrator left out: {}", set.error().message()));
  }
}

CalibratedEstimator::Chosen CalibratedEstimator::choose(cascade::Level level,
                                                        const cascade::Origin& origin) const {
  Chosen chosen;
  const calibration::ServingIdentity serving = identity_of(origin);
  for (const LoadedSet& loaded : sets_) {
    if (loaded.set.tier != level_name(level)) continue;
    auto fits = calibration::check_identity(loaded.set.identity, serving);
    if (fits) return {.set = &loaded, .foreign = false, .refusal = ""};
    if (allow_foreign_ && chosen.set == nullptr) {
      chosen.set = &loaded;
      chosen.foreign = true;
    }
    if (chosen.refusal.empty()) chosen.refusal = fits.error().what;
  }
  if (chosen.set == nullptr && chosen.refusal.empty()) {
    chosen.refusal = fmt::format("there is no calibrator for {}", level_name(level));
  }
  return chosen;
}

// The numerics are the model's, the engine's and the machine's; how tokens are drawn is no matter.
const calibration::JitterFile* CalibratedEstimator::jitter_of(
    const cascade::Attempt& attempt) const {
  calibration::ServingIdentity serving = identity_of(attempt.origin);
  for (const calibration::JitterFile& jitter : jitters_) {
    serving.sampler = jitter.identity.sampler;
    if (calibration::check_identity(jitter.identity, serving)) return &jitter;
  }
  return nullptr;
}

const CalibratedEstimator::LoadedCertificate* CalibratedEstimator::certify(
    cascade::Level level, const cascade::Attempt& attempt, const Chosen& chosen,
    const cascade::Confidence& confidence, std::string& statement) const {
  for (const LoadedCertificate& loaded : certificates_) {
    const calibration::Certificate& certificate = loaded.certificate;
    if (certificate.tier != level_name(level)) continue;
    std::map<std::string, std::string, std::less<>> serving = {
        {"model", attempt.origin.model},
        {"quantization", attempt.origin.quantization},
        {"engine", attempt.origin.engine},
        {"sampler", attempt.origin.sampler}};
    if (certificate.score == kConfidence) {
      serving["calibrator"] = chosen.set != nullptr ? chosen.set->hash : "none";
    }
    if (!loaded.revoked.empty()) {
      statement = fmt::format("the certificate is void: {}", loaded.revoked);
      continue;
    }
    if (auto valid = calibration::check_certificate(certificate, serving); !valid) {
      statement = valid.error().what;
      continue;
    }
    const Certified* certified = certificate.for_group(attempt.group);
    const auto score = score_value(certificate.score, attempt, confidence.value);
    const double band = band_of(certificate.score, jitter_of(attempt), confidence);
    if (certified == nullptr || !score || !(*score - band >= certified->threshold)) {
      statement = "below what is certified";
      continue;
    }
    statement = fmt::format("certified: such answers are wrong at most {:.3g} %, with confidence "
                            "{:.3g} %",
                            100 * certificate.target.alpha, 100 * (1 - certificate.target.delta));
    return &loaded;
  }
  return nullptr;
}

cascade::Confidence CalibratedEstimator::estimate(cascade::Level level,
                                                  const cascade::Attempt& attempt) const {
  cascade::Confidence confidence = formula_.estimate(level, attempt);
  // What is not generated is not calibrated: rules are exact, memories are as good as they were.
  if (level < cascade::Level::L2 || empty()) return confidence;
  const Chosen chosen = choose(level, attempt.origin);
  const calibration::EvidenceLookup evidence = [&](std::string_view name) {
    return signal_value(attempt, name);
  };
  std::function<double(const calibration::EvidenceLookup&)> value_of =
      [&](const calibration::EvidenceLookup& moved) {
        return by_formula(formula_, level, attempt, moved);
      };
  if (chosen.set != nullptr) {
    const calibration::CalibratorSet& set = chosen.set->set;
    const calibration::Calibrator& calibrator = set.for_group(attempt.group);
    value_of = [&calibrator](const calibration::EvidenceLookup& moved) {
      return calibrator(moved);
    };
    confidence.value = value_of(evidence);
    confidence.calibrated = true;
    confidence.formula = fmt::format(
        "{} over {}, {}", family_name(calibrator.family()), fmt::join(calibrator.signals, ", "),
        set.groups.contains(attempt.group) ? "of group " + attempt.group : "pooled");
    if (chosen.foreign) {
      confidence.formula += fmt::format("; by permission although {}", chosen.refusal);
    }
  } else if (!sets_.empty()) {
    confidence.formula += fmt::format("; {}", chosen.refusal);
  }
  if (const calibration::JitterFile* jitter = jitter_of(attempt)) {
    confidence.band = calibration::guard_band(*jitter, evidence, value_of);
  }
  confidence.certified =
      certify(level, attempt, chosen, confidence, confidence.certificate) != nullptr;
  return confidence;
}

tiers::EarlyAbort CalibratedEstimator::early_abort(cascade::Level level,
                                                   const cascade::Origin& origin,
                                                   double threshold) const {
  tiers::EarlyAbort found;
  const Chosen chosen = choose(level, origin);
  for (const calibration::EarlyAbortFile& fitted : early_aborts_) {
    if (fitted.tier != level_name(level)) continue;
    const auto fits = calibration::check_identity(fitted.identity, identity_of(origin));
    if (!fits) {
      found.explanation = fits.error().what;
    } else if (chosen.set == nullptr || chosen.set->hash != fitted.calibrator) {
      found.explanation = "the calibrator that it was fitted beside is not the one in use";
    } else if (threshold < fitted.kept_from) {
      found.explanation = fmt::format("answers are kept from {:.4g} on here, and it was fitted for "
                                      "{:.4g} or more",
                                      threshold, fitted.kept_from);
    } else {
      return {.test = fitted.fit.test,
              .explanation = calibration::promise_text(fitted.fit.target)};
    }
  }
  return found;
}

std::string CalibratedEstimator::covering(cascade::Level level,
                                          const cascade::Attempt& attempt) const {
  if (level < cascade::Level::L2 || certificates_.empty()) return {};
  std::string statement;
  const Chosen chosen = choose(level, attempt.origin);
  const LoadedCertificate* holds =
      certify(level, attempt, chosen, estimate(level, attempt), statement);
  return holds != nullptr ? holds->hash : std::string();
}

}  // namespace tinyarms::service
