#!/usr/bin/env python3
"""`ask` and `chat` through a running server of the same user, from outside, with real weights.

usage: check_running_server.py BINARY MODELS_DIR
"""

import json
import os
import pathlib
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
import unittest

BINARY = ""
MODEL = "smollm2-135m-instruct.q4_1"
RULE = "What is 0xff in decimal?"
QUESTION = "Name a prime number"
STORE = ""
UNLIKE = {"seconds", "id", "cost", "usage", "answered_by"}  # from one climb to the next


def alike(reply):
    """What two climbs of the same question must agree on."""
    if isinstance(reply, dict):
        return {name: alike(value) for name, value in reply.items() if name not in UNLIKE}
    return [alike(one) for one in reply] if isinstance(reply, list) else reply


class RunningServer(unittest.TestCase):
    def setUp(self):
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="tinyarms-running-"))
        self.addCleanup(shutil.rmtree, self.home, ignore_errors=True)
        self.work = self.home / "work"
        self.work.mkdir()
        self.runtime = self.home / "runtime"
        self.runtime.mkdir(mode=0o700)
        self.environment = {
            "HOME": str(self.home), "PATH": os.environ["PATH"],
            "XDG_RUNTIME_DIR": str(self.runtime), "TINYARMS_L2_MODEL": MODEL,
            "TINYARMS_L1_CACHE": "false", "TINYARMS_THREADS": "1", "OMP_WAIT_POLICY": "passive"}
        for name in ("ASAN_OPTIONS", "LSAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS"):
            if name in os.environ:
                self.environment[name] = os.environ[name]
        folder = self.home / ".local" / "share" / "tinyarms"
        folder.mkdir(parents=True)
        (folder / "models").symlink_to(STORE)
        self.addCleanup(self.run_it, "serve", "--stop", exits=None)

    def run_it(self, *words, exits=0, stdin="", cwd=None, **environment):
        done = subprocess.run([BINARY, *words], env={**self.environment, **environment},
                              input=stdin, cwd=cwd or self.work, capture_output=True, text=True,
                              timeout=300)
        if exits is not None:
            self.assertEqual(done.returncode, exits, done.stderr + done.stdout)
        return done

    def ask(self, *words, **options):
        done = self.run_it("ask", "--json", *words, **options)
        return json.loads(done.stdout), done.stderr

    def start(self, *flags, exits=0, **environment):
        done = self.run_it("serve", "--detach", "--port", "0", "--json", *flags, exits=exits,
                           **environment)
        return json.loads(done.stdout)

    def sockets(self):
        return [one for one in (self.runtime / "tinyarms").iterdir() if one.is_socket()]

    def test_its_answers_are_those_of_this_process(self):
        self.start()
        for words in ([RULE], ["--tier", "l2", "--max-tokens", "12", QUESTION],
                      ["--max-tier", "l2", "--confidence-threshold", "l2=0.99", "--max-tokens",
                       "12", QUESTION], ["--tier", "l3", QUESTION]):
            with self.subTest(words):
                served, errors = self.ask(*words, exits=None)
                alone, _ = self.ask("--no-server", *words, exits=None)
                self.assertEqual(served["answered_by"], "server", errors)
                self.assertEqual(alone["answered_by"], "process")
                self.assertEqual(alike(served), alike(alone))
                self.assertEqual(errors, "")
        one = self.run_it("ask", "--tier", "l2", "--max-tokens", "12", QUESTION)
        two = self.run_it("ask", "--no-server", "--stream", "--tier", "l2", "--max-tokens", "12",
                          QUESTION)
        streamed = self.run_it("ask", "--stream", "--explain", "--tier", "l2", "--max-tokens",
                               "12", QUESTION)
        self.assertEqual(one.stdout, two.stdout)
        self.assertEqual(one.stdout, streamed.stdout)
        self.assertIn("by the running server", one.stderr)
        self.assertNotIn("by the running server", two.stderr)
        self.assertIn("p_mean=", streamed.stderr)  # its evidence came along

    def test_no_reply_is_lost_on_its_way(self):
        self.start()
        for _ in range(60):
            reply, errors = self.ask(RULE)
            self.assertEqual((reply["answered_by"], errors), ("server", ""))

    def test_files_and_the_folder_of_whoever_asks(self):
        self.start()
        (self.work / "a.py").write_text("def f(x):\n    return x\n")
        words = ("-f", "a.py", "--tier", "l2", "--max-tokens", "8", "What does this do?")
        self.assertEqual(alike(self.ask(*words)[0]), alike(self.ask("--no-server", *words)[0]))
        elsewhere = self.home / "elsewhere"
        elsewhere.mkdir()
        self.assertEqual(self.ask(RULE, cwd=elsewhere)[0]["answered_by"], "server")

    def test_chat(self):
        self.start()
        done = self.run_it("chat", "--tier", "l2", "--max-tokens", "8",
                           stdin="Name a colour\nAnother one\n/explain\n")
        self.assertEqual(done.stderr.count("by the running server"), 2, done.stderr)
        alone = self.run_it("chat", "--no-server", "--tier", "l2", "--max-tokens", "8",
                            stdin="Name a colour\nAnother one\n")
        self.assertEqual(done.stdout, alone.stdout)

    def test_another_footing_is_said_and_this_process_answers(self):
        self.start()
        for flags, environment, name in (
                (["--threads", "2"], {}, "threads"), (["--no-offline"], {}, "offline"),
                ([], {"TINYARMS_L2_SYSTEM_PROMPT": "Be brief."}, "l2.system_prompt")):
            reply, errors = self.ask(*flags, RULE, **environment)
            self.assertEqual(reply["answered_by"], "process")
            self.assertEqual(len(errors.splitlines()), 1, errors)
            self.assertIn(f"({name} differ there)", errors)
        (self.work / ".tinyarms.toml").write_text("[l3]\nenabled = false\n")
        reply, errors = self.ask(RULE)
        self.assertEqual(reply["answered_by"], "process")
        self.assertIn("l3.enabled", errors)
        (self.work / ".tinyarms.toml").write_text("[sampling]\nseed = 4\n")
        self.assertEqual(self.ask(RULE)[0]["answered_by"], "server")  # that travels along
        # A file read at its start that was written since.
        config = self.home / ".config" / "tinyarms" / "config.toml"
        config.parent.mkdir(parents=True)
        config.write_text("threads = 1\n[l1]\nsimilarity = 0.9\n")
        self.assertIn("l1.similarity", self.ask(RULE)[1])
        place = json.loads(self.run_it("serve", "--status", "--json").stdout)["server"]
        os.kill(place["pid"], signal.SIGHUP)
        deadline = time.monotonic() + 60
        while self.ask(RULE)[0]["answered_by"] != "server":
            self.assertLess(time.monotonic(), deadline)
        quiet = self.run_it("ask", "-q", "--threads", "2", RULE)
        self.assertEqual(quiet.stderr, "")

    def test_a_setting_keeps_it_away(self):
        self.start()
        reply, errors = self.ask(RULE, TINYARMS_USE_SERVER="false")
        self.assertEqual((reply["answered_by"], errors), ("process", ""))

    def test_a_killed_server_is_noticed_once(self):
        place = self.start()
        os.kill(place["pid"], signal.SIGKILL)
        while pathlib.Path(f"/proc/{place['pid']}").exists():
            try:
                os.waitpid(place["pid"], os.WNOHANG)
            except ChildProcessError:
                pass
            if pathlib.Path(f"/proc/{place['pid']}/stat").read_text().split()[2] == "Z":
                break
        self.assertEqual(len(self.sockets()), 1)
        reply, errors = self.ask(RULE)
        self.assertEqual(reply["answered_by"], "process")
        self.assertIn("has gone; this process answers", errors)
        self.assertEqual(self.sockets(), [])
        self.assertEqual(self.ask(RULE)[1], "")
        self.run_it("serve", "--status", exits=1)
        self.assertNotEqual(self.start()["pid"], place["pid"])
        self.assertEqual(self.ask(RULE)[0]["answered_by"], "server")

    def test_a_server_killed_amid_its_answer(self):
        place = self.start()
        asking = subprocess.Popen(
            [BINARY, "ask", "--stream", "--tier", "l2", "--max-tokens", "200", "--stop", "zzz",
             "Count from one to a hundred in words"], env=self.environment, cwd=self.work,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        first = os.read(asking.stdout.fileno(), 1)
        os.kill(place["pid"], signal.SIGKILL)
        out, errors = asking.communicate(timeout=300)
        self.assertEqual(asking.returncode, 0, errors)
        self.assertIn(b"ended before its answer was whole; this process answers", errors)
        self.assertGreater(len(first + out), 20)

    def test_a_server_that_is_stuck_costs_a_bounded_time(self):
        place = self.start()
        os.kill(place["pid"], signal.SIGSTOP)
        try:
            begin = time.monotonic()
            reply, errors = self.ask(RULE)
            self.assertLess(time.monotonic() - begin, 60)
            self.assertEqual(reply["answered_by"], "process")
            self.assertIn("does not answer; this process answers", errors)
        finally:
            os.kill(place["pid"], signal.SIGCONT)
        self.assertEqual(self.ask(RULE)[0]["answered_by"], "server")

    def test_ctrl_c_stops_the_answer_there_and_shows_what_there_is(self):
        place = self.start()
        asking = subprocess.Popen(
            [BINARY, "ask", "--stream", "--tier", "l2", "--max-tokens", "2000",
             "Count from one to a thousand in words"], env=self.environment, cwd=self.work,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        os.read(asking.stdout.fileno(), 1)
        asking.send_signal(signal.SIGINT)
        _, errors = asking.communicate(timeout=60)
        self.assertEqual(asking.returncode, 130, errors)
        self.assertIn(b"by the running server", errors)
        self.assertIn(b"interrupted", errors)
        # The server is free again at once.
        self.assertEqual(self.ask(RULE)[0]["answered_by"], "server")
        state = json.loads(self.run_it("serve", "--status", "--json").stdout)["server"]
        self.assertEqual((state["pid"], state["running"]), (place["pid"], 0))

    def test_what_is_in_the_way_in_the_runtime_folder(self):
        folder = self.runtime / "tinyarms"
        self.start()
        self.run_it("serve", "--stop")
        name = next(folder.glob("*.lock")).name.replace(".lock", ".socket")
        # Something else that listens, and never answers; then a file, a link, an open folder.
        with socket.socket(socket.AF_UNIX) as silent:
            silent.bind(str(folder / name))
            silent.listen(1)
            reply, errors = self.ask(RULE)
            self.assertEqual(reply["answered_by"], "process")
            self.assertIn("this process answers", errors)
        for left in folder.glob("*.socket"):
            left.unlink()
        (folder / name).write_text("no socket")
        self.assertEqual(self.ask(RULE)[0]["answered_by"], "process")
        folder.chmod(0o755)
        reply, errors = self.ask(RULE)
        self.assertEqual(reply["answered_by"], "process")
        self.assertIn("open to other users", errors)
        folder.chmod(0o700)
        folder.rename(self.runtime / "real")
        folder.symlink_to(self.runtime / "real")
        self.assertIn("is a link", self.ask(RULE)[1])
        done = self.run_it("serve", "--detach", "--port", "0", exits=7)
        self.assertIn("is a link", done.stderr)

    def test_starting_looking_and_ending(self):
        self.run_it("serve", "--status", exits=1)
        self.run_it("serve", "--stop")
        done = self.run_it("serve", "--detach", "--port", "0")
        for words in ("serving in the background: process", "http://127.0.0.1:", "serve.log",
                      "tinyarms serve --stop"):
            self.assertIn(words, done.stderr)
        log = self.home / ".cache" / "tinyarms" / "serve.log"
        self.assertEqual(stat.S_IMODE(log.stat().st_mode), 0o600)
        self.assertEqual(stat.S_IMODE(self.sockets()[0].stat().st_mode) & 0o077, 0)
        first = json.loads(self.run_it("serve", "--status", "--json").stdout)
        again = self.run_it("serve", "--detach", "--port", "0", "--json")
        self.assertEqual(json.loads(again.stdout)["server"]["pid"], first["server"]["pid"])
        self.assertIn("nothing was started", again.stderr)
        self.assertIn("stopped", self.run_it("serve", "--stop").stderr)
        self.assertEqual(self.sockets(), [])
        self.assertIn("finishing what is under way", log.read_text())
        # What goes wrong on the way shows here, not in the log.
        wrong = self.run_it("serve", "--detach", "--host", "0.0.0.0", exits=2)
        self.assertIn("keys add", wrong.stderr)
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = str(taken.getsockname()[1])
            self.assertIn("cannot listen",
                          self.run_it("serve", "--detach", "--port", port, exits=7).stderr)
        self.run_it("serve", "--detach", "--stop", exits=2)

    def test_of_two_that_start_at_once_one_is_announced(self):
        started = [subprocess.Popen([BINARY, "serve", "--detach", "--port", "0", "--json"],
                                    env=self.environment, cwd=self.work, stdout=subprocess.PIPE,
                                    stderr=subprocess.PIPE, text=True) for _ in range(4)]
        statuses = []
        for one in started:
            one.communicate(timeout=120)
            statuses.append(one.returncode)
        self.assertIn(0, statuses)
        self.assertTrue(set(statuses) <= {0, 7}, statuses)
        self.assertEqual(len(self.sockets()), 1)
        self.assertEqual(self.ask(RULE)[0]["answered_by"], "server")
        self.run_it("serve", "--stop")
        self.run_it("serve", "--status", exits=1)

    def test_no_key_and_no_other_way_opens_the_route(self):
        place = self.start("--socket", str(self.home / "public.sock"))
        body = b"{}"
        head = (f"POST /v1/tinyarms/own/ask HTTP/1.1\r\nHost: 127.0.0.1:{place['port']}\r\n"
                "Content-Type: application/json\r\nConnection: close\r\n"
                f"Content-Length: {len(body)}\r\n\r\n").encode()
        tcp = socket.create_connection(("127.0.0.1", place["port"]))
        public = socket.socket(socket.AF_UNIX)
        public.connect(str(self.home / "public.sock"))
        for connection in (tcp, public):
            with connection:
                connection.sendall(head + body)
                self.assertIn(b" 404 ", connection.recv(4096).split(b"\r\n")[0])

    def test_not_announced_where_it_is_not_wanted(self):
        server = subprocess.Popen([BINARY, "serve", "--no-announce", "--port", "0", "--json"],
                                  env=self.environment, cwd=self.work, stdout=subprocess.PIPE)
        try:
            server.stdout.readline()
            self.assertEqual(self.ask(RULE)[0]["answered_by"], "process")
        finally:
            server.terminate()
            server.wait(timeout=60)
            server.stdout.close()


def main():
    global BINARY, STORE
    BINARY = str(pathlib.Path(sys.argv[1]).resolve())
    models = pathlib.Path(sys.argv[2]).resolve()
    if not (models / f"{MODEL}.gguf").exists():
        print(f"SKIPPED: no default weights in {models}: run ./check, which fetches them")
        return 77
    with tempfile.TemporaryDirectory(prefix="tinyarms-store-") as store:
        environment = {**os.environ, "XDG_DATA_HOME": store}
        subprocess.run([BINARY, "models", "import", str(models / f"{MODEL}.gguf"), "--name",
                        MODEL], env=environment, check=True, capture_output=True)
        STORE = str(pathlib.Path(store) / "tinyarms" / "models")
        del sys.argv[1:3]
        return 0 if unittest.main(exit=False).result.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main())
