#!/usr/bin/env python3
"""L4 from outside, against a real llama-server with real weights.

usage: check_remote.py BINARY MODELS_DIR LLAMA_SERVER

Skips loudly where the server or the weights are missing (./setup/install --peers builds both).
"""

import concurrent.futures
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.error
import urllib.request

BINARY, MODELS, SERVER = "", pathlib.Path(), ""
MODEL = "smollm2-135m-instruct.q4_1.gguf"
KEY = "canary-key-7f3a"
LONG = "Write a long story about a dragon and a knight."


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class RealServer:
    """A llama-server on the loopback interface that wants KEY."""

    def __init__(self):
        self.port = free_port()
        self.process = subprocess.Popen(
            [SERVER, "-m", str(MODELS / MODEL), "--host", "127.0.0.1", "--port", str(self.port),
             "-c", "2048", "-t", "2", "--api-key", KEY, "--no-warmup"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 120
        while not self.healthy():
            if time.monotonic() > deadline or self.process.poll() is not None:
                raise RuntimeError("llama-server did not start")
            time.sleep(0.1)

    def healthy(self):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/health", timeout=2) as reply:
                return reply.status == 200
        except (urllib.error.URLError, OSError):
            return False

    def get(self, path):
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}",
                                         headers={"Authorization": f"Bearer {KEY}"})
        with urllib.request.urlopen(request, timeout=10) as reply:
            return json.load(reply)

    def wait_until_busy(self):
        deadline = time.monotonic() + 60
        while not any(slot["is_processing"] for slot in self.get("/slots")):
            if time.monotonic() > deadline:
                raise RuntimeError("llama-server was not asked")
            time.sleep(0.01)

    def place(self):
        return f"127.0.0.1:{self.port}"

    def stop(self):
        self.process.kill()
        self.process.wait()


class Remote(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = RealServer()

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()

    def setUp(self):
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="tinyarms-remote-"))
        self.addCleanup(shutil.rmtree, self.home, ignore_errors=True)

    def environment(self, port, **more):
        kept = {name: os.environ[name] for name in ("PATH", "ASAN_OPTIONS", "TSAN_OPTIONS")
                if name in os.environ}
        return {**kept, "HOME": str(self.home), "MY_KEY": KEY, "TINYARMS_OFFLINE": "false",
                "TINYARMS_L4_URL": f"http://127.0.0.1:{port}/v1", "TINYARMS_L4_MODEL": "small",
                "TINYARMS_L4_API_KEY_ENV": "MY_KEY", "TINYARMS_SAMPLING_MAX_TOKENS": "24", **more}

    def ask(self, *arguments, exits=0, port=None, **more):
        done = subprocess.run([BINARY, "ask", "--tier", "l4", *arguments], capture_output=True,
                              cwd=self.home, stdin=subprocess.DEVNULL, check=False, timeout=120,
                              env=self.environment(port or self.server.port, **more))
        self.assertEqual(done.returncode, exits, (done.stdout[-2000:], done.stderr[-2000:]))
        self.assertNotIn(KEY.encode(), done.stdout + done.stderr)
        return done

    def test_answers_with_evidence(self):
        reply = json.loads(self.ask("--json", "Say hello.").stdout)
        self.assertEqual(reply["tier"], "l4")
        self.assertTrue(reply["answer"])
        evidence = reply["trace"][-1]["evidence"]
        for name in ("tokens", "p_mean", "sequence_logprob", "margin_mean", "finished"):
            self.assertIn(name, evidence)
        self.assertTrue(0 < evidence["p_mean"] <= 1)
        self.assertGreater(reply["usage"]["prompt_tokens"], 0)

    def test_greedy_is_what_our_engine_says(self):
        """The same file, prompt and temperature 0: the same words, as far as both went."""
        remote = json.loads(self.ask("--json", "Name three primary colours.").stdout)["answer"]
        local = subprocess.run(
            [BINARY, "ask", "--json", "--tier", "l2", "Name three primary colours."],
            capture_output=True, cwd=self.home, stdin=subprocess.DEVNULL, check=False, timeout=120,
            env=self.environment(1, TINYARMS_L2_MODEL=str(MODELS / MODEL), TINYARMS_OFFLINE="true"))
        ours = json.loads(local.stdout)["answer"]
        shorter = min(len(remote), len(ours))
        self.assertGreater(shorter, 10)
        self.assertEqual(remote[:shorter], ours[:shorter])

    def test_offline_is_the_default_and_wins(self):
        reply = json.loads(self.ask("--json", "--offline", "Say hello.", exits=3).stdout)
        self.assertIn("offline", reply["trace"][-1]["reason"])

    def test_a_wrong_key_is_said_without_showing_it(self):
        done = self.ask("--json", "Say hello.", exits=6, MY_KEY="canary-key-wrong")
        self.assertIn(b"key", done.stdout)
        self.assertNotIn(b"canary", done.stdout + done.stderr)

    def test_the_key_may_stand_in_a_file(self):
        file = self.home / "key"
        file.write_text(KEY + "\n", encoding="utf-8")
        file.chmod(0o600)
        places = {"TINYARMS_L4_API_KEY_FILE": str(file), "TINYARMS_L4_API_KEY_ENV": "",
                  "MY_KEY": ""}
        self.ask("Say hello.", **places)
        file.chmod(0o644)
        done = self.ask("--json", "Say hello.", exits=6, **places)
        self.assertIn(b"chmod 600", done.stdout)

    def test_a_day_has_its_budget(self):
        terms = {"TINYARMS_L4_BUDGET_PER_DAY": "100", "TINYARMS_L4_PRICE_INPUT": "1000000",
                 "TINYARMS_L4_PRICE_OUTPUT": "1000000"}  # a dollar a token
        step = json.loads(self.ask("--json", "Say hello.", **terms).stdout)["trace"][-1]
        cost = step["cost"]
        self.assertEqual(cost["dollars"], cost["prompt_tokens"] + cost["completion_tokens"])
        self.assertIn("of 100.0000 US dollars", step["evidence"]["budget"])
        refused = json.loads(self.ask("--json", "Say hello.", exits=5, **terms).stdout)["trace"][-1]
        self.assertEqual(refused["error"], "over_budget")
        stats = json.loads(subprocess.run(
            [BINARY, "stats", "--json"], capture_output=True, cwd=self.home, check=True, timeout=60,
            env=self.environment(self.server.port, **terms)).stdout)
        self.assertEqual(stats["budget"]["spent"], cost["dollars"])
        self.assertEqual((stats["budget"]["questions"], stats["budget"]["held"]), (1, 0))
        del terms["TINYARMS_L4_PRICE_INPUT"], terms["TINYARMS_L4_PRICE_OUTPUT"]
        done = self.ask("--json", "Say hello.", exits=6, **terms)
        self.assertIn(b"no price of small is known", done.stdout)

    def test_nobody_there(self):
        done = self.ask("--json", "Say hello.", exits=7, port=free_port())
        reason = json.loads(done.stdout)["trace"][-1]
        self.assertIn("127.0.0.1", json.dumps(reason))

    def test_ctrl_c_keeps_what_there_is(self):
        process = subprocess.Popen(
            [BINARY, "ask", "--tier", "l4", "--stream", "Count from 1 to 1000 in words."],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL,
            cwd=self.home, env=self.environment(self.server.port,
                                                TINYARMS_SAMPLING_MAX_TOKENS="1500"))
        self.assertTrue(process.stdout.read(1))
        process.send_signal(signal.SIGINT)
        asked = time.monotonic()
        process.communicate(timeout=60)
        self.assertEqual(process.returncode, 130)
        self.assertLess(time.monotonic() - asked, 10)

    def test_a_server_killed_in_mid_stream(self):
        server = RealServer()
        self.addCleanup(server.stop)
        process = subprocess.Popen(
            [BINARY, "ask", "--tier", "l4", "--stream", "Count from 1 to 1000 in words."],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL,
            cwd=self.home, env=self.environment(server.port, TINYARMS_SAMPLING_MAX_TOKENS="1500"))
        self.assertTrue(process.stdout.read(1))
        server.stop()
        _, errors = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 7, errors)
        self.assertIn(b"127.0.0.1", errors)


class Failover(unittest.TestCase):
    """`tinyarms serve` with two real engines behind its L4, one of which dies."""

    def setUp(self):
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="tinyarms-failover-"))
        self.addCleanup(shutil.rmtree, self.home, ignore_errors=True)
        self.engines = [RealServer(), RealServer()]
        for engine in self.engines:
            self.addCleanup(engine.stop)
        urls = ", ".join(f'"http://{engine.place()}/v1"' for engine in self.engines)
        config = self.home / ".config" / "tinyarms" / "config.toml"
        config.parent.mkdir(parents=True)
        config.write_text(f'offline = false\nl4.url = [{urls}]\nl4.model = "small"\n'
                          'l4.api_key_env = "MY_KEY"\nl1.enabled = false\n', encoding="utf-8")
        kept = {name: os.environ[name] for name in ("PATH", "ASAN_OPTIONS", "TSAN_OPTIONS")
                if name in os.environ}
        self.door = subprocess.Popen(
            [BINARY, "serve", "--port", "0", "--json", "--no-announce"],
            env={**kept, "HOME": str(self.home), "MY_KEY": KEY}, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.addCleanup(self.end_door)
        self.port = json.loads(self.door.stdout.readline())["port"]

    def end_door(self):
        self.door.send_signal(signal.SIGTERM)
        self.door.communicate(timeout=60)

    def post(self, question, tokens, stream=False):
        body = {"model": "l4", "max_tokens": tokens, "stream": stream, "temperature": 0,
                "messages": [{"role": "user", "content": question}], "tinyarms": {"trace": True}}
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}/v1/chat/completions",
                                         json.dumps(body).encode(),
                                         {"Content-Type": "application/json"})
        return urllib.request.urlopen(request, timeout=120)

    def ask(self, question, tokens=8):
        with self.post(question, tokens) as reply:
            whole = json.load(reply)
        self.assertNotIn(KEY, json.dumps(whole))
        evidence = whole["tinyarms"]["trace"][-1]["evidence"]
        return whole["choices"][0]["message"]["content"], evidence

    def test_one_door_behind_another_by_anthropics_api(self):
        kept = {name: os.environ[name] for name in ("PATH", "ASAN_OPTIONS", "TSAN_OPTIONS")
                if name in os.environ}
        done = subprocess.run(
            [BINARY, "ask", "--json", "--tier", "l4", "Say hello."], capture_output=True,
            cwd=self.home, stdin=subprocess.DEVNULL, check=False, timeout=120,
            env={**kept, "HOME": str(self.home / "other"), "TINYARMS_OFFLINE": "false",
                 "TINYARMS_L4_KIND": "anthropic", "TINYARMS_L4_MODEL": "l4",
                 "TINYARMS_L4_URL": f"http://127.0.0.1:{self.port}/v1",
                 "TINYARMS_SAMPLING_MAX_TOKENS": "8"})
        self.assertEqual(done.returncode, 0, done.stderr[-2000:])
        reply = json.loads(done.stdout)
        self.assertEqual(reply["answer"], self.ask("Say hello.")[0])
        self.assertGreater(reply["usage"]["prompt_tokens"], 0)
        self.assertEqual(reply["finish"], "length")

    def test_one_killed_between_questions(self):
        first, second = self.engines
        answer, evidence = self.ask("Say hello.")
        self.assertTrue(answer)
        self.assertEqual(evidence["upstream"], first.place())
        self.assertIn(second.place(), evidence["upstreams_passed"])
        # Nobody is quicker than one that was never asked.
        self.assertEqual(self.ask("Say goodbye.")[1]["upstream"], second.place())
        first.stop()
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics") as reply:
            metrics = reply.read().decode()
        for engine in self.engines:
            self.assertIn(f'tinyarms_upstream_circuit{{upstream="{engine.place()}",'
                          'state="closed"} 1', metrics)
        upstreams = [self.ask(f"Say {number}.")[1] for number in range(5)]
        self.assertEqual({one["upstream"] for one in upstreams}, {second.place()})

    def test_one_killed_while_nobody_sees_its_answer(self):
        first, second = self.engines
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            asked = pool.submit(self.ask, LONG, 700)
            first.wait_until_busy()
            first.stop()
            answer, evidence = asked.result(timeout=300)
        self.assertTrue(answer)
        self.assertEqual(evidence["upstream"], second.place())
        self.assertIn(first.place(), evidence["upstreams_passed"])

    def test_one_killed_after_text_was_shown(self):
        first, second = self.engines
        events = []
        with self.post(LONG, 1500, stream=True) as stream:
            for line in stream:
                if not line.startswith(b"data: {"):
                    continue
                events.append(json.loads(line[6:]))
                deltas = [one["choices"][0]["delta"].get("content") for one in events
                          if one.get("choices")]
                if any(deltas) and first.process.poll() is None:
                    first.stop()
        self.assertIn("error", events[-1])
        self.assertIn(first.place(), events[-1]["error"]["message"])
        self.assertFalse(any(one.get("choices") and one["choices"][0].get("finish_reason")
                             for one in events))
        self.assertFalse(any(slot["is_processing"] for slot in second.get("/slots")))
        # The door lives on, and so does the tier.
        self.assertEqual(self.ask("Say hello.")[1]["upstream"], second.place())


def main():
    global BINARY, MODELS, SERVER
    BINARY, MODELS, SERVER = sys.argv[1], pathlib.Path(sys.argv[2]), sys.argv[3]
    for needed in (MODELS / MODEL, pathlib.Path(SERVER)):
        if not needed.exists():
            print(f"SKIPPED: {needed} is missing; ./setup/install --peers --tests brings it")
            sys.exit(77)
    unittest.main(argv=sys.argv[:1], verbosity=2)


if __name__ == "__main__":
    main()
