// What a rule was last seen to report, kept beside its tests in ast-grep's form: per invalid case
// the labels of the first finding and, where the rule has a fix, the case after it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "rules/finding.h"

namespace tinyarms::scan {

struct SnapshotLabel {
  std::string source;
  std::string message;
  bool primary = true;
  uint32_t start = 0;  // bytes
  uint32_t end = 0;
  bool operator==(const SnapshotLabel&) const = default;
};

struct Snapshot {
  std::optional<std::string> fixed;
  std::vector<SnapshotLabel> labels;
  bool operator==(const Snapshot&) const = default;
};

// Of one rule, by the code of the case.
struct SnapshotFile {
  std::string id;
  std::map<std::string, Snapshot> snapshots;
};

Snapshot take_snapshot(std::string_view code, const rules::Finding& first);

// Errors: Config ("file:line:column: …").
Result<SnapshotFile> parse_snapshots(const std::string& name, std::string_view bytes);

// YAML that parse_snapshots() and ast-grep read back.
std::string snapshot_yaml(const SnapshotFile& file);
// One snapshot, as it stands in the file; for showing what differs.
std::string snapshot_yaml(const Snapshot& snapshot, std::string_view indent);

}  // namespace tinyarms::scan
