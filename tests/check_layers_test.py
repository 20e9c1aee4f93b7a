"""The checker of layers finds what is planted, and nothing else."""

import tempfile
import unittest
from pathlib import Path

from check_layers import check, includes

LAW = """
[rooms]
base:
engine: base
cli: base engine
[owners]
fmt/: *
llama.h: engine
"""


class CheckLayers(unittest.TestCase):
    def faults(self, files, law=LAW):
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder)
            (root / "layers.txt").write_text(law)
            clean = {"base/error.h": "#include <string>\n", "engine/e.h": "", "cli/main.cc": ""}
            for name, text in {**clean, **files}.items():
                path = root / "src" / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
            return list(check(root))

    def test_a_clean_tree_has_no_faults(self):
        self.assertEqual(self.faults({
            "engine/engine.cc": '#include "engine/e.h"\n#include <llama.h>\n'
                                '#include "base/error.h"\n#include <fmt/format.h>\n'
                                '#include <sys/stat.h>\n#include <vector>\n',
            "engine/engine_test.cc": "#include <gtest/gtest.h>\n"}), [])

    def test_an_include_upwards_is_found_with_its_line(self):
        self.assertEqual(self.faults({"base/bad.cc": '\n#include "engine/e.h"\n'}),
                         ["src/base/bad.cc:2: includes engine/e.h: base may not include engine"])

    def test_an_outside_header_is_seen_by_its_owner_only(self):
        found = self.faults({"cli/bad.cc": '#  include "llama.h"\n'})
        self.assertEqual(len(found), 1)
        self.assertIn("cli does not own it; its owners: engine", found[0])

    def test_an_outside_header_without_owner_is_found(self):
        for header in ("curl/curl.h", "sys/socket.h", "netdb.h"):
            found = self.faults({"base/bad.cc": f"#include <{header}>\n"})
            self.assertEqual(len(found), 1, header)
            self.assertIn("[owners]", found[0])

    def test_test_headers_are_for_tests(self):
        found = self.faults({"base/bad.cc": "#include <gtest/gtest.h>\n"})
        self.assertEqual(len(found), 1)

    def test_an_unknown_folder_a_stray_file_and_a_missing_room_are_found(self):
        found = self.faults({"utils/u.h": "", "stray.cc": ""}, LAW.replace("cli:", "gone:\ncli:"))
        self.assertEqual(sorted(found), ["layers.txt: the room gone has no folder under src/",
                                         "src/stray.cc: not a room of layers.txt",
                                         "src/utils: not a room of layers.txt"])

    def test_a_cycle_cannot_be_written(self):
        found = self.faults({}, LAW.replace("base:\n", "base: engine\n"))
        self.assertEqual(len(found), 1)
        self.assertIn("no room listed above it", found[0])

    def test_an_include_of_a_missing_file_or_a_macro_is_found(self):
        found = self.faults({"base/bad.cc": '#include "base/gone.h"\n#include HEADER\n'})
        self.assertEqual(len(found), 2)

    def test_literals_and_comments_hide_includes_but_not_what_follows(self):
        text = ('/*\n#include "cli/a.h"\n*/\n// #include "cli/b.h"\n'
                'auto s = R"x(\n#include "cli/c.h"\n)" )x";\nint n = 1\'000; char c = \'"\';\n'
                '#include "cli/d.h"\n')
        self.assertEqual([path for _, path in includes(text)], ["cli/d.h"])


if __name__ == "__main__":
    unittest.main()
