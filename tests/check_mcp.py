#!/usr/bin/env python3
"""MCP from outside, without models and without a client library: `tinyarms mcp` on its standard
input and /mcp of `tinyarms serve`.

usage: check_mcp.py BINARY [--times]   (--times: how long calls take over standard input)
"""

import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time
import unittest

import check_door

BINARY = ""
EASY = "What is 0xff in decimal?"
CODE = "try:\n    work()\nexcept:\n    pass\n"
MODERN = "2026-07-28"
ADMIN = ["--scope", "admin", "--scope", "chat", "--scope", "embeddings"]
ENVELOPE = {"_meta": {"io.modelcontextprotocol/protocolVersion": MODERN,
                      "io.modelcontextprotocol/clientCapabilities": {}}}
ACCEPT = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}


def message(method, params=None, number=None):
    made = {"jsonrpc": "2.0", "method": method}
    if params is not None:
        made["params"] = params
    if number is not None:
        made["id"] = number
    return made


def call(name, arguments, number=1, **params):
    return message("tools/call", {"name": name, "arguments": arguments, **params}, number)


def environment(home):
    kept = {name: os.environ[name] for name in ("PATH", "ASAN_OPTIONS", "TSAN_OPTIONS")
            if name in os.environ}
    return {**kept, "HOME": str(home)}


def events(data):
    lines = data.decode().splitlines()
    return [json.loads(line[6:]) for line in lines if line.startswith("data: ")]


class Folder(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="tinyarms-mcp-")
        self.addCleanup(folder.cleanup)
        self.home = pathlib.Path(folder.name) / "home"
        self.root = pathlib.Path(folder.name) / "root"
        (self.root / "sub").mkdir(parents=True)
        self.home.mkdir()
        (self.root / "sub" / "a.py").write_text(CODE, encoding="utf-8")
        (self.root.parent / "secret.py").write_text(CODE, encoding="utf-8")
        (self.root / "way_out.py").symlink_to(self.root.parent / "secret.py")


class Stdio(Folder):
    def talk(self, *lines, flags=()):
        """What comes back for these lines; its input ends after them."""
        text = "".join((line if isinstance(line, str) else json.dumps(line)) + "\n"
                       for line in lines)
        run = subprocess.run([BINARY, "mcp", "--root", str(self.root), *flags], input=text,
                             capture_output=True, text=True, env=environment(self.home),
                             timeout=120, check=False)
        self.assertEqual(run.returncode, 0, run.stderr)
        return [json.loads(line) for line in run.stdout.splitlines()]

    def tool(self, name, arguments):
        return self.talk(call(name, arguments))[0]["result"]

    def test_handshake(self):
        for version in ("2025-06-18", "2025-11-25"):
            got = self.talk(message("initialize", {
                "protocolVersion": version, "capabilities": {},
                "clientInfo": {"name": "t", "version": "1"}}, 1),
                message("notifications/initialized"), message("tools/list", {}, 2))
            self.assertEqual(got[0]["result"]["protocolVersion"], version)
            self.assertEqual([tool["name"] for tool in got[1]["result"]["tools"]],
                             ["ask", "search_code", "scan_rules", "explain_decision", "embed",
                              "feedback"])
            for tool in got[1]["result"]["tools"]:
                self.assertEqual(tool["inputSchema"]["type"], "object")
                self.assertEqual(tool["outputSchema"]["type"], "object")
                self.assertIn("this machine", tool["description"])

    def test_stateless(self):
        got = self.talk(message("server/discover", ENVELOPE, "d"), message("ping", ENVELOPE, "p"),
                        call("ask", {"question": EASY}, "a", **ENVELOPE))
        by_id = {one["id"]: one for one in got}
        self.assertIn(MODERN, by_id["d"]["result"]["supportedVersions"])
        self.assertEqual(by_id["p"]["error"]["code"], -32601)
        self.assertEqual(by_id["a"]["result"]["resultType"], "complete")

    def test_ask_and_explain(self):
        with self.open() as server:
            server.send(call("ask", {"question": EASY}, 1, _meta={"progressToken": 5}))
            notes = []
            while "id" not in (got := server.read()):
                notes.append(got)
            answer = got["result"]["structuredContent"]
            self.assertEqual((answer["tier"], answer["sure"]), ("l0", True))
            self.assertIn("255", answer["answer"])
            self.assertIn("255", got["result"]["content"][0]["text"])
            self.assertTrue(notes)
            steps = [note["params"]["progress"] for note in notes]
            self.assertEqual(steps, sorted(set(steps)))
            self.assertEqual({note["params"]["progressToken"] for note in notes}, {5})
            server.send(call("explain_decision", {"id": answer["id"][:6]}, 2))
            told = server.read()["result"]["structuredContent"]
            self.assertEqual((told["id"], told["tier"]), (answer["id"], "l0"))
            self.assertEqual(told["steps"][0]["decision"], "accept")
            server.send(message("resources/read", {"uri": "tinyarms://traces"}, 3))
            document = json.loads(server.read()["result"]["contents"][0]["text"])
            self.assertEqual([one["id"] for one in document["decisions"]], [answer["id"]])
            server.send(message("resources/read", {"uri": f"tinyarms://traces/{answer['id']}"}, 4))
            self.assertIn("accept", server.read()["result"]["contents"][0]["text"])
            server.send(call("feedback", {"id": "last", "outcome": "good"}, 5))
            refused = server.read()["result"]
            self.assertTrue(refused["isError"])
            self.assertIn("log.decisions", refused["content"][0]["text"])

    def test_feedback_is_logged(self):
        config = self.home / ".config" / "tinyarms"
        config.mkdir(parents=True)
        (config / "config.toml").write_text("log.decisions = true\n", encoding="utf-8")
        with self.open() as server:
            server.send(call("ask", {"question": EASY}, 1))
            answer = server.read()["result"]["structuredContent"]
            self.assertTrue(answer["logged"])
        # Another process knows it from the log.
        got = self.tool("explain_decision", {"id": answer["id"]})
        self.assertEqual(got["structuredContent"]["tier"], "l0")
        got = self.tool("feedback", {"id": answer["id"], "outcome": "good"})
        self.assertEqual(got["structuredContent"]["outcome"], "good")
        got = self.tool("explain_decision", {})
        self.assertEqual(got["structuredContent"]["steps"][-1]["outcome"], "good")

    def test_scan(self):
        got = self.tool("scan_rules", {})["structuredContent"]
        self.assertEqual((got["files"], got["complete"]), (1, True))
        self.assertEqual({(one["path"], one["line"]) for one in got["findings"]},
                         {("sub/a.py", 3)})
        got = self.tool("scan_rules", {"code": CODE, "language": "python"})["structuredContent"]
        self.assertEqual(got["findings"][0]["line"], 3)
        got = self.tool("scan_rules", {"pattern": "work()", "language": "python"})
        self.assertEqual([(one["line"], one["column"], one["code"])
                          for one in got["structuredContent"]["findings"]], [(2, 5, "work()")])

    def test_paths_stay_inside(self):
        outside = str(self.root.parent / "secret.py")
        for path in ("..", "../secret.py", outside, "way_out.py", "/etc", "sub/../../secret.py"):
            got = self.tool("scan_rules", {"paths": [path]})
            self.assertTrue(got["isError"], path)
            self.assertIn("outside", got["content"][0]["text"])
            self.assertNotIn("structuredContent", got)
            got = self.tool("ask", {"question": "what is it?", "files": [path]})
            self.assertTrue(got["isError"], path)
            self.assertIn("outside", got["content"][0]["text"])

    def test_pipes_are_not_read(self):
        os.mkfifo(self.root / "pipe")
        got = self.tool("ask", {"question": "what is it?", "files": ["pipe"]})
        self.assertTrue(got["isError"])
        self.assertIn("no file", got["content"][0]["text"])

    def test_wrong_arguments_are_told(self):
        for name, arguments, word in (
                ("ask", {}, "question"), ("ask", {"question": 7}, "question"),
                ("ask", {"question": "\0"}, "NUL"),
                ("ask", {"question": "x", "tier": "l9"}, "tier"),
                ("ask", {"question": "x", "model": "none"}, "none"),
                ("ask", {"question": "x", "max_tokens": -1}, "max_tokens"),
                ("search_code", {"query": "x", "mode": "magic"}, "mode"),
                ("search_code", {"query": "x", "mode": "words"}, "index"),
                ("scan_rules", {"code": "x"}, "language"), ("scan_rules", {"filter": "("}, ""),
                ("scan_rules", {"pattern": "x", "language": "klingon"}, "language"),
                ("explain_decision", {"id": "none"}, "no decision"),
                ("embed", {"texts": []}, "texts"), ("embed", {"texts": ["x"] * 65}, "64"),
                ("feedback", {"id": "last", "outcome": "so so"}, "outcome")):
            got = self.tool(name, arguments)
            self.assertTrue(got["isError"], (name, arguments))
            self.assertIn(word, got["content"][0]["text"])

    def test_malformed_frames(self):
        deep = '{"jsonrpc":"2.0","id":1,"method":"ping","params":' + "[" * 100 + "]" * 100 + "}"
        got = self.talk("nonsense", "[]", '{"jsonrpc":"2.0","id":4}', deep, "{} {}",
                        '{"jsonrpc":"2.0","id":{},"method":"ping"}', "x" * (5 << 20),
                        message("nothing/here", {}, 8), message("tools/call", {"name": "x"}, 9),
                        message("resources/read", {"uri": "tinyarms://nothing"}, 10),
                        message("ping", {}, 11))
        self.assertEqual([(one["id"], one.get("error", {}).get("code")) for one in got],
                         [(None, -32700), (None, -32600), (4, -32600), (None, -32600),
                          (None, -32700), (None, -32600), (None, -32600), (8, -32601), (9, -32602),
                          (10, -32002), (11, None)])

    def test_ends_with_its_input_or_a_signal(self):
        with self.open() as server:
            server.send(message("ping", {}, 1))
            server.read()
            server.process.send_signal(signal.SIGTERM)
            self.assertEqual(server.process.wait(60), 130)
        with self.open() as server:
            server.process.stdin.close()
            self.assertEqual(server.process.wait(60), 0)

    def test_ends_though_nobody_reads(self):
        with self.open() as server:
            for number in range(40):  # more than a pipe holds
                server.send(message("tools/list", {}, number))
            time.sleep(0.5)
            server.process.send_signal(signal.SIGTERM)
            self.assertEqual(server.process.wait(60), 130)

    def open(self):
        return Open(self.home, self.root)


class Open:
    """A server that stays while a test talks to it."""

    def __init__(self, home, root):
        self.process = subprocess.Popen([BINARY, "mcp", "--root", str(root)],
                                        env=environment(home), stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                        bufsize=0)

    def send(self, what):
        self.process.stdin.write(json.dumps(what).encode() + b"\n")

    def read(self):
        return json.loads(self.process.stdout.readline())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if not self.process.stdin.closed:
            self.process.stdin.close()
        self.process.wait(60)
        self.process.stdout.close()


class Http(Folder):
    def setUp(self):
        super().setUp()
        self.serve = check_door.Serve(self.home, "--root", str(self.root))
        self.addCleanup(self.serve.stop)

    def post(self, body, headers=None, server=None):
        body = body if isinstance(body, (dict, str)) else json.dumps(body)
        return (server or self.serve).ask("POST", "/mcp", body, {**ACCEPT, **(headers or {})})

    def initialize(self, **headers):
        return self.post(message("initialize", {"protocolVersion": "2025-11-25"}, 1), headers)

    @staticmethod
    def modern(body, name=None):
        headers = {"MCP-Protocol-Version": MODERN, "Mcp-Method": body["method"]}
        return headers if name is None else {**headers, "Mcp-Name": name}

    def test_session(self):
        status, headers, data = self.initialize()
        self.assertEqual((status, json.loads(data)["result"]["protocolVersion"]),
                         (200, "2025-11-25"))
        session = {"Mcp-Session-Id": headers["mcp-session-id"],
                   "MCP-Protocol-Version": "2025-11-25"}
        status, _, data = self.post(message("notifications/initialized"), session)
        self.assertEqual((status, data), (202, b""))
        status, headers, data = self.post(call("ask", {"question": EASY}), session)
        self.assertEqual((status, headers["content-type"]), (200, "application/json"))
        self.assertIn("255", json.loads(data)["result"]["structuredContent"]["answer"])
        status, headers, data = self.post(
            call("ask", {"question": EASY}, _meta={"progressToken": "t"}), session)
        self.assertEqual((status, headers["content-type"].split(";")[0]), (200,
                                                                           "text/event-stream"))
        got = events(data)
        self.assertEqual({one["method"] for one in got[:-1]}, {"notifications/progress"})
        self.assertEqual(got[-1]["id"], 1)
        self.assertEqual(self.post(message("ping", {}, 2), {"Mcp-Session-Id": "none"})[0], 404)
        self.assertEqual(self.serve.ask("DELETE", "/mcp", None, session)[0], 204)
        self.assertEqual(self.post(message("ping", {}, 3), session)[0], 404)
        self.assertEqual(self.serve.ask("GET", "/mcp")[0], 405)

    def test_stateless(self):
        body = message("server/discover", ENVELOPE, 1)
        status, headers, data = self.post(body, self.modern(body))
        self.assertEqual(status, 200)
        self.assertNotIn("mcp-session-id", headers)
        self.assertIn(MODERN, json.loads(data)["result"]["supportedVersions"])
        body = call("ask", {"question": EASY}, 2, **ENVELOPE)
        status, _, data = self.post(body, self.modern(body, "ask"))
        self.assertEqual(json.loads(data)["result"]["structuredContent"]["tier"], "l0")
        for wrong, code, status in (
                (self.modern(body), -32020, 400),             # no name
                (self.modern(body, "embed"), -32020, 400),    # another name
                ({**self.modern(body, "ask"), "Mcp-Method": "tools/list"}, -32020, 400),
                ({}, -32020, 400),                            # an envelope without headers
                ({"MCP-Protocol-Version": "2099-01-01"}, -32020, 400)):
            got = self.post(body, wrong)
            self.assertEqual((got[0], json.loads(got[2])["error"]["code"]), (status, code), wrong)
        for method, params, code, status in (
                ("tools/list", {}, -32602, 400), ("ping", ENVELOPE, -32601, 404),
                ("initialize", ENVELOPE, -32601, 404), ("tools/list", {"_meta": {}}, -32602, 400)):
            body = message(method, params, 3)
            got = self.post(body, self.modern(body))
            self.assertEqual((got[0], json.loads(got[2])["error"]["code"]), (status, code), method)
        body = message("tools/list", {"_meta": {**ENVELOPE["_meta"],
                       "io.modelcontextprotocol/protocolVersion": "2099-01-01"}}, 4)
        got = self.post(body, {**self.modern(body), "MCP-Protocol-Version": "2099-01-01"})
        error = json.loads(got[2])["error"]
        self.assertEqual((got[0], error["code"], error["data"]["requested"]),
                         (400, -32022, "2099-01-01"))

    def test_web_pages_are_kept_out(self):
        body = message("tools/list", {}, 1)
        for headers in ({"Host": "evil.example"}, {"Origin": "https://evil.example"},
                        {"Origin": "null"}, {"Host": f"evil.example:{self.serve.port}"}):
            self.assertIn(self.post(body, headers)[0], (403, 421), headers)
        self.assertEqual(self.post(body, {"Content-Type": "text/plain"})[0], 415)

    def test_malformed(self):
        for body, code in (("nonsense", -32700), ([message("ping", {}, 1)], -32600),
                           ("{}", -32600), ('{"jsonrpc":"2.0","id":1}', -32600)):
            status, _, data = self.post(body)
            self.assertEqual((status, json.loads(data)["error"]["code"]), (400, code), body)
        status, _, _ = self.post(message("ping", {"a": "x" * (5 << 20)}, 1))
        self.assertEqual(status, 400)

    def test_keys_see_their_own_only(self):
        added = [json.loads(subprocess.run(
            [BINARY, "keys", "add", name, "--json", *flags], env=environment(self.home),
            capture_output=True, text=True, check=True).stdout)["key"]
            for name, flags in (("ann", []), ("bob", []),
                                ("root", ADMIN))]
        server = check_door.Serve(self.home, "--root", str(self.root))
        self.addCleanup(server.stop)
        self.assertEqual(self.post(message("tools/list", {}, 1), server=server)[0], 401)
        ann, bob, root = ({"Authorization": f"Bearer {key}"} for key in added)
        _, headers, _ = self.post(message("initialize", {}, 1), ann, server)
        session = {"Mcp-Session-Id": headers["mcp-session-id"]}
        self.assertEqual(self.post(message("ping", {}, 2), {**ann, **session}, server)[0], 200)
        self.assertEqual(self.post(message("ping", {}, 2), {**bob, **session}, server)[0], 404)

        def result(body, who):
            return json.loads(self.post(body, who, server)[2])["result"]

        asked = result(call("ask", {"question": EASY}), ann)["structuredContent"]
        explain = call("explain_decision", {"id": asked["id"]})
        self.assertFalse(result(explain, ann)["isError"])
        self.assertTrue(result(explain, bob)["isError"])
        traces = result(message("resources/read", {"uri": "tinyarms://traces"}, 1), bob)
        self.assertEqual(json.loads(traces["contents"][0]["text"]), {"decisions": []})
        self.assertTrue(result(call("scan_rules", {}), ann)["isError"])
        self.assertFalse(result(call("scan_rules", {"code": CODE, "language": "python"}),
                                ann)["isError"])
        self.assertFalse(result(call("scan_rules", {}), root)["isError"])


def times():
    with tempfile.TemporaryDirectory(prefix="tinyarms-mcp-") as home, Open(home, home) as server:
        answers = open(server.process.stdout.fileno(), "rb", closefd=False)
        for name, body in (("ping", message("ping", {}, 1)),
                           ("tools/list", message("tools/list", {}, 1)),
                           ("ask, by rules", call("ask", {"question": EASY})),
                           ("scan_rules, 4 lines", call("scan_rules", {"code": CODE,
                                                                       "language": "python"}))):
            took = []
            for _ in range(1000):
                begin = time.perf_counter()
                server.send(body)
                answers.readline()
                took.append(time.perf_counter() - begin)
            took.sort()
            print(f"{name}: p50 {took[500] * 1e6:.0f} µs, p99 {took[990] * 1e6:.0f} µs")


if __name__ == "__main__":
    BINARY = check_door.BINARY = str(pathlib.Path(sys.argv.pop(1)).resolve())
    times() if sys.argv[1:] == ["--times"] else unittest.main(verbosity=2)
