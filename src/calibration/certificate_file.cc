// Certificates as JSON.
#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "calibration/certificate.h"

namespace tinyarms::calibration {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kCertificateFormat = "tinyarms-certificate";
constexpr int kCertificateVersion = 1;
constexpr size_t kCertificateBytesMax = size_t{4} << 20;

Json certified_json(const Certified& certified) {
  return {{"threshold", certified.threshold},
          {"records", certified.records},
          {"kept", certified.kept},
          {"wrong", certified.wrong},
          {"bound", certified.bound}};
}

bool read_number(const Json& json, const char* name, double& value) {
  if (!json.is_object() || !json.contains(name) || !json[name].is_number()) return false;
  value = json[name].get<double>();
  return std::isfinite(value);
}

bool read_count(const Json& json, const char* name, size_t& value) {
  if (!json.is_object() || !json.contains(name) || !json[name].is_number_unsigned()) return false;
  value = json[name].get<size_t>();
  return value <= (size_t{1} << 40);
}

bool read_text(const Json& json, const char* name, std::string& value) {
  if (!json.contains(name) || !json[name].is_string()) return false;
  value = json[name].get<std::string>();
  return true;
}

// A statement whose own figures do not bear it out was edited: its bound must be the one that its
// counts give, and stay below α.
bool read_certified(const Json& json, double alpha, Certified& certified) {
  const bool there = read_number(json, "threshold", certified.threshold) &&
                     read_count(json, "records", certified.records) &&
                     read_count(json, "kept", certified.kept) &&
                     read_count(json, "wrong", certified.wrong) &&
                     read_number(json, "bound", certified.bound);
  if (!there || certified.kept > certified.records || certified.wrong > certified.kept) {
    return false;
  }
  const double rate = certified.kept == 0 ? 1
                                          : static_cast<double>(certified.wrong) /
                                                static_cast<double>(certified.kept);
  return rate <= certified.bound && certified.bound <= alpha * (1 + 1e-9);
}

}  // namespace

std::string certificate_json(const Certificate& certificate) {
  Json groups = Json::object();
  for (const auto& [name, certified] : certificate.groups) groups[name] = certified_json(certified);
  const Json json = {
      {"format", kCertificateFormat},
      {"version", kCertificateVersion},
      {"tier", certificate.tier},
      {"score", certificate.score},
      {"alpha", certificate.target.alpha},
      {"delta", certificate.target.delta},
      {"hashes", certificate.hashes},
      {"pooled", certificate.pooled ? certified_json(*certificate.pooled) : Json(nullptr)},
      {"groups", groups}};
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

Result<Certificate> parse_certificate(std::string_view text, const std::string& where) {
  const auto refuse = [&](ErrorCode code, std::string what) {
    return Error{code, std::move(what), where, "certify again: tinyarms certify issue"};
  };
  if (text.size() > kCertificateBytesMax) return refuse(ErrorCode::Corrupt, "is larger than 4 MiB");
  const Json json = Json::parse(text, nullptr, false);
  std::string format;
  if (!json.is_object() || !read_text(json, "format", format) || format != kCertificateFormat) {
    return refuse(ErrorCode::Corrupt, "is not a certificate");
  }
  double version = 0;
  if (!read_number(json, "version", version) || version != kCertificateVersion) {
    return refuse(ErrorCode::Unsupported, fmt::format("is not of version {}", kCertificateVersion));
  }
  Certificate certificate;
  if (!read_text(json, "tier", certificate.tier) || !read_text(json, "score", certificate.score) ||
      !read_number(json, "alpha", certificate.target.alpha) ||
      !read_number(json, "delta", certificate.target.delta) || !check_target(certificate.target)) {
    return refuse(ErrorCode::Corrupt, "`tier`, `score`, `alpha` or `delta` is missing or wrong");
  }
  if (!json.contains("hashes") || !json["hashes"].is_object()) {
    return refuse(ErrorCode::Corrupt, "`hashes` is missing");
  }
  for (const auto& [name, hash] : json["hashes"].items()) {
    if (!hash.is_string()) return refuse(ErrorCode::Corrupt, "`hashes` holds more than texts");
    certificate.hashes[name] = hash.get<std::string>();
  }
  Certified certified;
  if (json.contains("pooled") && !json["pooled"].is_null()) {
    if (!read_certified(json["pooled"], certificate.target.alpha, certified)) {
      return refuse(ErrorCode::Corrupt, "the pooled statement does not follow from its counts");
    }
    certificate.pooled = certified;
  }
  if (!json.contains("groups") || !json["groups"].is_object()) {
    return refuse(ErrorCode::Corrupt, "`groups` is missing");
  }
  for (const auto& [name, group] : json["groups"].items()) {
    if (!read_certified(group, certificate.target.alpha, certified)) {
      return refuse(ErrorCode::Corrupt,
                    fmt::format("the statement on group `{:.60}` does not follow from its counts",
                                name));
    }
    certificate.groups[name] = certified;
  }
  return certificate;
}

}  // namespace tinyarms::calibration
