#include "scan/snapshot.h"

#include <fmt/format.h>

#include <charconv>
#include <nlohmann/json.hpp>

#include "rules/yaml_document.h"

namespace tinyarms::scan {
namespace {

using rules::YamlNode;

// YAML takes JSON's strings; a key beyond this length must be announced by a question mark.
constexpr size_t kPlainKeyBytesMax = 1000;

std::string yaml_string(std::string_view text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

Error snapshot_error(const std::string& name, const YamlNode& node, std::string_view what) {
  return Error{ErrorCode::Config, std::string(what), rules::yaml_position(name, node),
               "write the snapshots anew: tinyarms rules test --update-all"};
}

Result<uint32_t> read_number(const std::string& name, const YamlNode& owner,
                             std::string_view key) {
  const YamlNode* node = owner.find(key);
  uint32_t value = 0;
  if (node != nullptr && node->kind == YamlNode::Kind::Scalar) {
    const char* const end = node->scalar.data() + node->scalar.size();
    const auto [stop, problem] = std::from_chars(node->scalar.data(), end, value);
    if (problem == std::errc() && stop == end) return value;
  }
  return snapshot_error(name, owner, fmt::format("a label needs the number '{}'", key));
}

std::string read_text(const YamlNode& owner, std::string_view key) {
  const YamlNode* node = owner.find(key);
  return node == nullptr ? std::string() : node->scalar;
}

Result<SnapshotLabel> read_label(const std::string& name, const YamlNode& node) {
  auto start = read_number(name, node, "start");
  if (!start) return start.error();
  auto end = read_number(name, node, "end");
  if (!end) return end.error();
  return SnapshotLabel{.source = read_text(node, "source"),
                       .message = read_text(node, "message"),
                       .primary = read_text(node, "style") != "secondary",
                       .start = *start,
                       .end = *end};
}

}  // namespace

Snapshot take_snapshot(std::string_view code, const rules::Finding& first) {
  Snapshot snapshot;
  if (!first.fixes.empty()) {
    const rules::Fix& fix = first.fixes.front();
    std::string fixed(code.substr(0, fix.range.start));
    fixed += fix.replacement;
    fixed += code.substr(fix.range.end);
    snapshot.fixed = std::move(fixed);
  }
  for (const rules::Label& label : first.labels) {
    const rules::ByteRange range = label.range;
    snapshot.labels.push_back({.source = std::string(code.substr(range.start,
                                                                 range.end - range.start)),
                               .message = label.message,
                               .primary = label.primary,
                               .start = range.start,
                               .end = range.end});
  }
  return snapshot;
}

Result<SnapshotFile> parse_snapshots(const std::string& name, std::string_view bytes) {
  const rules::YamlFile yaml = rules::read_yaml(name, bytes);
  if (!yaml.errors.empty()) return yaml.errors.front();
  SnapshotFile file;
  if (yaml.documents.empty()) return file;
  const YamlNode& document = yaml.documents.front();
  file.id = read_text(document, "id");
  const YamlNode* snapshots = document.find("snapshots");
  if (file.id.empty() || snapshots == nullptr) {
    return snapshot_error(name, document, "a snapshot file is a map with id and snapshots");
  }
  for (const rules::YamlEntry& entry : snapshots->entries) {
    Snapshot snapshot;
    if (const YamlNode* fixed = entry.value.find("fixed")) snapshot.fixed = fixed->scalar;
    const YamlNode* labels = entry.value.find("labels");
    for (size_t i = 0; labels != nullptr && i < labels->items.size(); ++i) {
      auto label = read_label(name, labels->items[i]);
      if (!label) return label.error();
      snapshot.labels.push_back(std::move(*label));
    }
    file.snapshots[entry.key.scalar] = std::move(snapshot);
  }
  return file;
}

std::string snapshot_yaml(const Snapshot& snapshot, std::string_view indent) {
  std::string text;
  if (snapshot.fixed) text += fmt::format("{}fixed: {}\n", indent, yaml_string(*snapshot.fixed));
  text += fmt::format("{}labels:{}\n", indent, snapshot.labels.empty() ? " []" : "");
  for (const SnapshotLabel& label : snapshot.labels) {
    text += fmt::format("{}- source: {}\n", indent, yaml_string(label.source));
    if (!label.message.empty()) {
      text += fmt::format("{}  message: {}\n", indent, yaml_string(label.message));
    }
    text += fmt::format("{0}  style: {1}\n{0}  start: {2}\n{0}  end: {3}\n", indent,
                        label.primary ? "primary" : "secondary", label.start, label.end);
  }
  return text;
}

std::string snapshot_yaml(const SnapshotFile& file) {
  std::string text = fmt::format("id: {}\nsnapshots:{}\n", yaml_string(file.id),
                                 file.snapshots.empty() ? " {}" : "");
  for (const auto& [code, snapshot] : file.snapshots) {
    const std::string key = yaml_string(code);
    if (key.size() <= kPlainKeyBytesMax) {
      text += fmt::format("  {}:\n{}", key, snapshot_yaml(snapshot, "    "));
      continue;
    }
    std::string value = snapshot_yaml(snapshot, "    ");
    value[2] = ':';  // "  : fixed: …" or "  : labels:"
    text += fmt::format("  ? {}\n{}", key, value);
  }
  return text;
}

}  // namespace tinyarms::scan
