#!/usr/bin/env python3
"""tinyarms index and search from outside, with real weights.

usage: check_index.py BINARY MODELS_DIR [KILLS]

Skips loudly without weights. KILLS: how often an indexing process is killed (default 6).
"""

import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

BINARY = ""
MODELS = pathlib.Path()
STORE = pathlib.Path()
KILLS = 6
NO_ANSWER, USAGE = 3, 2


class IndexCommands(unittest.TestCase):
    def setUp(self):
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="tinyarms-index-")).resolve()
        self.addCleanup(shutil.rmtree, self.home, ignore_errors=True)
        self.data = self.home / "data" / "tinyarms"
        self.data.mkdir(parents=True)
        (self.data / "models").symlink_to(STORE / "tinyarms" / "models")
        self.environment = {
            "HOME": str(self.home),
            "PATH": os.environ["PATH"],
            "XDG_DATA_HOME": str(self.home / "data"),
            "XDG_CONFIG_HOME": str(self.home / "config"),
            "XDG_CACHE_HOME": str(self.home / "cache"),
        }
        self.tree = self.home / "tree"
        self.write("src/settings.py", "import toml\n\n\ndef load_config(path):\n"
                   "    \"\"\"Parse the configuration file.\"\"\"\n    return toml.load(path)\n")
        self.write("src/mail.py", "def send_mail(to, body):\n"
                   "    connection = smtp()\n    connection.send(to, body)\n")
        self.write("README.md", "# Shop\n\nSells fruit.\n\n## Deployment\n\nRuns in containers.\n")

    def write(self, name, text):
        path = self.tree / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def command(self, *words):
        indexing = words[:2] in (("index", "add"), ("index", "update"))
        return [BINARY, *words, *(("--threads", "1") if indexing else ())]

    def run_it(self, *words, status=0, **options):
        done = subprocess.run(self.command(*words), env=self.environment, capture_output=True,
                              text=True, timeout=240, cwd=self.home, **options)
        self.assertEqual(done.returncode, status, f"{words}: {done.stdout}{done.stderr}")
        return done

    def json_of(self, *words, status=0):
        return json.loads(self.run_it(*words, "--json", status=status).stdout)

    def test_add_search_update_remove(self):
        report = self.json_of("index", "add", str(self.tree))
        self.assertEqual(report["files"]["indexed"], 3)
        self.assertFalse(report["interrupted"])
        found = self.json_of("search", "where is the config parsed")["results"]
        self.assertEqual(found[0]["path"], str(self.tree / "src/settings.py"))
        self.assertEqual((found[0]["line"], found[0]["symbol"], found[0]["language"]),
                         (4, "load_config", "python"))
        only = self.json_of("search", "config", "--lang", "markdown", "--limit", "1")["results"]
        self.assertEqual([each["language"] for each in only], ["markdown"])
        below = self.json_of("search", "config", "--path", str(self.tree / "README.md"))["results"]
        self.assertEqual({each["path"] for each in below}, {str(self.tree / "README.md")})
        self.assertEqual(self.json_of("index", "update")["files"]["indexed"], 0)
        self.write("src/mail.py", "def receive_mail():\n    return imap().fetch_everything()\n")
        (self.tree / "README.md").unlink()
        again = self.json_of("index", "update")
        self.assertEqual((again["files"]["indexed"], again["files"]["removed"]), (1, 1))
        status = self.json_of("index", "status")
        self.assertEqual((status["files"], status["vectors"]), (2, status["passages"]))
        self.assertEqual(status["roots"][0]["path"], str(self.tree))
        self.json_of("index", "rm", str(self.tree))
        self.json_of("search", "config", status=NO_ANSWER)
        self.assertEqual(self.json_of("index", "status")["roots"], [])

    def test_wrong_use(self):
        self.json_of("search", "anything", status=NO_ANSWER)
        self.json_of("index", "add", str(self.home / "missing"), status=USAGE)
        self.run_it("index", "update", status=USAGE)
        empty = self.home / "empty"
        empty.mkdir()
        self.assertEqual(self.json_of("index", "add", str(empty))["files"]["total"], 0)
        self.json_of("search", "x", status=NO_ANSWER)
        self.run_it("search", "", status=USAGE)
        self.run_it("index", "rm", str(self.tree), status=USAGE)
        self.run_it("index", "add", str(self.tree))
        self.run_it("index", "rm", str(self.tree / "src"), status=USAGE)
        self.run_it("search", "word " * 20000)
        self.run_it("search", '"quoted" AND (NEAR OR *')

    def test_what_is_left_out(self):
        self.write(".gitignore", "build/\n")
        self.write("build/made.py", "def made(): pass\n")
        self.write(".env", "TOKEN=1\n")
        self.write("leak.py", "key = 'AK" + "IAIOSFODNN7EXAMPLE'\n")
        self.write("vendor/lib.py", "def vendored(): pass\n")
        (self.tree / "blob").write_bytes(bytes(500))
        (self.tree / "latin.txt").write_bytes("größe und länge\n".encode("latin-1"))
        report = self.json_of("index", "add", str(self.tree))
        skipped = report["skipped"]
        self.assertEqual((skipped["ignored"], skipped["secret"], skipped["vendored"],
                          skipped["binary"], skipped["not_utf8"]), (1, 2, 1, 1, 1), skipped)
        self.assertEqual({pathlib.Path(each["path"]).name for each in report["secrets"]},
                         {".env", "leak.py"})
        self.assertNotIn("IOSFODNN7", json.dumps(report))

    def test_damage_is_set_aside_and_rebuilt(self):
        self.run_it("index", "add", str(self.tree))
        index = self.data / "index"
        for path in index.glob("passages.sqlite*"):
            path.write_bytes(b"no database" * 100)
        rebuilt = self.json_of("index", "update")
        self.assertEqual(rebuilt["files"]["indexed"], 3)
        self.assertIn("set aside", rebuilt["notice"])
        next(index.glob("vectors-*")).write_bytes(os.urandom(20000))
        self.json_of("search", "config")
        self.assertEqual(self.json_of("index", "update")["embedded"],
                         self.json_of("index", "status")["passages"])

    def new_encoder(self):
        """The default encoder in another precision: the configured one from here on."""
        models = self.data / "models"
        models.unlink()
        models.mkdir()
        for path in (STORE / "tinyarms" / "models").glob("all-minilm*"):
            (models / path.name).symlink_to(path)
        self.run_it("quantize", "all-minilm-l6-v2.f32", "--to", "f16", "--name", "minilm.f16")
        self.use("minilm.f16")

    def use(self, model):
        config = self.home / "config" / "tinyarms" / "config.toml"
        config.parent.mkdir(parents=True, exist_ok=True)
        config.write_text(f'[l1]\nmodel = "{model}"\n', encoding="utf-8")

    def many_files(self, count):
        for number in range(count):
            self.write(f"many/f{number}.py",
                       f"def function_{number}(a):\n    return work_{number}(a)\n")

    def test_another_model_serves_when_its_vectors_are_made(self):
        self.many_files(400)
        self.run_it("index", "add", str(self.tree))
        before = self.json_of("search", "where is the config parsed")
        self.new_encoder()
        status = self.json_of("index", "status")
        self.assertEqual((status["model"], status["remaking"]["model"]),
                         ("all-minilm-l6-v2.f32", "minilm.f16"))
        self.assertEqual(self.json_of("search", "where is the config parsed")["model"],
                         before["model"])
        # Killed over and over: the old one or the new one answers, and the work goes on.
        chance = random.Random(5)
        models = set()
        for _ in range(KILLS):
            child = subprocess.Popen(self.command("index", "update"), env=self.environment,
                                     stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(chance.uniform(0.1, 2.5))
            found = self.json_of("search", "where is the config parsed")
            models.add(found["model"])
            self.assertEqual(found["results"][0]["symbol"], "load_config")
            child.send_signal(signal.SIGKILL)
            child.wait()
        self.assertLessEqual(models, {"all-minilm-l6-v2.f32", "minilm.f16"})
        self.json_of("index", "update")
        status = self.json_of("index", "status")
        self.assertIsNone(status["remaking"])
        self.assertEqual((status["model"], status["vectors"]), ("minilm.f16", status["passages"]))
        self.assertEqual([each["model"] for each in status["old"]], ["all-minilm-l6-v2.f32"])
        self.assertEqual(self.json_of("search", "where is the config parsed")["model"],
                         "minilm.f16")
        # Back at once, and without the old vectors never again.
        self.use("all-minilm-l6-v2.f32")
        self.assertEqual(self.json_of("search", "config")["model"], "all-minilm-l6-v2.f32")
        self.use("minilm.f16")
        self.assertGreater(self.json_of("index", "update", "--drop-old")["dropped_bytes"], 0)
        self.assertEqual(self.json_of("index", "status")["old"], [])

    def test_without_the_old_model_words_serve(self):
        self.run_it("index", "add", str(self.tree))
        self.new_encoder()
        (self.data / "models" / "all-minilm-l6-v2.f32.gguf").unlink()
        found = self.json_of("search", "load_config")
        self.assertIsNone(found["model"])
        self.assertIn("by words alone", found["notice"])
        self.assertEqual(found["results"][0]["symbol"], "load_config")
        self.assertEqual(self.json_of("index", "update")["remade"]["complete"], True)
        self.assertEqual(self.json_of("search", "load_config")["model"], "minilm.f16")

    def test_two_at_once(self):
        for number in range(60):
            self.write(f"more/f{number}.py", f"def function_{number}():\n    return {number}\n")
        both = [subprocess.Popen(self.command("index", "add", str(self.tree)),
                                 env=self.environment, stdout=subprocess.PIPE,
                                 stderr=subprocess.PIPE, text=True) for _ in range(2)]
        for each in both:
            _, words = each.communicate(timeout=240)
            self.assertEqual(each.returncode, 0, words)
        status = self.json_of("index", "status")
        self.assertEqual((status["files"], status["vectors"]), (63, status["passages"]))

    def test_killed_at_any_moment(self):
        seed = 11
        chance = random.Random(seed)
        ended = 0
        longest = 2.0
        for kill in range(KILLS):
            # Every round has work to do, whatever the one before came to.
            for number in range(300):
                self.write(f"many/f{number}.py",
                           f"def function_{number}(a):\n    return work_{kill}(a)\n" * 3)
            started = time.monotonic()
            child = subprocess.Popen(self.command("index", "add", str(self.tree)),
                                     env=self.environment, stdout=subprocess.DEVNULL,
                                     stderr=subprocess.DEVNULL)
            time.sleep(chance.uniform(0.02, longest))
            child.send_signal(signal.SIGKILL)
            if child.wait() == 0:
                ended += 1
                longest = max(0.2, 0.8 * (time.monotonic() - started))
            status = self.json_of("index", "status")
            self.assertEqual(status["notice"], "", f"seed {seed} kill {kill}")
        report = self.json_of("index", "update")
        self.assertEqual(report["notice"], "")
        status = self.json_of("index", "status")
        self.assertEqual((status["files"], status["vectors"]), (303, status["passages"]))
        words = f"work_{KILLS - 1}"
        found = self.json_of("search", words, "--mode", "words", "--limit", "1")["results"]
        self.assertIn(words, found[0]["text"])
        print(f"{KILLS} kills, {ended} came too late", file=sys.stderr)

    def test_interrupt_goes_on_later(self):
        for number in range(400):
            self.write(f"many/f{number}.py", f"def function_{number}(a):\n    return work(a)\n" * 5)
        child = subprocess.Popen(self.command("index", "add", str(self.tree), "--json"),
                                 env=self.environment, stdout=subprocess.PIPE,
                                 stderr=subprocess.DEVNULL, text=True)
        database = self.data / "index" / "passages.sqlite"
        while not database.exists() and child.poll() is None:
            time.sleep(0.01)
        child.send_signal(signal.SIGINT)
        words, _ = child.communicate(timeout=240)
        self.assertIn(child.returncode, (0, 130))
        if child.returncode == 130 and words:
            self.assertTrue(json.loads(words).get("interrupted", True))
        self.run_it("index", "update")
        status = self.json_of("index", "status")
        self.assertEqual((status["files"], status["vectors"]), (403, status["passages"]))

    def test_watch_sees_changes(self):
        self.run_it("index", "add", str(self.tree))
        child = subprocess.Popen([BINARY, "index", "watch", "--json", "--threads", "1"],
                                 env=self.environment, stdout=subprocess.PIPE,
                                 stderr=subprocess.DEVNULL, text=True)
        self.addCleanup(child.stdout.close)
        try:
            self.assertEqual(json.loads(child.stdout.readline())["files"]["total"], 3)
            self.write("fresh/new.py", "def brand_new_function():\n    return 'watched'\n")
            self.assertEqual(json.loads(child.stdout.readline())["files"]["total"], 4)
        finally:
            child.send_signal(signal.SIGINT)
            child.wait(timeout=60)
        found = self.json_of("search", "brand_new_function")["results"]
        self.assertEqual(found[0]["symbol"], "brand_new_function")

    def test_questions_about_the_files(self):
        self.run_it("index", "add", str(self.tree))
        reply = self.json_of("ask", "--max-tier", "l1", "what does load_config do")
        self.assertEqual(reply["tier"], "l1")
        self.assertIn("src/settings.py:4", reply["answer"])
        step = [each for each in reply["trace"] if each["tier"] == "l1"][0]
        self.assertIn("passage_similarity", step["evidence"])
        self.assertIn("settings.py:4", step["evidence"]["sources"])
        weak = self.json_of("ask", "--max-tokens", "8", "how are containers used in this project",
                            "--confidence-threshold", "l1=0.99",
                            "--confidence-threshold", "l2=0")
        self.assertIn("Sources:\n[1] ", weak["answer"])
        self.environment["TINYARMS_L1_INDEX"] = "false"
        off = self.json_of("ask", "--max-tier", "l1", "what does load_config do", status=NO_ANSWER)
        self.assertIsNone(off["answer"])


def main():
    global BINARY, MODELS, STORE, KILLS
    BINARY, MODELS = sys.argv[1], pathlib.Path(sys.argv[2])
    KILLS = int(sys.argv[3]) if len(sys.argv) > 3 else KILLS
    folder = MODELS / "all-minilm-l6-v2"
    small = MODELS / "smollm2-135m-instruct.q4_1.gguf"
    if not folder.exists() or not small.exists():
        print(f"SKIPPED: no weights in {MODELS}; ./setup/install fetches them", file=sys.stderr)
        sys.exit(77)
    with tempfile.TemporaryDirectory(prefix="tinyarms-index-store-") as store:
        STORE = pathlib.Path(store)
        environment = dict(os.environ, XDG_DATA_HOME=store, HOME=store)
        for words in ((str(folder), "--quantization", "f32", "--name", "all-minilm-l6-v2.f32"),
                      (str(small),)):
            subprocess.run([BINARY, "models", "import", *words], env=environment, check=True,
                           capture_output=True)
        unittest.main(argv=sys.argv[:1])


if __name__ == "__main__":
    main()
