// ast-grep's JSON (its --json=pretty|stream|compact): one object per finding, keys in its order.
#include <nlohmann/json.hpp>

#include "scan/reporter.h"
#include "scan/yaml_json.h"

namespace tinyarms::scan {
namespace {

using Json = nlohmann::ordered_json;
using rules::ByteRange;

// A minified line can be megabytes; around each of thousands of findings in it, that would be
// gigabytes of output. `lines` keeps this much beside the match.
constexpr size_t kContextBytesMax = 16 << 10;

bool is_continuation(char byte) { return (static_cast<unsigned char>(byte) & 0xC0) == 0x80; }

class JsonReporter : public Reporter {
 public:
  JsonReporter(const ReportOptions& options, const Severities& severities)
      : options_(options), severities_(severities) {}

  std::string begin() const override {
    return options_.format == ReportFormat::JsonStream ? "" : "[";
  }
  std::string end() const override {
    switch (options_.format) {
      case ReportFormat::JsonStream: return "";
      case ReportFormat::JsonPretty: return "\n]\n";
      default: return "]\n";
    }
  }
  std::string separator() const override {
    return options_.format == ReportFormat::JsonStream ? "" : ",";
  }

  std::string render(const FileView& file) const override {
    std::string text;
    for (const rules::Finding& finding : file.findings) {
      if (!text.empty()) text += separator();
      if (options_.format == ReportFormat::JsonPretty) text += '\n';
      const int indent = options_.format == ReportFormat::JsonPretty ? 2 : -1;
      text += describe(file, finding)
                  .dump(indent, ' ', false, nlohmann::json::error_handler_t::replace);
      if (options_.format == ReportFormat::JsonStream) text += '\n';
    }
    return text;
  }

 private:
  static Json range(const FileView& file, ByteRange bytes) {
    const auto place = [&](size_t offset) {
      const rules::CharPosition at = file.index.position(offset);
      return Json{{"line", at.line}, {"column", at.column}};
    };
    return {{"byteOffset", {{"start", bytes.start}, {"end", bytes.end}}},
            {"start", place(bytes.start)},
            {"end", place(bytes.end)}};
  }

  static Json node(const FileView& file, ByteRange bytes) {
    return {{"text", file.index.text().substr(bytes.start, bytes.end - bytes.start)},
            {"range", range(file, bytes)}};
  }

  static Json captures(const FileView& file, const rules::Finding& finding) {
    Json single = Json::object();
    Json multi = Json::object();
    Json transformed = Json::object();
    for (const rules::Capture& capture : finding.captures) {
      switch (capture.kind) {
        case rules::Capture::Kind::Single:
          if (!capture.ranges.empty()) single[capture.name] = node(file, capture.ranges.front());
          break;
        case rules::Capture::Kind::Multiple: {
          Json list = Json::array();
          for (const ByteRange bytes : capture.ranges) list.push_back(node(file, bytes));
          multi[capture.name] = std::move(list);
          break;
        }
        case rules::Capture::Kind::Transformed: transformed[capture.name] = capture.text; break;
      }
    }
    return {{"single", single}, {"multi", multi}, {"transformed", transformed}};
  }

  static void add_lines(const FileView& file, const rules::Finding& finding, Json& json) {
    const rules::TextIndex& index = file.index;
    size_t first = index.line_start(index.line_of(finding.range.start));
    size_t last = index.line_end(index.line_of(finding.range.end));
    if (finding.range.start - first > kContextBytesMax) {
      first = finding.range.start - kContextBytesMax;
      while (is_continuation(index.text()[first])) ++first;
    }
    if (last - finding.range.end > kContextBytesMax) {
      last = finding.range.end + kContextBytesMax;
      while (last < index.text().size() && is_continuation(index.text()[last])) --last;
    }
    json["lines"] = index.text().substr(first, last - first);
    json["charCount"] = {{"leading", index.characters(first, finding.range.start)},
                         {"trailing", index.characters(finding.range.end, last)}};
  }

  Json describe(const FileView& file, const rules::Finding& finding) const {
    Json json = node(file, finding.range);
    json["file"] = file.path;
    add_lines(file, finding, json);
    if (!finding.fixes.empty()) {
      const rules::Fix& fix = finding.fixes.front();
      json["replacement"] = fix.replacement;
      json["replacementOffsets"] = {{"start", fix.range.start}, {"end", fix.range.end}};
    }
    json["language"] = file.language.title;
    json["metaVariables"] = captures(file, finding);
    if (options_.ad_hoc) return json;
    json["ruleId"] = finding.rule->id;
    json["severity"] = rules::severity_name(severities_.of(*finding.rule));
    json["note"] = finding.rule->note.empty() ? Json(nullptr) : Json(finding.rule->note);
    json["message"] = finding.message;
    Json labels = Json::array();
    for (const rules::Label& label : finding.labels) {
      Json entry = node(file, label.range);
      if (!label.message.empty()) entry["message"] = label.message;
      entry["style"] = label.primary ? "primary" : "secondary";
      labels.push_back(std::move(entry));
    }
    json["labels"] = std::move(labels);
    if (options_.metadata && finding.rule->metadata.kind != rules::YamlNode::Kind::Null) {
      json["metadata"] = yaml_to_json(finding.rule->metadata);
    }
    return json;
  }

  ReportOptions options_;
  Severities severities_;
};

}  // namespace

std::unique_ptr<Reporter> make_json_reporter(const ReportOptions& options,
                                             const Severities& severities) {
  return std::make_unique<JsonReporter>(options, severities);
}

}  // namespace tinyarms::scan
