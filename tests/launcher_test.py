"""The launcher: where it finds things, when it sets up, and what it leaves to the program."""

import os
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
COMMIT = "0123456789abcdef0123456789abcdef01234567"
OTHER = "f" * 40

PROGRAM = """#!/bin/sh
echo "program: $*"
pwd
cat
exit 7
"""
# Stands in for setup/install: says so, and leaves behind what the real one would.
INSTALL = """#!/bin/sh
echo noise
cat >&2
root=$(cd "$(dirname "$0")/.." && pwd)
. "$root/setup/state.sh"
mkdir -p "$root/build/release/src/cli" "$data"
cp "$root/program" "$binary"
echo "$commit" >"$root/build/ready"
touch "$data/default-models"
exit "${INSTALL_EXIT:-0}"
"""


class Launcher(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.top = Path(folder.name).resolve()
        self.root = self.top / "clone"
        self.environment = {"PATH": os.environ["PATH"], "HOME": str(self.top / "home")}
        (self.root / "setup").mkdir(parents=True)
        for name in ("tinyarms", "setup/state.sh"):
            shutil.copy(ROOT / name, self.root / name)
        self.write("setup/install", INSTALL)
        self.write("program", PROGRAM)
        self.write(".git/HEAD", "ref: refs/heads/main\n")
        self.write(".git/refs/heads/main", f"{COMMIT}\n")

    def write(self, name, text):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o755)

    def run_launcher(self, *arguments, at=None, command=None, stdin=""):
        return subprocess.run([command or str(self.root / "tinyarms"), *arguments], input=stdin,
                              cwd=at or self.top, env=self.environment, text=True,
                              capture_output=True, timeout=30)

    def assert_ran(self, run, arguments, set_up):
        self.assertEqual(run.returncode, 7, run.stderr)
        self.assertEqual(run.stdout.splitlines()[0], f"program: {arguments}")
        self.assertEqual("noise" in run.stderr, set_up, run.stderr)

    def test_first_run_sets_up_and_the_second_does_not(self):
        first = self.run_launcher("ask", "two words", stdin="input\n")
        self.assert_ran(first, "ask two words", set_up=True)
        self.assertEqual(first.stdout.splitlines()[1:], [str(self.top), "input"])
        self.assertNotIn("input", first.stderr)  # the set-up does not eat the program's input
        self.assert_ran(self.run_launcher("ask"), "ask", set_up=False)

    def test_a_new_commit_sets_up_again(self):
        self.run_launcher("ask")
        self.write(".git/refs/heads/main", f"{OTHER}\n")
        self.assert_ran(self.run_launcher("ask"), "ask", set_up=True)
        self.assert_ran(self.run_launcher("ask"), "ask", set_up=False)

    def test_packed_refs_a_detached_head_and_a_worktree_are_read(self):
        self.run_launcher("ask")
        (self.root / ".git/refs/heads/main").unlink()
        self.write(".git/packed-refs", f"# pack-refs with: peeled\n{OTHER} refs/heads/a\n"
                                       f"{COMMIT} refs/heads/main\n")
        self.assert_ran(self.run_launcher("ask"), "ask", set_up=False)
        self.write(".git/HEAD", f"{COMMIT}\n")
        self.assert_ran(self.run_launcher("ask"), "ask", set_up=False)
        (self.root / ".git").rename(self.top / "main.git")
        tree = self.top / "main.git/worktrees/clone"
        tree.mkdir(parents=True)
        (tree / "HEAD").write_text("ref: refs/heads/main\n")
        (tree / "commondir").write_text("../..\n")
        (self.root / ".git").write_text(f"gitdir: {tree}\n")
        self.assert_ran(self.run_launcher("ask"), "ask", set_up=False)

    def test_a_tree_without_git_is_set_up_once(self):
        shutil.rmtree(self.root / ".git")
        self.assert_ran(self.run_launcher("ask"), "ask", set_up=True)
        self.assert_ran(self.run_launcher("ask"), "ask", set_up=False)

    def test_missing_program_or_models_set_up_again(self):
        self.run_launcher("ask")
        (self.root / "build/release/src/cli/tinyarms").unlink()
        self.assert_ran(self.run_launcher("ask"), "ask", set_up=True)
        self.environment["XDG_DATA_HOME"] = str(self.top / "elsewhere")
        self.assert_ran(self.run_launcher("ask"), "ask", set_up=True)
        self.assertTrue((self.top / "elsewhere/tinyarms/default-models").exists())
        self.environment["XDG_DATA_HOME"] = "relative"  # ignored, as the specification asks
        self.assert_ran(self.run_launcher("ask"), "ask", set_up=False)

    def test_a_failed_set_up_stops_with_its_exit_code(self):
        self.environment["INSTALL_EXIT"] = "130"
        run = self.run_launcher("ask")
        self.assertEqual((run.returncode, run.stdout), (130, ""))

    def test_symlinks_other_folders_and_the_path_find_the_root(self):
        self.run_launcher("ask")
        link = self.top / "bin/tinyarms"
        link.parent.mkdir()
        link.symlink_to("../clone/tinyarms")
        self.assert_ran(self.run_launcher("a", command=str(link), at="/"), "a", set_up=False)
        self.assert_ran(self.run_launcher("a", command="./tinyarms", at=self.root), "a",
                        set_up=False)
        self.environment["PATH"] += f":{link.parent}"
        run = subprocess.run("exec tinyarms a", shell=True, env=self.environment, text=True,
                             cwd="/", stdin=subprocess.DEVNULL, capture_output=True)
        self.assert_ran(run, "a", set_up=False)

    def test_the_fast_path_starts_no_other_process(self):
        self.run_launcher("ask")
        self.write("build/release/src/cli/tinyarms", "#!/bin/sh\necho $$\n")
        with subprocess.Popen([self.root / "tinyarms"], env={**self.environment, "PATH": ""},
                              text=True, stdout=subprocess.PIPE) as process:
            # With an empty PATH nothing but the shell's own commands can run.
            self.assertEqual(process.stdout.read(), f"{process.pid}\n")
        self.assertEqual(process.returncode, 0)


if __name__ == "__main__":
    unittest.main()
