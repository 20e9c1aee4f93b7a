#!/usr/bin/env python3
"""`tinyarms serve` from outside: what needs no model.

usage: check_door.py BINARY
"""

import http.client
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import ssl
import stat
import subprocess
import sys
import tempfile
import unittest

BINARY = ""
CASES = pathlib.Path(__file__).resolve().parent / "http" / "malformed.txt"
QUESTION = {"model": "auto", "messages": [{"role": "user", "content": "What is 0xff in decimal?"}]}
JSON = {"Content-Type": "application/json"}


class Serve:
    """A server on a port of its own, with folders of its own."""

    def __init__(self, home, *flags, env=None):
        self.home = home
        kept = {name: os.environ[name] for name in ("PATH", "ASAN_OPTIONS", "TSAN_OPTIONS")
                if name in os.environ}
        self.process = subprocess.Popen(
            [BINARY, "serve", "--port", "0", "--json", *flags],
            env={**kept, "HOME": str(home), **(env or {})}, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(self.process.stderr.read())
        self.place = json.loads(line)
        self.port = self.place["port"]

    def raw(self, data, half_close=False, seconds=60):
        """What comes back until the server closes, or a complete reply has come."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=seconds) as connection:
            try:
                connection.sendall(data)
                if half_close:
                    connection.shutdown(socket.SHUT_WR)
            except OSError:
                pass
            reply = b""
            try:
                while piece := connection.recv(65536):
                    reply += piece
            except ConnectionResetError:
                pass
            return reply

    def ask(self, method, path, body=None, headers=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        text = json.dumps(body) if isinstance(body, dict) else body
        connection.request(method, path, text, headers or (JSON if body is not None else {}))
        reply = connection.getresponse()
        data = reply.read()
        connection.close()
        return reply.status, dict((k.lower(), v) for k, v in reply.getheaders()), data

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            _, errors = self.process.communicate(timeout=60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            _, errors = self.process.communicate()
        return self.process.returncode, errors


def malformed():
    for number, line in enumerate(CASES.read_text(encoding="utf-8").splitlines(), 1):
        if line.startswith("#") or not line:
            continue
        name, _, text = line.partition("\t")
        data = text.encode("utf-8").decode("unicode_escape", "surrogateescape")
        data = re.sub(r"\*A(\d+)\*", lambda m: "a" * int(m[1]), data)
        data = re.sub(r"\*F(\d+)\*", lambda m: "X: 1\r\n" * int(m[1]), data)
        yield f"{number} {name}", data.encode("latin-1", "replace")


class Door(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.home = pathlib.Path(tempfile.mkdtemp(prefix="tinyarms-door-"))
        cls.serve = Serve(cls.home)

    @classmethod
    def tearDownClass(cls):
        status, errors = cls.serve.stop()
        shutil.rmtree(cls.home, ignore_errors=True)
        assert status == 0, errors

    def test_health_models_and_metrics(self):
        status, headers, body = self.serve.ask("GET", "/health")
        self.assertEqual((status, json.loads(body)["status"]), (200, "ok"))
        self.assertEqual(headers["x-content-type-options"], "nosniff")
        self.assertNotIn("access-control-allow-origin", headers)
        names = [one["id"] for one in json.loads(self.serve.ask("GET", "/v1/models")[2])["data"]]
        for name in ("auto", "auto:fast", "auto:best", "l0", "l4"):
            self.assertIn(name, names)
        self.assertEqual(self.serve.ask("GET", "/v1/models/auto:best")[0], 200)
        self.assertEqual(self.serve.ask("GET", "/v1/models/none")[0], 404)
        text = self.serve.ask("GET", "/metrics")[2].decode()
        self.assertIn("tinyarms_http_requests_total", text)
        self.assertEqual(self.serve.ask("HEAD", "/health")[::2], (200, b""))

    def test_an_answer_with_its_facts(self):
        status, headers, body = self.serve.ask("POST", "/v1/chat/completions", QUESTION)
        self.assertEqual(status, 200, body)
        reply = json.loads(body)
        self.assertIn("255", reply["choices"][0]["message"]["content"])
        self.assertEqual(reply["choices"][0]["finish_reason"], "stop")
        self.assertEqual(reply["tinyarms"]["tier"], "l0")
        self.assertEqual(headers["x-tinyarms-tier"], "l0")
        self.assertEqual(headers["x-tinyarms-calibrated"], "false")
        self.assertEqual(headers["x-tinyarms-trace-id"], headers["x-request-id"])

    def test_a_stream(self):
        status, headers, body = self.serve.ask(
            "POST", "/v1/chat/completions",
            {**QUESTION, "stream": True, "n": 2, "stream_options": {"include_usage": True}})
        self.assertEqual(status, 200)
        self.assertTrue(headers["content-type"].startswith("text/event-stream"))
        events = [line[6:] for line in body.decode().split("\n") if line.startswith("data: ")]
        self.assertEqual(events[-1], "[DONE]")
        chunks = [json.loads(event) for event in events[:-1]]
        self.assertEqual([c["choices"][0]["delta"].get("role") for c in chunks[:2]],
                         ["assistant", "assistant"])
        for index in (0, 1):
            text = "".join(c["choices"][0]["delta"].get("content") or "" for c in chunks
                           if c["choices"] and c["choices"][0]["index"] == index)
            self.assertIn("255", text)
        ends = [c for c in chunks if c["choices"] and c["choices"][0]["finish_reason"]]
        self.assertEqual([c["choices"][0]["finish_reason"] for c in ends], ["stop", "stop"])
        self.assertEqual(chunks[-1]["choices"], [])
        self.assertIn("total_tokens", chunks[-1]["usage"])

    def test_responses(self):
        question = {"model": "auto", "input": "What is 0xff in decimal?"}
        status, headers, body = self.serve.ask("POST", "/v1/responses", question)
        reply = json.loads(body)
        self.assertEqual((status, reply["object"], reply["status"]),
                         (200, "response", "completed"), body)
        self.assertIn("255", reply["output"][0]["content"][0]["text"])
        self.assertEqual(headers["x-tinyarms-tier"], "l0")
        body = self.serve.ask("POST", "/v1/responses", {**question, "stream": True})[2].decode()
        self.assertEqual(re.findall(r"event: (\S+)", body),
                         ["response.created", "response.in_progress",
                          "response.output_item.added", "response.content_part.added",
                          "response.output_text.delta", "response.output_text.done",
                          "response.content_part.done", "response.output_item.done",
                          "response.completed"])
        events = [json.loads(line[6:]) for line in body.split("\n") if line.startswith("data: ")]
        self.assertEqual([event["sequence_number"] for event in events], list(range(len(events))))
        for change, param in [({"input": None}, "input"), ({"input": []}, "input"),
                              ({"input": [{"role": "x", "content": ""}]}, "input[0].role"),
                              ({"input": [{"type": "item_reference"}]}, "input[0].type"),
                              ({"input": [{"type": "function_call"}]}, "input[0].name"),
                              ({"input": [{"type": "function_call_output"}]},
                               "input[0].output"),
                              ({"previous_response_id": "resp_1"}, "previous_response_id"),
                              ({"tools": [{"type": "web_search"}]}, "tools[0].type"),
                              ({"tool_choice": "required"}, "tool_choice"),
                              ({"text": {"format": {"type": "x"}}}, "text.format.type"),
                              ({"text": {"format": {"type": "json_schema", "schema": {"type": 7}}}},
                               "text.format.schema"),
                              ({"background": True}, "background")]:
            status, _, body = self.serve.ask("POST", "/v1/responses", {**question, **change})
            self.assertEqual((status, json.loads(body)["error"]["param"]), (400, param), change)

    def test_models_of_one_pass(self):
        texts, ranked = {"model": "auto", "input": "a"}, {"query": "a", "documents": ["b"]}
        for path, body, param in [
                ("/v1/embeddings", {**texts, "input": ""}, "input"),
                ("/v1/embeddings", {**texts, "input": [[1, 2]]}, "input"),
                ("/v1/embeddings", {**texts, "input": []}, "input"),
                ("/v1/embeddings", {**texts, "input": ["a"] * 2049}, "input"),
                ("/v1/embeddings", {**texts, "dimensions": 0}, "dimensions"),
                ("/v1/embeddings", {**texts, "encoding_format": "x"}, "encoding_format"),
                ("/v1/rerank", {**ranked, "query": ""}, "query"),
                ("/v1/rerank", {**ranked, "documents": [1]}, "documents[0]"),
                ("/v2/rerank", {**ranked, "top_n": 0}, "top_n")]:
            status, _, reply = self.serve.ask("POST", path, body)
            self.assertEqual((status, json.loads(reply)["error"]["param"]), (400, param), body)
        # No name is a path, and what the settings name is not installed here.
        for path, body in (("/v1/embeddings", texts), ("/v1/rerank", ranked)):
            for name in ("nothing", "l2", "/etc/passwd", "../../model.gguf"):
                self.assertEqual(self.serve.ask("POST", path, {**body, "model": name})[0], 404)
            self.assertEqual(self.serve.ask("POST", path, body)[0], 503)
        count = {"model": "auto", "messages": QUESTION["messages"]}
        status, _, reply = self.serve.ask("POST", "/v1/messages/count_tokens", count)
        self.assertEqual((status, json.loads(reply)["type"]), (503, "error"))

    def test_the_description_has_every_route(self):
        document = json.loads(self.serve.ask("GET", "/openapi.json")[2])
        self.assertEqual(document["openapi"], "3.1.0")
        for path, methods in document["paths"].items():
            if path == "/page/{name}":
                continue  # none of its files is called so: check_figures.py looks at them
            for method, operation in methods.items():
                self.assertTrue(operation["summary"], path)
                url = path.replace("{name}", "auto")
                status, _, reply = self.serve.ask(method.upper(), url,
                                                  {} if method == "post" else None)
                if method == "delete":  # of a session: there is none
                    self.assertIn(b"no such session", reply)
                else:
                    self.assertIn(status, (200, 400), path)

    def test_orders_that_are_wrong_name_the_field(self):
        chat, messages = "/v1/chat/completions", "/v1/messages"
        tool = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}
        own = {"name": "f", "input_schema": {"type": "object"}}

        def with_schema(schema):
            return {"tools": [tool, {"type": "function",
                                     "function": {"name": "g", "parameters": schema}}]}

        def formatted(schema):
            return {"response_format": {"type": "json_schema",
                                        "json_schema": {"name": "n", "schema": schema}}}

        deep = {}
        for _ in range(40):
            deep = {"items": deep}
        place, form = "tools[1].function.parameters", "response_format.json_schema.schema"
        for path, change, param in [
                (chat, with_schema({"type": "thing"}), place),
                (chat, with_schema({"$ref": "https://example.com/x"}), place),
                (chat, with_schema({"$ref": "#/$defs/none"}), place),
                (chat, with_schema(deep), place),
                (chat, with_schema({"description": "x" * 70000}), place),
                (chat, with_schema({"enum": [0] * 9000}), place),
                (chat, with_schema("x"), place),
                (chat, {"tools": [tool, tool]}, "tools"),
                (chat, {"tools": [{**tool, "type": "custom"}]}, "tools[0].type"),
                (chat, {"tools": [{"type": "function", "function": {"name": "a b"}}]},
                 "tools[0].function.name"),
                (chat, {"tools": [tool] * 200}, "tools"),
                (chat, {"tools": [tool], "tool_choice": "maybe"}, "tool_choice"),
                (chat, {"tool_choice": "required"}, "tool_choice"),
                (chat, {"tools": [tool], "tool_choice":
                        {"type": "function", "function": {"name": "g"}}}, "tool_choice"),
                (chat, formatted({"type": 7}), form), (chat, formatted(deep), form),
                (chat, {"response_format": {"type": "json_schema"}},
                 "response_format.json_schema"),
                (chat, {"top_logprobs": 3}, "top_logprobs"),
                (chat, {"logprobs": True, "top_logprobs": 21}, "top_logprobs"),
                (chat, {"logit_bias": {"x": 1}}, "logit_bias"),
                (chat, {"logit_bias": {"1": 101}}, "logit_bias"),
                (messages, {"tools": [{**own, "input_schema": {"type": "thing"}}]},
                 "tools[0].input_schema"),
                (messages, {"tools": [{"type": "bash_20250124", "name": "bash"}]},
                 "tools[0].type"),
                (messages, {"tools": [own], "tool_choice": {"type": "tool", "name": "g"}},
                 "tool_choice")]:
            body = {**QUESTION, "max_tokens": 9, **change}
            status, _, reply = self.serve.ask("POST", path, body)
            error = json.loads(reply)["error"]
            self.assertEqual(status, 400, (str(change)[:90], reply))
            if path == chat:
                self.assertEqual(error["param"], param, str(change)[:90])
            else:
                self.assertIn(param, error["message"], change)
        for body, param in [({}, "prompt"), ({"prompt": ""}, "prompt"),
                            ({"prompt": ["a", "b"]}, "prompt"), ({"prompt": [1, 2]}, "prompt"),
                            ({"prompt": "x", "logprobs": 6}, "logprobs"),
                            ({"prompt": "x", "best_of": 2}, "best_of")]:
            status, _, reply = self.serve.ask("POST", "/v1/completions", {"model": "auto", **body})
            self.assertEqual((status, json.loads(reply)["error"]["param"]), (400, param), body)

    def test_orders_are_no_question_for_rules(self):
        tool = {"type": "function", "function": {"name": "f"}}
        for change in ({"tools": [tool]}, {"response_format": {"type": "json_object"}},
                       {"logprobs": True}):
            status, _, body = self.serve.ask("POST", "/v1/chat/completions",
                                             {**QUESTION, **change})
            self.assertEqual(status, 503, (change, body))  # there is no model here
        status, _, body = self.serve.ask("POST", "/v1/chat/completions",
                                         {**QUESTION, "tools": [tool], "tool_choice": "none"})
        self.assertEqual((status, json.loads(body)["tinyarms"]["tier"]), (200, "l0"))

    def test_messages(self):
        question = {**QUESTION, "max_tokens": 32}
        status, headers, body = self.serve.ask("POST", "/v1/messages", question)
        reply = json.loads(body)
        self.assertEqual((status, reply["type"], reply["stop_reason"]),
                         (200, "message", "end_turn"), body)
        self.assertIn("255", reply["content"][0]["text"])
        self.assertEqual(headers["x-tinyarms-tier"], "l0")
        body = self.serve.ask("POST", "/v1/messages", {**question, "stream": True})[2].decode()
        self.assertEqual(re.findall(r"event: (\w+)", body),
                         ["message_start", "content_block_start", "content_block_delta",
                          "content_block_stop", "message_delta", "message_stop"])
        status, _, body = self.serve.ask("POST", "/v1/messages", QUESTION)
        self.assertEqual((status, json.loads(body)["error"]["type"]),
                         (400, "invalid_request_error"))

    def test_wrong_requests_name_the_field(self):
        for change, param in [({"messages": []}, "messages"), ({"messages": "x"}, "messages"),
                              ({"temperature": 3}, "temperature"), ({"n": 0}, "n"),
                              ({"n": "1"}, "n"), ({"stop": [1]}, "stop"), ({"model": ""}, "model"),
                              ({"stream": 1}, "stream"),
                              ({"messages": [{"role": "x", "content": ""}]}, "messages[0].role"),
                              ({"tinyarms": {"tier": "l9"}}, "tinyarms.tier"),
                              ({"response_format": {"type": "x"}}, "response_format.type")]:
            status, _, body = self.serve.ask("POST", "/v1/chat/completions",
                                             {**QUESTION, **change})
            error = json.loads(body)["error"]
            self.assertEqual((status, error["param"]), (400, param), change)
        for body in ("", "{", "[]", "\"x\"", "[" * 5000, '{"a":' * 5000, "\xff"):
            status, _, reply = self.serve.ask("POST", "/v1/chat/completions", body, JSON)
            self.assertEqual(status, 400, body[:20])
            self.assertIn("message", json.loads(reply)["error"])
        status, _, body = self.serve.ask("POST", "/v1/chat/completions",
                                         {**QUESTION, "model": "gpt-nothing"})
        self.assertEqual((status, json.loads(body)["error"]["code"]), (404, "model_not_found"))
        self.assertEqual(self.serve.ask("GET", "/nothing")[0], 404)
        status, headers, _ = self.serve.ask("GET", "/v1/chat/completions")
        self.assertEqual((status, headers["allow"]), (405, "POST"))
        self.assertEqual(self.serve.ask("POST", "/v1/chat/completions", "{}",
                                        {"Content-Type": "text/plain"})[0], 415)

    def test_web_pages_are_kept_out(self):
        for headers in ({"Host": "evil.example"}, {"Origin": "null"},
                        {"Origin": "https://evil.example"}):
            status, replied, _ = self.serve.ask("GET", "/health", headers=headers)
            self.assertEqual(status, 403, headers)
            self.assertNotIn("access-control-allow-origin", replied)

    def test_malformed_requests_get_one_refusal(self):
        count = 0
        follower = b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
        for name, data in malformed():
            reply = self.serve.raw(data + follower, half_close=True)
            statuses = [int(one) for one in re.findall(rb"HTTP/1\.1 (\d{3}) ", reply)]
            last = statuses[-1] if statuses else 400
            with self.subTest(name, reply=reply[:200]):
                self.assertGreaterEqual(last, 400)
                self.assertLess(len(statuses), 3)
                self.assertFalse(statuses[:-1] and not name.endswith("good-then-bad"))
            count += 1
        self.assertGreaterEqual(count, 200)
        self.assertEqual(self.serve.ask("GET", "/health")[0], 200)

    def test_pipelined_requests_are_answered_in_order(self):
        one = "GET /v1/models/{} HTTP/1.1\r\nHost: 127.0.0.1\r\n{}\r\n"
        names = ["auto", "l0", "none", "l1", "auto:fast"]
        data = "".join(one.format(name, "Connection: close\r\n" if i == 4 else "")
                       for i, name in enumerate(names))
        reply = self.serve.raw(data.encode()).decode()
        found = re.findall(r'HTTP/1\.1 (\d+)|"id":"([^"]+)"', reply)
        self.assertEqual([status or name for status, name in found],
                         ["200", "auto", "200", "l0", "404", "200", "l1", "200", "auto:fast"])

    def test_chunks_and_expect(self):
        body = json.dumps(QUESTION).encode()
        head = (b"POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\n"
                b"Content-Type: application/json\r\nConnection: close\r\n")
        chunks = b"".join(b"%x\r\n%s\r\n" % (len(body[i:i + 7]), body[i:i + 7])
                          for i in range(0, len(body), 7)) + b"0\r\n\r\n"
        reply = self.serve.raw(head + b"Transfer-Encoding: chunked\r\n\r\n" + chunks)
        self.assertIn(b"255", reply)
        reply = self.serve.raw(head + b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n%s"
                               % (len(body), body))
        self.assertTrue(reply.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK"))

    def test_thousand_open_connections_leave_room(self):
        held = [socket.create_connection(("127.0.0.1", self.serve.port)) for _ in range(500)]
        try:
            for one in held:
                one.sendall(b"GET /health HTTP/1.1\r\nX")
            self.assertEqual(self.serve.ask("GET", "/health")[0], 200)
        finally:
            for one in held:
                one.close()


class Arrangements(unittest.TestCase):
    def setUp(self):
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="tinyarms-door-"))
        self.addCleanup(shutil.rmtree, self.home, ignore_errors=True)

    def serve(self, *flags, **more):
        serve = Serve(self.home, *flags, **more)
        self.addCleanup(serve.stop)
        return serve

    def test_a_public_address_needs_a_key(self):
        run = subprocess.run([BINARY, "serve", "--host", "0.0.0.0", "--port", "0"],
                             env={"HOME": str(self.home), "PATH": os.environ["PATH"]},
                             capture_output=True, text=True, timeout=60)
        self.assertEqual(run.returncode, 2, run.stderr)
        self.assertIn("tinyarms keys add", run.stderr)

    def test_a_unix_socket_is_its_owners(self):
        path = self.home / "s.sock"
        serve = self.serve("--host", "", "--socket", str(path))
        self.assertEqual(stat.S_IMODE(path.stat().st_mode) & 0o077, 0)
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(path))
            connection.sendall(b"GET /health HTTP/1.0\r\nHost: x\r\n\r\n")
            reply = b""
            while piece := connection.recv(4096):
                reply += piece
        self.assertIn(b"200 OK", reply)
        self.assertEqual(serve.stop()[0], 0)
        self.assertFalse(path.exists())

    def test_a_broken_configuration_leaves_the_old_one(self):
        config = self.home / ".config" / "tinyarms" / "config.toml"
        config.parent.mkdir(parents=True)
        config.write_text("sampling.max_tokens = 7\n")
        serve = self.serve()
        config.write_text("sampling.max_tokens = broken\n")
        serve.process.send_signal(signal.SIGHUP)
        self.assertIn("the old configuration stays", serve.process.stderr.readline())
        self.assertEqual(serve.ask("GET", "/health")[0], 200)
        config.write_text("sampling.max_tokens = 8\n")
        serve.process.send_signal(signal.SIGHUP)
        self.assertIn("read again", serve.process.stderr.readline())
        self.assertEqual(serve.ask("POST", "/v1/chat/completions", QUESTION)[0], 200)

    def test_a_second_signal_ends_it_at_once(self):
        serve = self.serve()
        with socket.create_connection(("127.0.0.1", serve.port), timeout=60) as connection:
            connection.sendall(b"POST /v1/messages HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: "
                               b"application/json\r\nContent-Length: 9\r\n"
                               b"Expect: 100-continue\r\n\r\n")
            self.assertIn(b"100 Continue", connection.recv(100))  # so it is under way
            serve.process.send_signal(signal.SIGINT)
            self.assertIn("finishing", serve.process.stderr.readline())
            serve.process.send_signal(signal.SIGINT)
            self.assertEqual(serve.process.wait(timeout=25), -signal.SIGINT)

    def test_tls(self):
        certificate, key = self.home / "c.pem", self.home / "k.pem"
        made = subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days",
                               "2", "-subj", "/CN=localhost", "-addext",
                               "subjectAltName=DNS:localhost", "-keyout", key, "-out",
                               certificate], capture_output=True)
        self.assertEqual(made.returncode, 0, made.stderr)
        serve = self.serve("--tls-cert", str(certificate), "--tls-key", str(key))
        context = ssl.create_default_context(cafile=str(certificate))
        connection = http.client.HTTPSConnection("localhost", serve.port, context=context,
                                                 timeout=60)
        connection.request("GET", "/health")
        self.assertEqual(connection.getresponse().status, 200)
        connection.close()


if __name__ == "__main__":
    BINARY = sys.argv.pop(1)
    unittest.main()
