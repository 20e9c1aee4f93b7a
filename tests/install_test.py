"""setup/install and setup/doctor before anything is there: with a PATH of scripted commands."""

import os
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
REAL = ("sh awk basename cat cut date df dirname env flock grep ln mkdir mv printf readlink rm sed "
        "sha256sum tail tr uname").split()

# A machine without any of the packages; apt-get notes how it was called, and fails.
COMMANDS = {
    "dpkg-query": "exit 1",
    "dpkg": "exit 0",
    "id": 'echo "$FAKE_UID"',
    "apt-get": 'echo "$*" >>"$FAKE_NOTES"; [ "$FAKE_APT" = ok ] || { echo oh dear; exit 100; }',
}


class Install(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.top = Path(folder.name)
        self.root, self.bin, self.notes = self.top / "clone", self.top / "bin", self.top / "notes"
        self.root.mkdir()
        shutil.copytree(ROOT / "setup", self.root / "setup")
        shutil.copy(ROOT / "requirements.txt", self.root)
        self.bin.mkdir()
        for name in REAL:
            os.symlink(shutil.which(name), self.bin / name)
        for name, text in COMMANDS.items():
            self.command(name, text)
        self.environment = {"PATH": str(self.bin), "HOME": str(self.top / "home"),
                            "FAKE_UID": "1000", "FAKE_NOTES": str(self.notes), "FAKE_APT": ""}

    def command(self, name, text):
        (self.bin / name).write_text(f"#!/bin/sh\n{text}\n")
        (self.bin / name).chmod(0o755)

    def run_script(self, script, *arguments):
        run = subprocess.run([self.root / "setup" / script, *arguments], env=self.environment,
                             stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30)
        return run

    def assert_stops(self, run, *parts):
        self.assertEqual(run.returncode, 1, run.stderr)
        self.assertEqual(run.stdout, "")
        for part in parts:
            self.assertIn(part, run.stderr)

    def test_a_user_without_sudo_gets_the_exact_line(self):
        run = self.run_script("install")
        self.assert_stops(run, "apt-get install --no-install-recommends g++ cmake ninja-build",
                          "libre2-dev", "MB of pinned sources", "MB of disk in all")
        self.assertNotIn("libgtest-dev", run.stderr)
        self.assertFalse(self.notes.exists())
        self.assertIn("libgtest-dev", self.run_script("install", "--tests").stderr)

    def test_root_installs_and_a_failure_is_shown_with_its_end(self):
        self.environment["FAKE_UID"] = "0"
        self.assert_stops(self.run_script("install"), "oh dear",
                          "apt-get update && apt-get install")
        self.assertIn("update", self.notes.read_text())
        self.assertNotIn("install", self.notes.read_text())

    def test_sudo_is_used_where_it_asks_for_nothing(self):
        self.command("sudo", '[ "$1" = -n ] && exit 0; echo sudo >>"$FAKE_NOTES"; exec "$@"')
        self.environment["FAKE_APT"] = "ok"
        self.command("c++", "exit 0")
        # The scripted apt-get installs no Python, so the set-up stops right after it.
        (self.root / "setup/lib.sh").write_text(
            (self.root / "setup/lib.sh").read_text() + "\nfind_python() { return 1; }\n")
        self.assert_stops(self.run_script("install"), "Debian packages: installed", "python3-pip")
        notes = self.notes.read_text().splitlines()
        self.assertEqual([note == "sudo" for note in notes], [True, True, False, True, False])
        self.assertIn("--no-install-recommends g++ cmake", notes[-1])

    def test_a_full_disk_is_noticed_before_anything_is_fetched(self):
        (self.bin / "df").unlink()
        self.command("df", 'echo head; echo "fs 10 9 1 90% /"')
        self.assert_stops(self.run_script("install"), "has 1 MB free", "XDG_CACHE_HOME")

    def test_an_unwritable_cache_and_a_missing_home_are_told(self):
        (self.top / "home").write_text("a file")
        self.assert_stops(self.run_script("install"), "cannot write", "XDG_CACHE_HOME")
        del self.environment["HOME"]
        self.assert_stops(self.run_script("install"), "HOME is not set")

    def test_an_unknown_option_is_refused(self):
        self.assert_stops(self.run_script("install", "--pears"), "--pears", "--peers")

    def test_the_doctor_names_each_missing_part_and_how_to_mend_it(self):
        run = self.run_script("doctor", "doctor")
        self.assertEqual(run.returncode, 1, run.stderr)
        for part in ("packages", "sources", "build", "models"):
            self.assertRegex(run.stdout, rf"MISSING  {part} [^\n]*\n *mend it: ")
        self.assertRegex(run.stdout, r"ok       cache ")

    def test_the_doctor_leaves_standard_output_to_the_program(self):
        program = self.root / "build/release/src/cli/tinyarms"
        program.parent.mkdir(parents=True)
        program.write_text('#!/bin/sh\necho "{$*}"\n')
        program.chmod(0o755)
        run = self.run_script("doctor", "doctor", "--json")
        self.assertEqual((run.returncode, run.stdout), (1, "{doctor --json}\n"))
        self.assertIn("MISSING", run.stderr)


if __name__ == "__main__":
    unittest.main()
