#!/usr/bin/env python3
"""A model on trial and its migration, from outside, with real weights: `models trial`, what it
keeps, `models migrate`, and the way back.

usage: check_trial.py BINARY MODELS_DIR

Skips loudly without the default models.
"""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

BINARY, MODELS = "", pathlib.Path()
SMALL, WEAK = "smollm2-135m-instruct.q4_1", "weak"
CONFIG = """# mine
[l2]            # the small one
model = "weak"
context = 1024

[calibration]
files = ["~/own.json"]
"""


class Trial(unittest.TestCase):
    def setUp(self):
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="tinyarms-trial-"))
        self.addCleanup(shutil.rmtree, self.home, ignore_errors=True)
        self.config = self.home / ".config/tinyarms/config.toml"
        self.config.parent.mkdir(parents=True)
        self.config.write_text(CONFIG)
        self.trials = self.home / ".local/share/tinyarms/trials"
        self.run_cli("models", "import", str(MODELS / f"{SMALL}.gguf"))
        self.run_cli("quantize", SMALL, "--to", "q2_k", "--name", WEAK)
        self.run_cli("models", "measure", "--seconds", "1")

    def environment(self, **more):
        kept = {name: os.environ[name] for name in ("PATH", "ASAN_OPTIONS", "TSAN_OPTIONS")
                if name in os.environ}
        return {**kept, "HOME": str(self.home), "TINYARMS_THREADS": "1", **more}

    def run_cli(self, *arguments, exits=0, **more):
        done = subprocess.run([BINARY, *arguments], capture_output=True, cwd=self.home, text=True,
                              stdin=subprocess.DEVNULL, check=False, timeout=600,
                              env=self.environment(**more))
        self.assertEqual(done.returncode, exits, (done.stdout[-2000:], done.stderr[-2000:]))
        return done

    def json(self, *arguments, **more):
        return json.loads(self.run_cli(*arguments, "--json", **more).stdout)

    def trial(self, *arguments, **more):
        return self.json("models", "trial", SMALL, "--against", "l2", "--limit", "6", *arguments,
                         **more)

    def migrate(self, *arguments, **more):
        return self.json("models", "migrate", *arguments, "--for", "l2", **more)

    def records(self, model):
        return (self.folder() / f"bench.records/{model}.jsonl").read_text()

    def folder(self):
        folder, = self.trials.iterdir()
        return folder

    def longer_run(self):
        """As if many more questions had been asked: the new model writes 120 answers, and wins."""
        template = json.loads(self.records(SMALL).splitlines()[-1])
        with open(self.folder() / f"bench.records/{SMALL}.jsonl", "a", encoding="utf-8") as file:
            for i in range(120):
                right = i % 2 == 0
                evidence = {"p_mean": (0.6 if right else 0.3) + 0.3 * (i % 7) / 7}
                file.write(json.dumps({**template, "id": f"more/{i}", "task": "more",
                                       "item": str(i), "answer": str(i), "correct": right,
                                       "evidence": evidence}) + "\n")
        self.trial()
        path = self.folder() / "trial.json"
        trial = json.loads(path.read_text())
        trial["all"].update(items=120, in_use=0.5, on_trial=0.75, only_in_use=0, only_on_trial=30,
                            p_value=1e-9)
        path.write_text(json.dumps(trial))

    def test_trial_goes_on_and_binds(self):
        self.run_cli("models", "trial", SMALL, "--against", "nosuch", exits=5)
        self.run_cli("models", "trial", "nosuch", "--against", "l2", exits=5)
        self.run_cli("models", "trial", SMALL, "--against", "l3", exits=6)
        self.run_cli("models", "trial", WEAK, "--against", "l2", exits=2)
        self.run_cli("models", "trial", SMALL, "--against", "l2", "--tasks", "nosuch", exits=2)
        self.run_cli("models", "trial", SMALL, "--against", "l2", "--tasks", "humaneval", exits=2)
        self.run_cli("models", "trial", SMALL, "--against", "l2", exits=5,
                     TINYARMS_MEMORY_BUDGET="32MiB")
        self.assertFalse(self.trials.exists())

        # Stopped in the middle: what is answered stays, and is not asked again.
        child = subprocess.Popen([BINARY, "models", "trial", SMALL, "--against", "l2", "--limit",
                                  "200"], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                 env=self.environment(), text=True)
        records = None
        while child.poll() is None and not records:
            time.sleep(0.05)
            found = list(self.trials.glob("*/bench.records/weak.jsonl"))
            records = found and found[0].read_text()
        child.send_signal(signal.SIGINT)
        _, messages = child.communicate(timeout=120)
        self.assertEqual(child.returncode, 130, messages)
        self.assertIn("200 of the 256 questions of tiny", messages)
        self.assertFalse((self.folder() / "trial.json").exists())
        self.run_cli("models", "migrate", SMALL, "--for", "l2", exits=5)

        first = self.trial()
        self.assertTrue(self.records(WEAK).startswith(records))
        self.assertEqual(first["folder"], str(self.folder()))
        self.assertEqual((first["tier"], first["context_tokens"]), ("l2", 1024))
        self.assertEqual(first["in_use"]["model"], WEAK)
        self.assertEqual(len(first["on_trial"]["sha256"]), 64)
        for side in ("in_use", "on_trial"):
            for figure in ("seconds_per_item", "memory_bytes", "answer_tokens_per_second"):
                self.assertGreater(first[side][figure], 0, figure)
        self.assertEqual(first["all"]["items"] + first["all"]["unmeasured"], 6)
        self.assertEqual(first["verdict"]["finding"], "not shown")
        self.assertIn("100 are needed", first["calibration"]["problem"])
        self.assertEqual(first["own_failures"], {"bad": 0, "with_question": 0, "asked": 0})

        lines = self.records(SMALL).count("\n")
        again = self.trial("--margin", "3")
        self.assertEqual(self.records(SMALL).count("\n"), lines)
        self.assertEqual(again["all"], first["all"])
        self.assertEqual(again["verdict"]["margin_points"], 3)
        text = self.run_cli("models", "trial", SMALL, "--against", WEAK, "--limit", "2")
        self.assertIn("not shown: ", text.stdout)
        self.assertIn("own failures: none", text.stderr)

    def test_no_clear_win_is_no_migration(self):
        shutil.rmtree(self.home / ".local/share/tinyarms/measured")  # the trial measures then
        self.trial()
        shown = self.migrate(SMALL, "--yes", exits=4)
        self.assertFalse(shown["done"])
        self.assertEqual(shown["verdict"]["finding"], "not shown")
        self.assertEqual(self.config.read_text(), CONFIG)
        # By force, without a calibrator, and back.
        forced = self.migrate(SMALL, "--force", "--yes")
        self.assertTrue(forced["done"])
        self.assertIsNone(forced["calibrator"])
        self.assertEqual(self.config.read_text(), CONFIG.replace('"weak"', f'"{SMALL}"'))
        self.run_cli("models", "migrate", SMALL, "--for", "l2", exits=2)  # serves there already
        self.assertTrue(self.migrate("--back", "--yes")["done"])
        self.assertEqual(self.config.read_text(), CONFIG)
        self.run_cli("models", "migrate", "--back", "--for", "l2", exits=5)

    def test_migrates_and_comes_back(self):
        self.trial()
        self.longer_run()
        self.assertFalse(self.migrate(SMALL)["done"])
        self.assertEqual(self.config.read_text(), CONFIG)
        self.migrate(SMALL, "--margin", "30", exits=4)
        self.run_cli("models", "migrate", SMALL, "--for", "l2", exits=6, TINYARMS_L2_MODEL=WEAK)
        self.run_cli("models", "migrate", SMALL, "--for", "l2", exits=6,
                     TINYARMS_CALIBRATION_FILES="[]")

        done = self.migrate(SMALL, "--yes")
        self.assertTrue(done["done"])
        self.assertEqual((done["from"], done["to"]), (WEAK, SMALL))
        self.assertEqual(self.config.read_text(),
                         CONFIG.replace('"weak"', f'"{SMALL}"').replace(
                             '["~/own.json"]', f'["{done["calibrator"]}", "~/own.json"]'))
        reply = self.json("ask", "--tier", "l2", "--no-cache", "Name a colour",
                          TINYARMS_SAMPLING_MAX_TOKENS="4")
        step = next(step for step in reply["trace"] if step["tier"] == "l2")
        self.assertEqual(step["source"], SMALL)
        self.assertTrue(step["calibrated"], step)

        # The old model's file is another one by now: no silent way back.
        weak = self.home / ".local/share/tinyarms/models/weak.gguf"
        aside = self.home / "weak.gguf"
        self.run_cli("quantize", SMALL, "--to", "q3_k_m", "--name", "other")
        weak.rename(aside)
        shutil.copy(weak.with_name("other.gguf"), weak)
        self.run_cli("models", "migrate", "--back", "--for", "l2", "--yes", exits=5)
        weak.unlink()
        self.run_cli("models", "migrate", "--back", "--for", "l2", "--yes", exits=5)
        aside.rename(weak)
        self.assertFalse(self.migrate("--back")["done"])
        back = self.migrate("--back", "--yes")
        self.assertEqual((back["from"], back["to"]), (SMALL, WEAK))
        self.assertEqual(self.config.read_text(), CONFIG)

    def test_trial_of_another_file_does_not_count(self):
        self.trial()
        self.longer_run()
        self.run_cli("models", "rm", WEAK)
        self.run_cli("quantize", SMALL, "--to", "q3_k_m", "--name", WEAK)
        done = self.run_cli("models", "migrate", SMALL, "--for", "l2", "--yes", exits=5)
        self.assertIn("of other files of these names", done.stderr)
        self.assertIn(f"tinyarms models trial {SMALL} --against l2", done.stderr)
        self.assertEqual(self.config.read_text(), CONFIG)


def main():
    global BINARY, MODELS  # pylint: disable=global-statement
    BINARY, MODELS = os.path.abspath(sys.argv[1]), pathlib.Path(sys.argv[2])
    if not (MODELS / f"{SMALL}.gguf").exists():
        print(f"SKIPPED: {SMALL}.gguf not in {MODELS}: run ./setup/install")
        sys.exit(77)
    sys.argv = sys.argv[:1]
    unittest.main()


if __name__ == "__main__":
    main()
