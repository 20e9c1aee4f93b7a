#!/usr/bin/env python3
"""The page's files and figures over HTTP, and `tinyarms stats`: what needs no model and no browser.

usage: check_figures.py BINARY
"""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

import check_door

QUESTION = check_door.QUESTION
STATS = "/v1/tinyarms/stats"


def stats(home, *flags):
    kept = {name: os.environ[name] for name in ("PATH", "ASAN_OPTIONS", "TSAN_OPTIONS")
            if name in os.environ}
    run = subprocess.run([check_door.BINARY, "stats", *flags], capture_output=True, text=True,
                         env={**kept, "HOME": str(home)}, check=False)
    return run.returncode, run.stdout, run.stderr


class Figures(unittest.TestCase):
    def setUp(self):
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="tinyarms-figures-"))
        self.addCleanup(shutil.rmtree, self.home, ignore_errors=True)

    def start(self, **settings):
        serve = self.serve = check_door.Serve(self.home, env=settings)
        self.addCleanup(lambda: serve.process.poll() is None and serve.stop())

    def get(self, path, headers=None):
        status, _, body = self.serve.ask("GET", path, headers=headers)
        return status, json.loads(body)

    def post(self, path, body):
        status, _, reply = self.serve.ask("POST", path, body)
        return status, json.loads(reply)

    def ask(self):
        return self.post("/v1/chat/completions", QUESTION)[1]["tinyarms"]

    def test_the_page_and_its_policy(self):
        self.start()
        status, headers, body = self.serve.ask("GET", "/")
        self.assertEqual((status, headers["content-type"]), (200, "text/html; charset=utf-8"))
        self.assertIn("default-src 'none'", headers["content-security-policy"])
        self.assertNotIn("unsafe", headers["content-security-policy"])
        self.assertEqual(headers["x-frame-options"], "DENY")
        self.assertIn(b"/page/app.js", body)
        status, headers, _ = self.serve.ask("GET", "/page/app.js")
        self.assertEqual((status, headers["content-type"]), (200, "text/javascript; charset=utf-8"))
        for path in ("/page/", "/page/none.js", "/page/../app.js", "/page/%2e%2e/app.js",
                     "/page/index.html"):
            self.assertEqual(self.serve.ask("GET", path)[0], 404, path)
        self.assertEqual(self.serve.ask("POST", "/", {})[0], 405)
        self.assertEqual(self.serve.ask("GET", "/", headers={"Host": "evil.example"})[0], 403)
        self.assertEqual(self.serve.ask("GET", STATS, headers={"Origin": "null"})[0], 403)

    def test_without_a_log_this_server_counts(self):
        self.start()
        status, empty = self.get(STATS)
        self.assertEqual((status, empty["decisions"], empty["logged"]), (200, 0, False))
        facts = [self.ask() for _ in range(3)]
        self.assertIsNone(facts[0]["decision_id"])
        _, got = self.get(STATS + "?since=15m")
        self.assertEqual((got["decisions"], got["tiers"][0]["given"]), (3, 3))
        self.assertEqual(sum(one["given"][0] for one in got["timeline"]), 3)
        _, got = self.get("/v1/tinyarms/decisions?limit=2")
        self.assertEqual([one["tier"] for one in got["decisions"]], ["l0", "l0"])
        self.assertEqual(got["decisions"][0]["id"], facts[2]["trace_id"])
        self.assertNotIn("0xff", json.dumps(got))
        told = {"id": facts[0]["trace_id"], "good": True}
        self.assertEqual(self.post("/v1/tinyarms/feedback", told)[0], 200)
        self.assertEqual(self.get(STATS)[1]["outcomes"][0]["right"], 1)
        status, report = self.post("/v1/tinyarms/replay", {"thresholds": {"l2": 0.4}})
        self.assertEqual((status, report["decisions"], report["changed"]), (200, 3, 0))
        self.assertEqual(report["after"]["given"][0], 3)
        self.assertFalse((self.home / ".local/share/tinyarms/decisions.sqlite").exists())
        # The command line reads the log, and says that there is none.
        code, _, notes = stats(self.home)
        self.assertEqual(code, 0)
        self.assertIn("log.decisions", notes)

    def test_page_and_command_line_show_the_same(self):
        self.start(TINYARMS_LOG_DECISIONS="true")
        ids = [self.ask()["decision_id"] for _ in range(4)]
        self.assertEqual(len(set(ids)), 4)
        # A log that was only just made is read while it is written.
        self.assertEqual(self.get(STATS)[0], 200)
        self.assertEqual(stats(self.home, "--json")[0], 0)
        self.serve.stop()  # what was said is written by then
        code, text, notes = stats(self.home, "--json")
        self.assertEqual(code, 0, notes)
        typed = json.loads(text)
        self.start(TINYARMS_LOG_DECISIONS="true")
        shown = self.get(STATS)[1]
        for name in ("decisions", "answered", "tiers", "cache", "escalations", "savings", "intents",
                     "latency_seconds", "advice"):
            self.assertEqual(typed[name], shown[name], name)
        self.assertEqual(typed["decisions"], 4)
        self.assertTrue(shown["logged"])
        self.assertEqual(self.post("/v1/tinyarms/feedback", {"id": ids[1], "good": False})[0], 200)
        typed = json.loads(stats(self.home, "--json", "--since", "7d")[1])
        self.assertEqual((typed["tiers"][0]["bad"], typed["outcomes"][0]["outcomes"]), (1, 1))
        self.assertEqual(self.get(STATS)[1]["tiers"][0]["bad"], 1)
        text = stats(self.home)[1]
        for part in ("4 decisions", "l0", "100 %", "escalations"):
            self.assertIn(part, text)

    def test_bad_input(self):
        self.start()
        for path, param in ((STATS + "?since=never", "since"), (STATS + "?since=0d", "since"),
                            ("/v1/tinyarms/decisions?limit=0", "limit"),
                            ("/v1/tinyarms/decisions?limit=9999999999999999999", "limit")):
            status, reply = self.get(path)
            self.assertEqual((status, reply["error"]["param"]), (400, param), path)
        for path, body, code in (
                ("replay", {}, 400), ("replay", {"thresholds": {}}, 400),
                ("replay", {"thresholds": {"l2": 2}}, 400), ("replay", {"thresholds": []}, 400),
                ("replay", "garbage", 400), ("feedback", {}, 400), ("feedback", {"id": "x"}, 400),
                ("feedback", {"id": 3, "good": True}, 400),
                ("feedback", {"id": "nobody", "good": True}, 404)):
            self.assertEqual(self.post(f"/v1/tinyarms/{path}", body)[0], code, (path, body))
        for flags in (("--since", "never"), ("--since", "7")):
            self.assertEqual(stats(self.home, *flags)[0], 2, flags)
        self.assertNotEqual(stats(self.home, str(self.home / "none.sqlite"))[0], 0)

    def test_stores_and_models(self):
        self.start()
        self.assertEqual(self.get("/v1/tinyarms/models")[1]["models"], [])
        self.assertGreater(self.get("/v1/tinyarms/models")[1]["memory"]["budget_bytes"], 0)
        stores = self.get("/v1/tinyarms/stores")[1]
        self.assertEqual((stores["cache"]["entries"], stores["index"]["files"]), (0, 0))

    def test_keys(self):
        keys = {}
        for name, flags in (("plain", ()), ("chat", ("--scope", "chat")),
                            ("admin", ("--scope", "admin"))):
            made = subprocess.run([check_door.BINARY, "keys", "add", name, *flags, "--json"],
                                  env={"HOME": str(self.home)}, capture_output=True, text=True,
                                  check=True)
            keys[name] = {"Authorization": f"Bearer {json.loads(made.stdout)['key']}"}
        self.start()
        self.assertEqual(self.serve.ask("GET", "/")[0], 200)
        for path, allowed in ((STATS, {"plain"}), ("/v1/tinyarms/decisions", {"admin"}),
                              ("/v1/tinyarms/models", {"plain"}),
                              ("/v1/tinyarms/stores", {"plain"})):
            self.assertEqual(self.get(path)[0], 401, path)
            for name, header in keys.items():
                self.assertEqual(self.get(path, header)[0], 200 if name in allowed else 403,
                                 (path, name))


if __name__ == "__main__":
    check_door.BINARY = str(pathlib.Path(sys.argv[1]).resolve())
    unittest.main(argv=sys.argv[:1], verbosity=2)
