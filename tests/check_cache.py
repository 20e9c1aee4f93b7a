#!/usr/bin/env python3
"""tinyarms cache and feedback from outside: what is remembered, listed, removed, rejected, aged.

check_cache.py TINYARMS MODELS
"""

import http.client
import json
import os
import pathlib
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import unittest

MODEL = "smollm2-135m-instruct.q4_1"
QUESTION = "Name a prime number"
USAGE = 2


class CacheCommands(unittest.TestCase):
    def setUp(self):
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="tinyarms-cache-"))
        self.addCleanup(shutil.rmtree, self.home)
        self.work = self.home / "work"
        self.work.mkdir()
        self.environment = {
            "HOME": str(self.home),
            "PATH": os.environ["PATH"],
            "XDG_CACHE_HOME": str(self.home / "cache"),
            "XDG_CONFIG_HOME": str(self.home / "config"),
            "XDG_DATA_HOME": str(self.home / "data"),
            "TINYARMS_L2_MODEL": MODEL,
            "TINYARMS_THREADS": "1",
            "TINYARMS_LOG_DECISIONS": "true",
            "OMP_WAIT_POLICY": "passive",
        }
        for name in ("ASAN_OPTIONS", "LSAN_OPTIONS", "UBSAN_OPTIONS"):
            if name in os.environ:
                self.environment[name] = os.environ[name]
        folder = self.home / "data" / "tinyarms"
        folder.mkdir(parents=True)
        (folder / "models").symlink_to(STORE)

    def run_it(self, *words, status=0):
        done = subprocess.run([BINARY, *words], env=self.environment, cwd=self.work,
                              capture_output=True, text=True, timeout=300)
        self.assertEqual(done.returncode, status, done.stderr + done.stdout)
        return done.stdout

    def json_of(self, *words, status=0):
        return json.loads(self.run_it(*words, "--json", status=status))

    def ask(self, question=QUESTION):
        return self.json_of("ask", "--max-tier", "l2", "--confidence-threshold", "0",
                            "--max-tokens", "24", question)

    def entries(self):
        return self.json_of("cache", "list")["entries"]

    def remember(self):
        """Asks until an answer that ended by itself is kept."""
        for question in (QUESTION, "Say hello", "What is the capital of France"):
            self.ask(question)
            if self.entries():
                return question
        self.fail("no answer was remembered")

    def test_listed_exported_counted_and_removed(self):
        self.assertEqual(self.entries(), [])
        question = self.remember()
        (entry,) = self.entries()
        self.assertEqual((entry["question"], entry["tier"]), (question, "l2"))
        self.assertEqual(entry["namespace"]["user"], "")
        self.assertIn(question, self.run_it("cache", "list"))
        exported = [json.loads(line) for line in self.run_it("cache", "export").splitlines()]
        self.assertEqual(exported, [entry])
        self.run_it("cache", "export", "--output", str(self.home / "out.jsonl"))
        self.assertEqual(json.loads((self.home / "out.jsonl").read_text()), entry)
        stats = self.json_of("cache", "stats")
        self.assertEqual((stats["entries"], stats["namespaces"], stats["enabled"]), (1, 1, True))
        self.run_it("cache", "rm", status=USAGE)
        self.run_it("cache", "rm", "ffff0000", status=USAGE)
        self.assertEqual(self.json_of("cache", "rm", entry["id"][:8])["removed"], 1)
        self.assertEqual(self.entries(), [])

    def test_a_rejected_answer_never_comes_back(self):
        question = self.remember()
        self.assertEqual(self.ask(question)["tier"], "l1")
        told = self.json_of("feedback", "last", "bad")
        self.assertTrue(told["cache"]["removed"])
        for _ in range(2):
            self.assertEqual(self.ask(question)["tier"], "l2")
        self.assertEqual(self.entries(), [])
        self.assertGreaterEqual(self.json_of("cache", "stats")["rejected"], 1)

    def test_without_a_log_an_entry_is_rejected_by_its_name(self):
        self.environment["TINYARMS_LOG_DECISIONS"] = "false"
        question = self.remember()
        told = self.json_of("feedback", self.entries()[0]["id"], "bad")
        self.assertTrue(told["cache"]["removed"])
        self.assertEqual(self.ask(question)["tier"], "l2")
        self.assertEqual(self.entries(), [])

    def test_an_old_answer_is_not_given(self):
        question = self.remember()
        self.assertEqual(self.ask(question)["tier"], "l1")
        database = self.home / "cache" / "tinyarms" / "answers.sqlite"
        with sqlite3.connect(database) as connection:
            connection.execute("UPDATE answers SET created_at = created_at - 7200")
        connection.close()
        self.environment["TINYARMS_L1_CACHE_TTL"] = "3600"
        self.assertTrue(self.entries()[0]["expired"])
        self.assertEqual(self.ask(question)["tier"], "l2")
        self.assertFalse(self.entries()[0]["expired"], "remembered anew")

    def test_a_repository_and_its_state_are_namespaces(self):
        git = self.work / ".git" / "refs" / "heads"
        git.mkdir(parents=True)
        (self.work / ".git" / "HEAD").write_text("ref: refs/heads/main\n")
        (git / "main").write_text("a" * 40)
        question = self.remember()
        self.assertEqual(self.entries()[0]["namespace"]["project"], str(self.work))
        self.assertEqual(self.ask(question)["tier"], "l1")
        (git / "main").write_text("b" * 40)
        self.assertEqual(self.ask(question)["tier"], "l2")
        self.assertEqual(self.json_of("cache", "stats")["namespaces"], 2)

    def serve(self):
        process = subprocess.Popen([BINARY, "serve", "--port", "0", "--json"],
                                   env=self.environment, cwd=self.work, stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)

        def stop():
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=60)
        self.addCleanup(stop)
        return json.loads(process.stdout.readline())["port"]

    def chat(self, port, key, question):
        body = {"model": "auto:fast", "max_tokens": 24, "temperature": 0,
                "messages": [{"role": "user", "content": question}],
                "tinyarms": {"confidence_threshold": 0}}
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=300)
        connection.request("POST", "/v1/chat/completions", json.dumps(body),
                           {"Content-Type": "application/json", "Authorization": f"Bearer {key}"})
        reply = connection.getresponse()
        text = reply.read()
        connection.close()
        self.assertEqual(reply.status, 200, text)
        return json.loads(text)["tinyarms"]["tier"]

    def test_each_key_of_a_server_has_answers_of_its_own(self):
        key = {name: self.json_of("keys", "add", name)["key"] for name in ("ann", "bob")}
        key["bob again"] = self.json_of("keys", "add", "bob2", "--owner", "bob")["key"]
        port = self.serve()
        for question in (QUESTION, "Say hello", "What is the capital of France"):
            self.assertEqual(self.chat(port, key["bob"], question), "l2")
            if self.entries():
                break
        (entry,) = self.entries()
        self.assertEqual(entry["namespace"]["user"], "bob")
        self.assertEqual(self.chat(port, key["bob"], question), "l1")
        self.assertEqual(self.chat(port, key["bob again"], question), "l1", "one owner")
        self.assertEqual(self.chat(port, key["ann"], question), "l2", "never another's")
        self.assertEqual({each["namespace"]["user"] for each in self.entries()}, {"ann", "bob"})
        self.assertEqual(self.ask(question)["tier"], "l2", "the command line is nobody of these")

    def test_off_and_on(self):
        question = self.remember()
        self.assertFalse(self.json_of("cache", "off")["enabled"])
        self.assertEqual(self.ask(question)["tier"], "l2")
        self.assertFalse(self.json_of("cache", "stats")["enabled"])
        self.assertTrue(self.json_of("cache", "on")["enabled"])
        self.assertEqual(self.ask(question)["tier"], "l1")
        self.environment["TINYARMS_L1_CACHE"] = "true"
        self.assertTrue(self.json_of("cache", "off")["enabled"], "the variable is stronger")


def main():
    global BINARY, STORE
    binary, models = sys.argv[1:3]
    BINARY = str(pathlib.Path(binary).resolve())
    if not (pathlib.Path(models) / f"{MODEL}.gguf").exists():
        print(f"SKIPPED: {MODEL} is missing from {models}; ./setup/install fetches it")
        return 77
    with tempfile.TemporaryDirectory(prefix="tinyarms-cache-models-") as folder:
        home = pathlib.Path(folder)
        environment = {"HOME": folder, "PATH": os.environ["PATH"], "XDG_DATA_HOME": folder}
        minilm = str(pathlib.Path(models) / "all-minilm-l6-v2")
        for words in ((str(pathlib.Path(models) / f"{MODEL}.gguf"),),
                      (minilm, "--quantization", "f32", "--name", "all-minilm-l6-v2.f32")):
            subprocess.run([BINARY, "models", "import", *words], env=environment, check=True,
                           capture_output=True)
        STORE = str(home / "tinyarms" / "models")
        result = unittest.main(argv=[sys.argv[0]], exit=False).result
    return 0 if result.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main())
