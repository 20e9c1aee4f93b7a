#!/usr/bin/env python3
"""Prefixes beside the context from outside: conversations take turns, and a server is stopped and
started again; its tokens are counted.

check_prefixes.py TINYARMS MODELS
"""

import http.client
import json
import os
import pathlib
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import unittest

MODEL = "smollm2-135m-instruct.q4_1"
CONTEXT = "Here is a file:\n" + "".join(
    f"def handler_{i}(request): return request.value + {i * 7 % 31}\n" for i in range(70))
ASKED = [{"role": "user", "content": CONTEXT + "What does handler_3 return?"}]
TOKENS_MIN = 1000
SHORTER = [{"role": "user", "content": CONTEXT[:600] + "\nWhat does handler_3 return?"}]
SHORTER_TOKENS_MIN = 150
OTHER = [{"role": "user", "content": "Say in one sentence what a hash table is good for, to one "
                                     "who knows lists and has never needed anything else."}]


class Prefixes(unittest.TestCase):
    def setUp(self):
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="tinyarms-prefixes-"))
        self.addCleanup(shutil.rmtree, self.home)
        self.folder = self.home / "cache" / "tinyarms" / "prefixes"
        self.environment = {
            "HOME": str(self.home),
            "PATH": os.environ["PATH"],
            "XDG_CACHE_HOME": str(self.home / "cache"),
            "XDG_CONFIG_HOME": str(self.home / "config"),
            "XDG_DATA_HOME": str(self.home / "data"),
            "TINYARMS_L1_ENABLED": "false",
            "TINYARMS_L2_MODEL": MODEL,
            "TINYARMS_PREFIX_DISK_LIMIT": "256MB",
            "TINYARMS_THREADS": "1",
            "OMP_WAIT_POLICY": "passive",
        }
        for name in ("ASAN_OPTIONS", "LSAN_OPTIONS", "UBSAN_OPTIONS"):
            if name in os.environ:
                self.environment[name] = os.environ[name]
        data = self.home / "data" / "tinyarms"
        data.mkdir(parents=True)
        (data / "models").symlink_to(STORE)
        self.server = None
        self.addCleanup(self.stop)

    def json_of(self, *words):
        done = subprocess.run([BINARY, *words, "--json"], env=self.environment, cwd=self.home,
                              capture_output=True, text=True, timeout=300)
        self.assertEqual(done.returncode, 0, done.stderr + done.stdout)
        return json.loads(done.stdout)

    def start(self):
        self.server = subprocess.Popen(
            [BINARY, "serve", "--port", "0", "--json"], env=self.environment, cwd=self.home,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.port = json.loads(self.server.stdout.readline())["port"]

    def stop(self, how=signal.SIGTERM):
        """Ends the server; returns what it logged."""
        if self.server is None:
            return ""
        self.server.send_signal(how)
        _, log = self.server.communicate(timeout=120)
        self.server = None
        return log

    def send(self, method, path, body=None, key=""):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=300)
        connection.request(method, path, body, {"Content-Type": "application/json",
                                                "Authorization": f"Bearer {key}"})
        reply = connection.getresponse()
        text = reply.read().decode()
        connection.close()
        self.assertEqual(reply.status, 200, text)
        return text

    def chat(self, messages, key=""):
        """The answer, and how many of its prompt's tokens were not computed."""
        body = {"model": "auto:fast", "max_tokens": 16, "temperature": 0, "messages": messages,
                "tinyarms": {"confidence_threshold": 0}}
        reply = json.loads(self.send("POST", "/v1/chat/completions", json.dumps(body), key))
        return (reply["choices"][0]["message"]["content"],
                reply["usage"]["prompt_tokens_details"]["cached_tokens"])

    def metric(self, name):
        for line in self.send("GET", "/metrics").splitlines():
            if line.startswith(name + " "):
                return float(line.split()[1])
        return None

    def files(self):
        return sorted(self.folder.iterdir()) if self.folder.exists() else []

    def test_a_restarted_server_goes_on_where_it_stopped(self):
        self.start()
        answer, cached = self.chat(ASKED)
        self.assertEqual(cached, 0)
        turn = ASKED + [{"role": "assistant", "content": answer},
                        {"role": "user", "content": "And handler_4?"}]
        warm, cached = self.chat(turn)
        self.assertGreaterEqual(cached, TOKENS_MIN)
        self.stop()
        (file,) = self.files()
        self.assertEqual(stat.S_IMODE(file.stat().st_mode), 0o600)
        self.assertEqual(stat.S_IMODE(self.folder.stat().st_mode), 0o700)
        (listed,) = self.json_of("cache", "prefixes")["prefixes"]
        self.assertGreaterEqual(listed["tokens"], TOKENS_MIN)
        self.assertEqual(listed["bytes"], file.stat().st_size)
        self.assertEqual(listed["model"], MODEL)

        self.start()
        self.assertEqual(self.metric("tinyarms_prefix_files"), 0, "nothing is loaded yet")
        restored, cached = self.chat(turn)
        self.assertGreaterEqual(cached, TOKENS_MIN)
        self.assertEqual(restored, warm)
        self.assertGreaterEqual(self.metric("tinyarms_prefix_restored_tokens_total"), TOKENS_MIN)
        self.assertEqual(self.metric("tinyarms_prefix_read_total"), 1)
        self.assertEqual(self.stop(signal.SIGKILL), "", "nothing was written, so nothing is lost")
        self.assertEqual(self.files(), [file])

        whole = file.read_bytes()
        file.write_bytes(whole[:-9] + b"?" + whole[-8:])
        self.start()
        cold, cached = self.chat(turn)
        self.assertEqual(cached, 0)
        self.assertEqual(cold, warm)
        log = self.stop()
        self.assertEqual(log.count("it was removed"), 1, log)

        self.assertEqual(self.json_of("cache", "prefixes", "--remove")["removed"], 1)
        self.assertEqual(self.files(), [])

    def test_another_key_gets_none_of_it(self):
        ann, bob = (self.json_of("keys", "add", name)["key"] for name in ("ann", "bob"))
        self.start()
        self.chat(ASKED, ann)
        self.stop()
        self.start()
        self.assertEqual(self.chat(ASKED, bob)[1], 0)
        self.assertGreaterEqual(self.chat(ASKED, ann)[1], TOKENS_MIN)

    def test_nothing_is_written_unasked(self):
        del self.environment["TINYARMS_PREFIX_DISK_LIMIT"]
        self.start()
        answer, cached = self.chat(SHORTER)
        self.assertEqual(cached, 0)
        self.chat(OTHER)
        self.assertEqual(self.metric("tinyarms_prefix_copies"), 1)
        turn = SHORTER + [{"role": "assistant", "content": answer},
                          {"role": "user", "content": "And handler_4?"}]
        self.assertGreaterEqual(self.chat(turn)[1], SHORTER_TOKENS_MIN)
        self.assertGreaterEqual(self.metric("tinyarms_prefix_recalled_tokens_total"),
                                SHORTER_TOKENS_MIN)
        held = {one["kind"]: one for one in self.json_of("ps")["models"]}
        self.assertEqual(held["prefixes"]["bytes"], self.metric("tinyarms_prefix_copies_bytes"))
        self.assertIsNone(self.metric("tinyarms_prefix_files"))
        self.stop()
        self.assertFalse(self.folder.exists())
        self.assertFalse((self.home / "data" / "tinyarms" / "prefix-key").exists())
        self.assertEqual(self.json_of("cache", "prefixes")["prefixes"], [])


def main():
    global BINARY, STORE
    binary, models = sys.argv[1:3]
    BINARY = str(pathlib.Path(binary).resolve())
    file = pathlib.Path(models) / f"{MODEL}.gguf"
    if not file.exists():
        print(f"SKIPPED: {MODEL} is missing from {models}; ./setup/install fetches it")
        return 77
    with tempfile.TemporaryDirectory(prefix="tinyarms-prefixes-models-") as folder:
        environment = {"HOME": folder, "PATH": os.environ["PATH"], "XDG_DATA_HOME": folder}
        subprocess.run([BINARY, "models", "import", str(file)], env=environment, check=True,
                       capture_output=True)
        STORE = str(pathlib.Path(folder) / "tinyarms" / "models")
        result = unittest.main(argv=[sys.argv[0]], exit=False).result
    return 0 if result.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main())
