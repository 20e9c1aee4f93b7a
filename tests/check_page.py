#!/usr/bin/env python3
"""The page of `tinyarms serve` in a real Chromium, with the default model: chat, streams, override,
errors, figures, keys; axe finds nothing serious, the console stays empty.

usage: check_page.py BINARY MODELS_DIR [FOLDER for the screenshots]

setup/browser brings what drives the browser into the cache. Skips loudly (status 77) where it
cannot be fetched or no browser starts, or there are no weights.
"""

import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

import check_door

ROOT = pathlib.Path(__file__).resolve().parent.parent
SMALL = "smollm2-135m-instruct.q4_1"
SEEN = {}
KEY = ""


class Page(unittest.TestCase):
    def test_loads_under_its_policy(self):
        self.assertEqual(SEEN["title"], "Chat · tinyArms")
        self.assertIn("default-src 'none'", SEEN["policy"])
        self.assertNotIn("unsafe", SEEN["policy"])
        self.assertFalse(SEEN["inline"])
        self.assertEqual(SEEN["foreign"], [])

    def test_no_errors_in_the_console(self):
        self.assertEqual((SEEN["console"], SEEN["errors"]), ([], []))

    def test_accessible(self):
        grave = [one for one in SEEN["axe"] if ": serious" in one or ": critical" in one]
        self.assertEqual(grave, [])
        self.assertEqual(SEEN["focused"], "question")
        self.assertEqual(SEEN["overflow"], [])

    def test_a_rule_answers(self):
        self.assertIn("255", SEEN["rule"]["body"])
        self.assertIn("L0", SEEN["rule"]["strip"])
        self.assertIn("right by construction", SEEN["rule"]["side"])

    def test_a_model_streams(self):
        self.assertGreater(len(SEEN["stream"]["sizes"]), 2, "the text came in one piece")
        self.assertEqual(SEEN["stream"]["heat"], 12)
        for part in ("Uncalibrated", "threshold", "mean margin", "tokens written", SMALL):
            self.assertIn(part, SEEN["stream"]["side"])

    def test_override(self):
        self.assertEqual(SEEN["override"]["inFirstTurn"], 2)
        self.assertIn("l2", SEEN["override"]["path"])
        self.assertNotIn("l0", SEEN["override"]["path"])

    def test_errors_are_told(self):
        self.assertIn("Nobody could answer", SEEN["error"]["alert"])
        self.assertIn("l3", SEEN["error"]["alert"])
        self.assertTrue(SEEN["error"]["again"])

    def test_figures_decisions_thresholds_machine(self):
        self.assertIn("By tier", SEEN["figures"])
        self.assertIn(SMALL, SEEN["decisions"])
        self.assertIn("0 of 1 told outcomes were right", SEEN["thresholds"])
        self.assertIn("end otherwise", SEEN["whatIf"])
        self.assertIn(SMALL, SEEN["machine"])
        self.assertIn("Nothing is indexed", SEEN["machine"])

    def test_a_key_stays_in_the_tab(self):
        keyed = SEEN["keyed"]
        self.assertIn("does not take this key", keyed["why"])
        self.assertIn("255", keyed["body"])
        self.assertEqual(keyed["session"], [KEY])
        for place in ("local", "cookies", "address", "page"):
            self.assertNotIn(KEY, keyed[place], place)
        self.assertIn("lacks the scope", keyed["decisions"])

    def test_screenshots(self):
        self.assertGreaterEqual(len(SEEN["shots"]), 12)
        for name, size in SEEN["shots"]:
            self.assertGreater(size, 8000, f"{name} is next to empty")


def skip(why):
    print(f"SKIPPED: {why}")
    return 77


def browser():
    """The folder of a browser that starts, or why there is none."""
    fetched = subprocess.run([str(ROOT / "setup" / "browser")], capture_output=True, text=True,
                             stdin=subprocess.DEVNULL, check=False)
    if fetched.returncode != 0:
        return None, f"the browser cannot be fetched: {fetched.stderr.strip()[-300:]}"
    folder = pathlib.Path(fetched.stdout.strip())
    started = subprocess.run([str(folder / "bin" / "chromium"), "--version"], capture_output=True,
                             text=True, check=False)
    if started.returncode != 0:
        return None, f"the browser does not start: {started.stderr.strip()[-300:]}"
    print(started.stdout.strip())
    return folder, ""


def drive(folder, binary, models, home, shots):
    """Runs the page through drive.mjs against two servers; the second asks for a key."""
    global KEY, SEEN
    subprocess.run([binary, "models", "import", str(models / f"{SMALL}.gguf")], check=True,
                   env={"HOME": str(home)}, stdout=subprocess.DEVNULL)
    made = subprocess.run([binary, "keys", "add", "page", "--json"], check=True,
                          env={"HOME": str(home / "keyed")}, capture_output=True, text=True)
    KEY = json.loads(made.stdout)["key"]
    open_server = check_door.Serve(home, "--threads", "1")
    keyed_server = check_door.Serve(home / "keyed", "--threads", "1")
    try:
        run = subprocess.run(
            ["node", str(ROOT / "tests" / "page" / "drive.mjs"), str(folder),
             open_server.place["url"], keyed_server.place["url"], KEY, str(shots)],
            capture_output=True, text=True, timeout=420, check=False)
    finally:
        ends = [open_server.stop(), keyed_server.stop()]
    if run.returncode != 0:
        print(run.stdout[-2000:], run.stderr[-4000:])
        return False
    SEEN = json.loads(run.stdout)
    return all(status == 0 for status, _ in ends)


def main():
    binary = str(pathlib.Path(sys.argv[1]).resolve())
    models = pathlib.Path(sys.argv[2]).resolve()
    if not (models / f"{SMALL}.gguf").exists():
        return skip(f"no default weights in {models}: run ./check, which fetches them")
    if shutil.which("node") is None:
        return skip("Node is not installed")
    folder, why = browser()
    if folder is None:
        return skip(why)
    check_door.BINARY = binary
    with tempfile.TemporaryDirectory(prefix="tinyarms-page-") as place:
        home = pathlib.Path(place)
        shots = pathlib.Path(sys.argv[3]) if len(sys.argv) > 3 else home / "shots"
        shots.mkdir(parents=True, exist_ok=True)
        (home / "keyed").mkdir()
        if not drive(folder, binary, models, home, shots):
            return 1
        result = unittest.main(argv=sys.argv[:1], exit=False, verbosity=2).result
        for one in SEEN["axe"]:
            print("axe:", one)
        return 0 if result.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main())
