#!/usr/bin/env python3
"""What is measured of models, from outside, with real weights: `models measure`, who shows its
figures, what questions cost by them, and what `models recommend` makes of them.

usage: check_measured.py BINARY MODELS_DIR

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
import unittest

BINARY, MODELS = "", pathlib.Path()
SMALL = "smollm2-135m-instruct.q4_1"
ENCODER = "all-minilm-l6-v2"


class Measured(unittest.TestCase):
    def setUp(self):
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="tinyarms-measured-"))
        self.addCleanup(shutil.rmtree, self.home, ignore_errors=True)

    def environment(self, **more):
        kept = {name: os.environ[name] for name in ("PATH", "ASAN_OPTIONS", "TSAN_OPTIONS")
                if name in os.environ}
        return {**kept, "HOME": str(self.home), **more}

    def run_cli(self, *arguments, exits=0, **more):
        done = subprocess.run([BINARY, *arguments], capture_output=True, cwd=self.home, text=True,
                              stdin=subprocess.DEVNULL, check=False, timeout=300,
                              env=self.environment(**more))
        self.assertEqual(done.returncode, exits, (done.stdout[-2000:], done.stderr[-2000:]))
        return done

    def json(self, *arguments, **more):
        return json.loads(self.run_cli(*arguments, "--json", **more).stdout)

    def install(self):
        self.run_cli("models", "import", str(MODELS / f"{SMALL}.gguf"))
        self.run_cli("models", "import", str(MODELS / ENCODER), "--name", ENCODER + ".f32",
                     "--quantization", "f32")

    def listed(self, **more):
        return {model["name"]: model["measured"]
                for model in self.json("models", "list", **more)["models"]}

    def recommend(self, *arguments):
        return self.json("models", "recommend", "--ram", "500M", "--task", "code", "--offline",
                         *arguments)

    def test_measured_shown_and_used(self):
        self.run_cli("models", "measure", exits=5)  # nothing is installed
        self.run_cli("models", "measure", "nosuch", exits=5)
        self.install()
        self.assertEqual(self.listed(), {SMALL: None, ENCODER + ".f32": None})
        before = self.recommend()
        self.assertEqual(before["certainty"], "prior")

        one = {"TINYARMS_THREADS": "1"}
        both = self.json("models", "measure", "--seconds", "1", **one)
        self.assertEqual(both["failed"], [])
        small = next(each for each in both["measured"] if each["model"] == SMALL)
        encoder = next(each for each in both["measured"] if each["model"] != SMALL)
        for rate in ("prompt_tokens_per_second", "answer_tokens_per_second", "load_seconds",
                     "memory_bytes"):
            self.assertGreater(small[rate], 0, rate)
        self.assertIsNone(small["texts_per_second"])
        for rate in ("texts_per_second", "text_tokens_per_second", "load_seconds"):
            self.assertGreater(encoder[rate], 0, rate)
        self.assertIsNone(encoder["answer_tokens_per_second"])
        self.assertEqual(small["threads"], 1)
        self.assertRegex(small["date"], r"^\d{4}-\d\d-\d\d$")

        # Shown where the threads are the same, and only there.
        self.assertEqual(self.listed(**one)[SMALL], small)
        self.assertIsNone(self.listed(TINYARMS_THREADS="3")[SMALL])
        self.assertIn("tokens/s", self.run_cli("models", "list", **one).stdout)
        plan = {tier["tier"]: tier for tier in self.json("models", "plan", **one)["tiers"]}
        self.assertEqual(plan["l2"]["measured"], small)
        self.assertEqual(plan["l1"]["measured"], encoder)
        self.check_costs(small, one)
        self.check_recommendation(small, one)

        # Another file of that name was not measured; a broken record is none.
        record, = (path for path in (self.home / ".local/share/tinyarms/measured").iterdir()
                   if path.name.startswith(small["sha256"]))
        record.write_text("{broken")
        self.assertIsNone(self.listed(**one)[SMALL])

    def check_costs(self, small, one):
        none = self.json("stats", **one)
        self.assertIsNone(none["cost"])
        logged = {**one, "TINYARMS_LOG_DECISIONS": "true", "TINYARMS_SAMPLING_MAX_TOKENS": "4"}
        self.run_cli("ask", "What is 2 + 2?", **logged)
        self.run_cli("ask", "--tier", "l2", "Name a colour", exits=0, **logged)
        cost = self.json("stats", "--api", "gpt-5", TINYARMS_COST_WATTS="36",
                         TINYARMS_COST_HARDWARE_PRICE="3600", TINYARMS_COST_HARDWARE_HOURS="1",
                         TINYARMS_COST_KWH_PRICE="0", **one)["cost"]
        tier = next(each for each in cost["tiers"] if each["tier"] == "l2")
        self.assertEqual(tier["seconds_by"], "models measure")
        seconds = (cost["prompt_tokens"] / small["prompt_tokens_per_second"]
                   + tier["answer_tokens"] / small["answer_tokens_per_second"])
        self.assertAlmostEqual(tier["seconds"], seconds)
        self.assertAlmostEqual(tier["dollars"], seconds)  # a dollar a second
        if tier["watts_by"] == "assumed":
            self.assertAlmostEqual(tier["watt_hours"], seconds * 36 / 3600)
        self.assertEqual(cost["always_api"]["model"], "gpt-5")
        self.assertAlmostEqual(cost["always_api"]["dollars"],
                               (cost["prompt_tokens"] * 1.25 + cost["answer_tokens"] * 10) / 1e6)
        self.assertAlmostEqual(cost["always_large"]["seconds"], seconds)
        self.assertIn("as answered now", self.run_cli("stats", **one).stdout)
        self.run_cli("stats", "--api", "nosuch", exits=5)
        self.run_cli("stats", "--api", "smollm3-3b", exits=2)
        self.run_cli("stats", exits=6, TINYARMS_COST_WATTS="-1")

    def check_recommendation(self, small, one):
        # 0.3 GB hold nothing but the small model.
        found = self.json("models", "recommend", "--ram", "500M", "--offline", **one)
        pick = next(each for each in found["tiers"] if each["tier"] == "l2")
        self.assertEqual((pick["model"], found["certainty"]),
                         ("smollm2-135m-instruct", "partly measured"))
        self.assertTrue(pick["seconds_measured"])
        self.assertAlmostEqual(pick["seconds"], 256 / small["prompt_tokens_per_second"]
                               + 64 / small["answer_tokens_per_second"])
        self.assertEqual((pick["measured"], pick["measured_items"]), (False, 0))
        self.assertTrue(pick["basis"].startswith("prior: "))
        before = pick["score"]

        # Own outcomes of a task of mixed questions: those of the kind asked for.
        self.run_cli("bench", "--tasks", "tiny", "--limit", "8", "--models", SMALL, "--output",
                     "tiny.json", **one)
        summary = json.loads((self.home / "tiny.json").read_text())
        result, = summary["results"]
        group = next(each for each in result["groups"] if each["name"] == "general")
        found = self.json("models", "recommend", "--ram", "500M", "--task", "general", "--offline",
                          "--bench", "tiny.json", **one)
        pick = next(each for each in found["tiers"] if each["tier"] == "l2")
        self.assertEqual(pick["measured_items"], group["measured"])
        self.assertEqual(pick["basis"], f"measured (n = {group['measured']})")
        self.assertGreater(before, 0)
        # Two samples of a question are one question.
        (self.home / "twice.json").write_text(json.dumps({**summary, "samples": 2}))
        found = self.json("models", "recommend", "--ram", "500M", "--task", "general", "--offline",
                          "--bench", "twice.json", **one)
        pick = next(each for each in found["tiers"] if each["tier"] == "l2")
        self.assertEqual(pick["measured_items"], (group["measured"] + 1) // 2)
        # As for another machine.
        found = self.json("models", "recommend", "--ram", "500M", "--offline", "--prior", **one)
        self.assertEqual(found["certainty"], "prior")
        self.run_cli("models", "recommend", "--ram", "500M", "--bench", "nosuch.json", exits=5)
        (self.home / "broken.json").write_text("{}")
        self.run_cli("models", "recommend", "--ram", "500M", "--bench", "broken.json", exits=5)
        self.run_cli("models", "recommend", "--ram", "500M", "--prior", "--bench", "tiny.json",
                     exits=2)

    def test_control_c_keeps_what_is_done(self):
        self.run_cli("models", "import", str(MODELS / f"{SMALL}.gguf"))
        child = subprocess.Popen([BINARY, "models", "measure", *[SMALL] * 500, "--seconds", "1"],
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                 env=self.environment(), text=True)
        first = child.stdout.readline()
        child.send_signal(signal.SIGINT)
        _, messages = child.communicate(timeout=120)
        self.assertEqual(child.returncode, 130, messages)
        self.assertIn("tokens/s", first)
        self.assertIsNotNone(self.listed()[SMALL])


def main():
    global BINARY, MODELS  # pylint: disable=global-statement
    BINARY, MODELS = os.path.abspath(sys.argv[1]), pathlib.Path(sys.argv[2])
    missing = [name for name in (f"{SMALL}.gguf", f"{ENCODER}/model.safetensors")
               if not (MODELS / name).exists()]
    if missing:
        print(f"SKIPPED: {', '.join(missing)} not in {MODELS}: run ./setup/install")
        sys.exit(77)
    sys.argv = sys.argv[:1]
    unittest.main()


if __name__ == "__main__":
    main()
