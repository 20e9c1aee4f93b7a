"""What of a README is run, and what is told of it."""

import io
import os
import unittest
from unittest import mock

from check_readme import commands, environment, run

TEXT = """
```sh
not run
```
```sh run
echo one   # a comment

# only a comment
false  # exits 1
echo two \\
  three
cat <<'END'
four
END
```
```sh run
five
```
"""


class CheckReadme(unittest.TestCase):
    def test_commands_of_marked_blocks_are_found_in_order(self):
        self.assertEqual(list(commands(TEXT)), [
            (6, "echo one   # a comment", 0), (9, "false  # exits 1", 1),
            (10, "echo two \\\n  three", 0), (12, "cat <<'END'\nfour\nEND", 0), (17, "five", 0)])

    def test_an_open_block_is_an_error(self):
        with self.assertRaises(ValueError):
            list(commands("```sh run\necho\n"))

    def run_one(self, command, expected):
        with mock.patch("sys.stdout", io.StringIO()):
            return run("README.md", 3, command, expected, dict(os.environ))

    def test_exit_codes_are_compared(self):
        self.assertIsNone(self.run_one("exit 2  # exits 2", 2))
        self.assertEqual(self.run_one("exit 2", 0),
                         "README.md:3: exit code 2, promised is 0")
        self.assertIn("exit code 0", self.run_one("true", 2))

    def test_the_home_is_private_and_the_set_up_cache_shared(self):
        with mock.patch.dict(os.environ, {"XDG_CACHE_HOME": "/c", "TINYARMS_TIER": "l0"}):
            os.environ.pop("SETUP_CACHE", None)
            env = environment("/h")
        self.assertEqual(env["XDG_DATA_HOME"], "/h/data")
        self.assertEqual(env["XDG_CACHE_HOME"], "/h/cache")
        self.assertEqual(env["SETUP_CACHE"], "/c/tinyarms")
        self.assertNotIn("TINYARMS_TIER", env)


if __name__ == "__main__":
    unittest.main()
