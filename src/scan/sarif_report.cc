// SARIF 2.1.0 (OASIS, 27 March 2020). Columns count code points, lines and columns from one.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "scan/reporter.h"
#include "scan/yaml_json.h"

namespace tinyarms::scan {
namespace {

using Json = nlohmann::ordered_json;

constexpr size_t kSnippetBytesMax = 4 << 10;

std::string_view level_of(rules::Severity severity) {
  switch (severity) {
    case rules::Severity::Error: return "error";
    case rules::Severity::Warning: return "warning";
    case rules::Severity::Info:
    case rules::Severity::Hint: return "note";
    case rules::Severity::Off: return "none";
  }
  return "none";
}

// RFC 3986: what is not unreserved is written in hexadecimal; slashes stay.
std::string uri_of(std::string_view path) {
  std::string uri = path.substr(0, 1) == "/" ? "file://" : "";
  for (const char c : path) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '.' || c == '_' || c == '~' || c == '/';
    if (plain) {
      uri += c;
    } else {
      uri += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return uri;
}

Json region(const FileView& file, rules::ByteRange bytes) {
  const rules::CharPosition start = file.index.position(bytes.start);
  const rules::CharPosition end = file.index.position(bytes.end);
  return {{"startLine", start.line + 1},     {"startColumn", start.column + 1},
          {"endLine", end.line + 1},         {"endColumn", end.column + 1},
          {"byteOffset", bytes.start},       {"byteLength", bytes.end - bytes.start}};
}

class SarifReporter : public Reporter {
 public:
  SarifReporter(const ReportOptions& options, const Severities& severities)
      : options_(options), severities_(severities) {}

  std::string begin() const override {
    Json descriptions = Json::array();
    for (const rules::RuleInfo& rule : severities_.rules()) descriptions.push_back(describe(rule));
    const Json driver = {{"name", "tinyarms"},
                         {"version", options_.version},
                         {"rules", std::move(descriptions)}};
    return fmt::format(
        "{{\"$schema\":\"https://json.schemastore.org/sarif-2.1.0.json\",\"version\":\"2.1.0\","
        "\"runs\":[{{\"tool\":{{\"driver\":{}}},\"columnKind\":\"unicodeCodePoints\","
        "\"results\":[",
        text_of(driver));
  }
  std::string separator() const override { return ",\n"; }
  std::string end() const override { return "]}]}\n"; }

  std::string render(const FileView& file) const override {
    std::string text;
    for (const rules::Finding& finding : file.findings) {
      if (!text.empty()) text += separator();
      text += text_of(result(file, finding));
    }
    return text;
  }

 private:
  static std::string text_of(const Json& json) {
    return json.dump(-1, ' ', false, Json::error_handler_t::replace);
  }

  Json describe(const rules::RuleInfo& rule) const {
    Json json = {{"id", rule.id},
                 {"defaultConfiguration", {{"level", level_of(severities_.of(rule))}}}};
    if (!rule.message.empty()) json["shortDescription"] = {{"text", rule.message}};
    if (!rule.note.empty()) json["help"] = {{"text", rule.note}};
    if (!rule.url.empty()) json["helpUri"] = rule.url;
    if (rule.metadata.kind == rules::YamlNode::Kind::Map) {
      json["properties"] = yaml_to_json(rule.metadata);
      json["properties"].erase("tags");  // SARIF means a list of unique strings by it
    }
    return json;
  }

  Json result(const FileView& file, const rules::Finding& finding) const {
    const Json artifact = {{"uri", uri_of(file.path)}};
    Json place = region(file, finding.range);
    const std::string_view text = file.index.text();
    size_t length = std::min<size_t>(finding.range.end - finding.range.start, kSnippetBytesMax);
    while (length > 0 && finding.range.start + length < text.size() &&
           (static_cast<unsigned char>(text[finding.range.start + length]) & 0xC0) == 0x80) {
      --length;
    }
    place["snippet"] = {{"text", text.substr(finding.range.start, length)}};
    Json json = {
        {"ruleId", finding.rule->id},
        {"ruleIndex", finding.rule - severities_.rules().data()},
        {"level", level_of(severities_.of(*finding.rule))},
        {"message", {{"text", finding.message.empty() ? finding.rule->id : finding.message}}},
        {"locations",
         {{{"physicalLocation", {{"artifactLocation", artifact}, {"region", place}}}}}}};
    Json fixes = Json::array();
    for (const rules::Fix& fix : finding.fixes) {
      Json replacement = {{"deletedRegion", region(file, fix.range)},
                          {"insertedContent", {{"text", fix.replacement}}}};
      const std::string title = fix.title.empty() ? "Apply the rule's fix" : fix.title;
      fixes.push_back({{"description", {{"text", title}}},
                       {"artifactChanges",
                        {{{"artifactLocation", artifact},
                          {"replacements", Json::array({std::move(replacement)})}}}}});
    }
    if (!fixes.empty()) json["fixes"] = std::move(fixes);
    return json;
  }

  ReportOptions options_;
  Severities severities_;
};

}  // namespace

std::unique_ptr<Reporter> make_sarif_reporter(const ReportOptions& options,
                                              const Severities& severities) {
  return std::make_unique<SarifReporter>(options, severities);
}

}  // namespace tinyarms::scan
