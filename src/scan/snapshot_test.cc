#include "scan/snapshot.h"

#include <gtest/gtest.h>

namespace tinyarms::scan {
namespace {

TEST(Snapshot, ReadsAstGrepsFiles) {
  const auto file = parse_snapshots("s.yml",
                                    "id: no-eval\nsnapshots:\n  eval(a):\n    fixed: safe(a)\n"
                                    "    labels:\n    - source: a\n      message: this one\n"
                                    "      style: secondary\n      start: 5\n      end: 6\n"
                                    "  ? |\n    print(1)\n    print(2)\n"
                                    "  : labels:\n    - source: print(1)\n      style: primary\n"
                                    "      start: 0\n      end: 8\n");
  ASSERT_TRUE(file) << file.error().message();
  EXPECT_EQ(file->id, "no-eval");
  ASSERT_EQ(file->snapshots.size(), 2u);
  const Snapshot& first = file->snapshots.at("eval(a)");
  EXPECT_EQ(first.fixed, "safe(a)");
  EXPECT_EQ(first.labels[0], (SnapshotLabel{"a", "this one", false, 5, 6}));
  EXPECT_EQ(file->snapshots.at("print(1)\nprint(2)\n").fixed, std::nullopt);
}

TEST(Snapshot, WhatIsWrittenIsReadBack) {
  SnapshotFile file{.id = "x", .snapshots = {}};
  for (const std::string& code :
       {std::string("a: b # c"), std::string("\"quoted\\n\""), std::string("line\n\ttab\r\n"),
        std::string("\xC3\xA4 \xF0\x9F\x98\x80"), std::string(3000, 'x'), std::string("null"),
        std::string("- [a, {b}]"), std::string("\x01\x7F")}) {
    file.snapshots[code] = {.fixed = code, .labels = {{code, "", true, 1, 2}}};
    file.snapshots[code + "!"] = {.fixed = std::nullopt, .labels = {}};
  }
  const std::string text = snapshot_yaml(file);
  const auto again = parse_snapshots("s.yml", text);
  ASSERT_TRUE(again) << again.error().message();
  EXPECT_EQ(again->id, "x");
  EXPECT_EQ(again->snapshots, file.snapshots);
  const auto none = parse_snapshots("s.yml", snapshot_yaml(SnapshotFile{"y", {}}));
  ASSERT_TRUE(none);
  EXPECT_TRUE(none->snapshots.empty());
}

TEST(Snapshot, ErrorsNameThePlace) {
  for (const char* text : {"[]", "id: x\n", "id: x\nsnapshots: {a: {labels: [{source: b}]}}\n",
                           "id: x\nsnapshots: {a: {labels: [{start: -1, end: 2}]}}\n", "a: ["}) {
    const auto file = parse_snapshots("s.yml", text);
    ASSERT_FALSE(file) << text;
    EXPECT_NE(file.error().where.find("s.yml:"), std::string::npos) << file.error().message();
  }
}

}  // namespace
}  // namespace tinyarms::scan
