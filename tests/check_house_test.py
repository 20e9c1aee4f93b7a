"""The checker of the house rules finds what is planted, and nothing else."""

import subprocess
import tempfile
import unittest
from pathlib import Path

from check_house import check

PIN = "some-package==1.0 --hash=sha256:" + "0" * 64 + "\n"


class CheckHouse(unittest.TestCase):
    def faults(self, files, executable=()):
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder)
            subprocess.run(["git", "init", "-q", folder], check=True)
            for name, data in {"requirements.txt": PIN, **files}.items():
                path = root / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(data if isinstance(data, bytes) else data.encode())
                path.chmod(0o755 if name in executable else 0o644)
            subprocess.run(["git", "-C", folder, "add", "."], check=True)
            return list(check(root))

    def assert_one(self, files, part, executable=()):
        found = self.faults(files, executable)
        self.assertEqual(len(found), 1, found)
        self.assertIn(part, found[0])

    def test_a_clean_tree_has_no_faults(self):
        self.assertEqual(self.faults({
            "a.h": "// What it is for.\n#pragma once\n", "b.cc": "int b = 1;\n",
            "run": "#!/bin/sh\nexit 0\n", "data.bin": b"\0\xff\tx" + b"y" * 200,
            "text.md": "long " * 50 + "\n"}, ["run"]), [])

    def test_long_lines_tabs_and_trailing_spaces_are_found_in_code(self):
        self.assert_one({"a.cc": "// " + "x" * 98 + "\n"}, "a.cc:1: 101 characters")
        self.assert_one({"a.cc": "int a;\n\tint b;\n"}, "a.cc:2: a tab")
        self.assert_one({"CMakeLists.txt": "project(a) \n"}, "CMakeLists.txt:1")

    def test_a_header_without_opening_comment_is_found(self):
        self.assert_one({"a.h": "#pragma once\nint a();\n"}, "opens with what it is for")

    def test_forbidden_words_are_found(self):
        for word in ("TO" "DO", "FIX" "ME", "X" "XX"):
            self.assert_one({"a.cc": f"int a;  // {word}: later\n"}, "note to oneself")
        self.assert_one({"a.cc": "TEST(A, DISABLED" "_Works) {}\n"}, "switched off")
        self.assert_one({"a.cc": "  GTEST_" "SKIP();\n"}, "does not say")
        self.assert_one({"a.md": "see /wo" "rk/main/x\n"}, "path of one machine")
        self.assert_one({"a.md": "https://files.pythonho" "sted.org/x\n"}, "package registry")
        self.assertEqual(self.faults({"a.cc": "int mastodon, network/1, framework/2;\n"}), [])

    def test_a_large_file_is_found(self):
        self.assert_one({"a.bin": b"\0" * ((1 << 20) + 1)}, "1048577 bytes")

    def test_a_broken_or_unstartable_script_is_found(self):
        self.assert_one({"run": "#!/bin/sh\nif true\n"}, "sh -n", ["run"])
        self.assert_one({"run": "#!/bin/sh\nexit 0\n"}, "not executable")
        self.assert_one({"a.py": "def\n"}, "not Python")

    def test_an_unpinned_requirement_is_found(self):
        self.assert_one({"requirements.txt": "some-package==1.0\n"}, "requirements.txt")


if __name__ == "__main__":
    unittest.main()
