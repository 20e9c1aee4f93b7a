#!/usr/bin/env python3
"""Each preset of `tinyarms init` from outside: written, sound, and at work on the default models,
with a llama-server as the remote where the preset has one.

usage: check_presets.py BINARY MODELS_DIR LLAMA_SERVER [--show]

--show prints the traces that docs/presets.md shows. Skips loudly without weights or server.
"""

import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.error
import urllib.request

BINARY, MODELS, SERVER, SHOW = "", pathlib.Path(), "", False
SMALL = "smollm2-135m-instruct.q4_1"
ENCODER = "all-minilm-l6-v2"
PRESETS = ("copilot", "fleet", "openrouter", "perplexity", "private")
KEY = "canary-key-91c2"


def environment(home, **more):
    kept = {name: os.environ[name] for name in ("PATH", "ASAN_OPTIONS", "TSAN_OPTIONS")
            if name in os.environ}
    return {**kept, "HOME": str(home), "TINYARMS_SAMPLING_MAX_TOKENS": "24", **more}


class Presets(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.shelf = pathlib.Path(tempfile.mkdtemp(prefix="tinyarms-presets-"))
        for source, name in ((MODELS / f"{SMALL}.gguf", SMALL),
                             (MODELS / ENCODER, ENCODER + ".f32")):
            subprocess.run([BINARY, "models", "import", str(source), "--name", name,
                            "--quantization", "f32"], check=True, capture_output=True,
                           env=environment(cls.shelf))
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            cls.port = probe.getsockname()[1]
        cls.server = subprocess.Popen(
            [SERVER, "-m", str(MODELS / f"{SMALL}.gguf"), "--host", "127.0.0.1", "--port",
             str(cls.port), "-c", "2048", "-t", "2", "--api-key", KEY, "--no-warmup"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline and cls.server.poll() is None:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{cls.port}/health", timeout=2).close()
                return
            except (urllib.error.URLError, OSError):
                time.sleep(0.1)
        raise RuntimeError("llama-server did not start")

    @classmethod
    def tearDownClass(cls):
        cls.server.kill()
        cls.server.wait()
        shutil.rmtree(cls.shelf, ignore_errors=True)

    def setUp(self):
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="tinyarms-preset-"))
        self.addCleanup(shutil.rmtree, self.home, ignore_errors=True)
        data = self.home / ".local/share/tinyarms"
        data.mkdir(parents=True)
        (data / "models").symlink_to(self.shelf / ".local/share/tinyarms/models")

    def run_cli(self, *arguments, exits=0, **more):
        done = subprocess.run([BINARY, *arguments], capture_output=True, cwd=self.home, text=True,
                              stdin=subprocess.DEVNULL, check=False, timeout=300,
                              env=environment(self.home, **more))
        self.assertEqual(done.returncode, exits, (done.stdout[-2000:], done.stderr[-2000:]))
        self.assertNotIn(KEY, done.stdout + done.stderr)
        return done

    def init(self, preset):
        self.run_cli("init", "--preset", preset)
        checked = self.run_cli("config", "check")
        self.assertIn("sound", checked.stderr)
        self.assertNotIn("warning", checked.stderr)

    def ask(self, question, *arguments, **more):
        if SHOW:
            shown = self.run_cli("ask", "--explain", *arguments, question, **more)
            print(f"\n$ tinyarms ask --explain {' '.join(arguments)} \"{question}\"\n"
                  f"{shown.stdout}{shown.stderr}")
        return json.loads(self.run_cli("ask", "--json", *arguments, question, **more).stdout)

    def remote(self):
        return {"TINYARMS_OFFLINE": "false", "TINYARMS_L4_URL": f"http://127.0.0.1:{self.port}/v1",
                "TINYARMS_L4_MODEL": "small", "TINYARMS_L4_API_KEY_ENV": "MY_KEY", "MY_KEY": KEY}

    @staticmethod
    def levels(reply):
        return [step["tier"] for step in reply["trace"]]

    def test_refuses_to_overwrite(self):
        for preset in PRESETS:
            text = self.run_cli("init", "--preset", preset, "--print").stdout
            path = self.home / f"{preset}.toml"
            self.run_cli("init", "--preset", preset, "--output", str(path))
            self.assertEqual(path.read_text(), text)
            self.run_cli("init", "--preset", "private", "--output", str(path), exits=2)
            self.assertEqual(path.read_text(), text)
        (self.home / "dangling.toml").symlink_to("nowhere")
        self.run_cli("init", "--preset", "private", "--output", "dangling.toml", exits=2)
        self.run_cli("init", "--preset", "nosuch", exits=2)
        self.run_cli("init", exits=2)

    def test_copilot(self):
        self.init("copilot")
        quick = self.ask("Write a Python function that reverses a string",
                         "--confidence-threshold", "l2=0.05")
        self.assertEqual(quick["tier"], "l2")
        review = self.ask("Review this: def f(x): return x/0", "--confidence-threshold", "l2=0.99",
                          **self.remote())
        self.assertEqual(review["tier"], "l4")
        self.assertIn("l2", self.levels(review))

    def test_perplexity(self):
        self.init("perplexity")
        notes = self.home / "notes"
        notes.mkdir()
        (notes / "retry.md").write_text(
            "# Retry limit\n\nThe retry limit of the uploader is seven attempts. "
            "It is set in uploader.py.\n")
        (notes / "uploader.py").write_text(
            "RETRY_LIMIT = 7\n\n\ndef upload_with_retry(path):\n"
            "    \"\"\"Uploads a file, at most RETRY_LIMIT times.\"\"\"\n"
            "    for _ in range(RETRY_LIMIT):\n        pass\n")
        self.run_cli("index", "add", str(notes))
        reply = self.ask("where is upload_with_retry defined?")
        self.assertIn("uploader.py", json.dumps(reply))
        self.assertIn("l1", self.levels(reply))

    def test_openrouter(self):
        self.init("openrouter")
        self.assertEqual(self.ask("What is 0xff in decimal?")["tier"], "l0")
        climbed = self.ask("Name a colour.", "--confidence-threshold", "l2=0.99", **self.remote())
        self.assertEqual(climbed["tier"], "l4")

    def test_private(self):
        self.init("private")
        reply = self.ask("Name a colour.", "--confidence-threshold", "l2=0.05", MY_KEY=KEY)
        self.assertEqual(reply["tier"], "l2")
        kept = [path for path in (self.home / ".local/share/tinyarms").rglob("*.sqlite")]
        self.assertEqual(kept, [])

    def test_fleet(self):
        """The big machine here is another tinyarms serve, as the preset means it."""
        self.init("fleet")
        big = subprocess.Popen([BINARY, "serve", "--port", "0", "--json"], cwd=self.home,
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.DEVNULL, text=True,
                               env=environment(self.home, TINYARMS_L1_CACHE="false"))
        try:
            port = json.loads(big.stdout.readline())["port"]
            reply = self.ask("Name a colour.", "--confidence-threshold", "l2=0.99",
                             TINYARMS_OFFLINE="false", TINYARMS_L4_MODEL="l2",
                             TINYARMS_L4_URL=f"http://127.0.0.1:{port}/v1")
        finally:
            big.terminate()
            big.wait(timeout=60)
            big.stdout.close()
        self.assertEqual(reply["tier"], "l4")
        self.assertNotIn("l3", [step["tier"] for step in reply["trace"]
                                if step.get("decision") == "accept"])


def main():
    global BINARY, MODELS, SERVER, SHOW
    BINARY, MODELS, SERVER = sys.argv[1], pathlib.Path(sys.argv[2]), sys.argv[3]
    SHOW = "--show" in sys.argv
    for needed in (MODELS / f"{SMALL}.gguf", MODELS / ENCODER, pathlib.Path(SERVER)):
        if not needed.exists():
            print(f"SKIPPED: {needed} is missing; ./setup/install --peers --tests brings it")
            sys.exit(77)
    unittest.main(argv=sys.argv[:1] + [word for word in sys.argv[4:] if word != "--show"],
                  verbosity=2)


if __name__ == "__main__":
    main()
