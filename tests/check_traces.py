#!/usr/bin/env python3
"""Traces of questions as a collector gets them, from `tinyarms serve` and `ask`, without models.

usage: check_traces.py BINARY
"""

import http.server
import json
import os
import pathlib
import queue
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import unittest

import check_door

KEY = "canary-key-5e1d"
HEADER = "canary-header-9c2b"
QUESTION = "Why is canary-prompt-77aa blue?"  # no rule knows it
EASY = "What is 0xff in decimal?"             # a rule does
TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
CALLER = f"00-{TRACE}-{PARENT}-01"


class Collector:
    """Takes what comes, by a script of replies; the last of them holds for all further."""

    def __init__(self, *script, port=0):
        self.script = list(script) or [(200, {})]
        self.bodies = queue.Queue()  # of requests that were answered with 200
        self.asked = queue.Queue()   # a status for each that came
        self.heads = []
        self.let_go = threading.Event()
        collector = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                collector.take(self)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def take(self, handler):
        body = handler.rfile.read(int(handler.headers["Content-Length"]))
        self.heads.append((handler.path, dict(handler.headers)))
        status, headers = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        self.asked.put(status)
        if status == "hang":
            self.let_go.wait(120)
            return
        if status == 200:
            self.bodies.put(json.loads(body))
        handler.send_response(status)
        for name, value in {"Content-Type": "application/json", "Content-Length": "2",
                            **headers}.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(b"{}")

    def spans(self, wanted):
        """That many spans, as soon as they are there, and who sent them."""
        spans = []
        while len(spans) < wanted:
            for resource in self.bodies.get(timeout=60)["resourceSpans"]:
                self.resource = facts(resource["resource"]["attributes"])
                for scope in resource["scopeSpans"]:
                    spans += scope["spans"]
        return spans

    def close(self):
        self.let_go.set()
        self.server.shutdown()
        self.server.server_close()


def facts(attributes):
    """Attributes by name; a 64-bit integer stands as text, and only there."""
    read = {}
    for one in attributes:
        (kind, value), = one["value"].items()
        assert (kind == "intValue") <= isinstance(value, str), one
        if kind == "arrayValue":
            value = [next(iter(part.values())) for part in value["values"]]
        read[one["key"]] = int(value) if kind == "intValue" else value
    return read


class Engine:
    """An OpenAI-compatible engine that answers at once, and keeps the heads of what it was sent."""

    def __init__(self):
        self.heads = []
        engine = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                self.rfile.read(int(self.headers["Content-Length"]))
                engine.heads.append(dict(self.headers))
                body = json.dumps({
                    "model": "large-2026",
                    "choices": [{"finish_reason": "stop",
                                 "message": {"role": "assistant", "content": "canary-answer-31"}}],
                    "usage": {"prompt_tokens": 12, "completion_tokens": 3}}).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}/v1"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class Traces(unittest.TestCase):
    def setUp(self):
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="tinyarms-traces-"))
        self.addCleanup(shutil.rmtree, self.home, ignore_errors=True)

    def collector(self, *script):
        collector = Collector(*script)
        self.addCleanup(collector.close)
        return collector

    def serve(self, endpoint, *flags, **env):
        serve = check_door.Serve(self.home, "--no-announce", *flags,
                                 env={"TINYARMS_TELEMETRY_OTLP_ENDPOINT": endpoint,
                                      "OTEL_BSP_SCHEDULE_DELAY": "20", **env})
        self.addCleanup(serve.stop)
        return serve

    def run_program(self, arguments, endpoint, exits=0, **env):
        kept = {name: os.environ[name] for name in ("PATH", "ASAN_OPTIONS", "TSAN_OPTIONS")
                if name in os.environ}
        done = subprocess.run(
            [check_door.BINARY, *arguments], capture_output=True, cwd=self.home,
            stdin=subprocess.DEVNULL, check=False, timeout=120, text=True,
            env={**kept, "HOME": str(self.home), "TINYARMS_TELEMETRY_OTLP_ENDPOINT": endpoint,
                 **env})
        self.assertEqual(done.returncode, exits, done.stdout[-2000:] + done.stderr[-2000:])
        return json.loads(done.stdout), done.stderr

    def ask_in_process(self, question, endpoint, *flags, **env):
        return self.run_program(["ask", "--json", *flags, question], endpoint, **env)

    def question(self, serve, text=EASY, model="auto", **headers):
        body = {"model": model, "max_tokens": 8, "temperature": 0.5,
                "messages": [{"role": "user", "content": text}]}
        return serve.ask("POST", "/v1/chat/completions", body, {**check_door.JSON, **headers})

    def counted(self, serve):
        text = serve.ask("GET", "/metrics")[2].decode()
        return {name: int(float(value)) for name, value in
                re.findall(r'^tinyarms_(spans?_\w+(?:{reason="\w+"})?) (\S+)$', text, re.M)}

    def wait_until(self, serve, name, wanted):
        while self.counted(serve)[name] < wanted:
            pass

    def test_a_question_of_a_traced_caller(self):
        collector = self.collector()
        serve = self.serve(collector.url, OTEL_SERVICE_NAME="desk",
                           OTEL_EXPORTER_OTLP_HEADERS=f"x-collector-key={HEADER}")
        status, headers, _ = self.question(serve, traceparent=CALLER)
        self.assertEqual(status, 200)
        question, tier = collector.spans(2)
        self.assertEqual(collector.heads[0][0], "/v1/traces")
        self.assertEqual(collector.heads[0][1]["Content-Type"], "application/json")
        self.assertEqual(collector.heads[0][1]["x-collector-key"], HEADER)
        self.assertEqual(collector.resource["service.name"], "desk")
        self.assertEqual((question["traceId"], question["parentSpanId"], question["kind"]),
                         (TRACE, PARENT, 2))
        self.assertEqual((tier["traceId"], tier["parentSpanId"], tier["kind"]),
                         (TRACE, question["spanId"], 1))
        about = facts(question["attributes"])
        self.assertEqual(question["name"], "chat auto")
        self.assertEqual(about["gen_ai.operation.name"], "chat")
        self.assertEqual(about["gen_ai.provider.name"], "tinyarms")
        self.assertEqual(about["gen_ai.request.model"], "auto")
        self.assertEqual(about["gen_ai.request.max_tokens"], 8)
        self.assertEqual(about["gen_ai.request.temperature"], 0.5)
        self.assertEqual(about["gen_ai.response.finish_reasons"], ["stop"])
        self.assertEqual(about["tinyarms.tier"], "l0")
        self.assertEqual(about["tinyarms.decision"], "accept")
        for span in (question, tier):
            self.assertEqual(facts(span["attributes"])["tinyarms.request.id"],
                             headers["x-tinyarms-trace-id"])
        self.assertLessEqual(int(question["startTimeUnixNano"]), int(tier["startTimeUnixNano"]))
        self.assertLessEqual(int(tier["endTimeUnixNano"]), int(question["endTimeUnixNano"]))
        # Counted when the collector's reply has come back.
        self.wait_until(serve, "spans_sent_total", 2)
        self.assertEqual(self.counted(serve)["spans_sent_total"], 2)

    def test_who_brings_no_trace_begins_one(self):
        collector = self.collector()
        serve = self.serve(collector.url)
        wrong = [CALLER.upper(), CALLER + "-00", CALLER[:-3], "ff" + CALLER[2:],
                 f"00-{'0' * 32}-{PARENT}-01", "nonsense", ""]
        for header in wrong:
            self.assertEqual(self.question(serve, traceparent=header)[0], 200)
        self.question(serve, traceparent=CALLER[:-1] + "0")  # not to be recorded
        self.question(serve, **{"x-request-id": "the-last"})
        spans = collector.spans(2 * len(wrong) + 2)
        roots = [span for span in spans if "parentSpanId" not in span]
        self.assertEqual(len({span["traceId"] for span in roots}), len(wrong) + 1)
        self.assertNotIn(TRACE, {span["traceId"] for span in spans})
        self.assertEqual(facts(roots[-1]["attributes"])["tinyarms.request.id"], "the-last")

    def test_the_engine_of_l4_is_told_of_its_span(self):
        collector, engine = self.collector(), Engine()
        self.addCleanup(engine.close)
        remote = {"TINYARMS_OFFLINE": "false", "TINYARMS_L4_URL": engine.url, "MY_KEY": KEY,
                  "TINYARMS_L4_MODEL": "large", "TINYARMS_L4_API_KEY_ENV": "MY_KEY",
                  "OTEL_EXPORTER_OTLP_HEADERS": f"x-collector-key={HEADER}"}
        serve = self.serve(collector.url, **remote)
        status, _, body = self.question(serve, QUESTION, "l4", traceparent=CALLER)
        self.assertEqual((status, "canary-answer" in body.decode()), (200, True))
        question, tier = collector.spans(2)
        self.assertEqual(engine.heads[0]["traceparent"], f"00-{TRACE}-{tier['spanId']}-01")
        about = facts(tier["attributes"])
        self.assertEqual((tier["name"], tier["kind"]), ("chat large", 3))
        self.assertEqual(about["gen_ai.provider.name"], "openai")
        self.assertEqual(about["gen_ai.request.model"], "large")
        self.assertEqual(about["gen_ai.response.model"], "large-2026")
        self.assertEqual((about["gen_ai.usage.input_tokens"], about["gen_ai.usage.output_tokens"]),
                         (12, 3))
        self.assertEqual(about["server.address"], "127.0.0.1")
        self.assertEqual([event["name"] for event in question["events"]],
                         ["tinyarms.tier.skipped"] * 4)
        self.assertNotIn("canary", json.dumps([question, tier]))
        status, errors = serve.stop()
        self.assertNotIn("canary", errors)
        # The text of questions where it is kept, answers and keys never; no header where told so.
        serve = self.serve(collector.url, TINYARMS_LOG_PROMPTS="true",
                           TINYARMS_TELEMETRY_PROPAGATE="off", **remote)
        self.question(serve, QUESTION, "l4")
        text = json.dumps(collector.spans(2))
        self.assertIn("canary-prompt", text)
        for never in (KEY, HEADER, "canary-answer"):
            self.assertNotIn(never, text)
        self.assertNotIn("traceparent", engine.heads[1])

    def test_nobody_answers(self):
        collector = self.collector()
        serve = self.serve(collector.url)
        self.assertEqual(self.question(serve, QUESTION, "l3")[0], 503)
        question, = collector.spans(1)
        self.assertEqual(question["status"], {"code": 2})
        self.assertEqual(facts(question["attributes"])["error.type"], "no_answer")

    def test_what_is_refused_for_now_comes_again(self):
        collector = self.collector((429, {"Retry-After": "1"}), (503, {}), (200, {}))
        serve = self.serve(collector.url)
        self.assertEqual(self.question(serve)[0], 200)
        self.assertEqual(len(collector.spans(2)), 2)
        self.assertEqual([collector.asked.get() for _ in range(3)], [429, 503, 200])
        self.wait_until(serve, "spans_sent_total", 2)
        counts = self.counted(serve)
        self.assertEqual(counts["span_exports_total"], 3)
        self.assertEqual(counts["span_export_failures_total"], 2)

    def test_answers_do_not_wait_for_a_collector_that_hangs(self):
        collector = self.collector(("hang", {}))
        serve = self.serve(collector.url, OTEL_BSP_MAX_QUEUE_SIZE="6",
                           OTEL_BSP_MAX_EXPORT_BATCH_SIZE="2")
        self.assertEqual(self.question(serve)[0], 200)
        self.assertEqual(collector.asked.get(timeout=60), "hang")
        # It has the first of them still, and all of these are answered.
        for _ in range(20):
            self.assertEqual(self.question(serve)[0], 200)
        counts = self.counted(serve)
        self.assertEqual(counts["spans_waiting"], 8)
        self.assertEqual(counts['spans_dropped_total{reason="queue_full"}'], 34)
        self.assertEqual(serve.stop()[0], 0)

    def test_a_collector_that_comes_late_gets_everything(self):
        with socket.socket() as place:
            place.bind(("127.0.0.1", 0))
            port = place.getsockname()[1]
        serve = self.serve(f"http://127.0.0.1:{port}")
        for _ in range(3):
            self.assertEqual(self.question(serve)[0], 200)
        self.wait_until(serve, "span_export_failures_total", 1)
        self.assertEqual(self.counted(serve)["spans_sent_total"], 0)
        collector = Collector(port=port)
        self.addCleanup(collector.close)
        self.assertEqual(len(collector.spans(6)), 6)

    def test_at_the_end_what_waits_is_sent(self):
        collector = self.collector()
        serve = self.serve(collector.url, OTEL_BSP_SCHEDULE_DELAY="3600000")
        self.question(serve)
        self.assertTrue(collector.asked.empty())
        self.assertEqual(serve.stop()[0], 0)
        self.assertEqual(len(collector.spans(2)), 2)

    def test_a_command_traces_too(self):
        collector = self.collector()
        reply, _ = self.ask_in_process(EASY, collector.url, "--no-server")
        question, tier = collector.spans(2)
        self.assertEqual((reply["tier"], question["kind"]), ("l0", 1))
        self.assertNotIn("parentSpanId", question)
        self.assertEqual(tier["parentSpanId"], question["spanId"])
        # By the variable that every program of this kind reads.
        self.ask_in_process(EASY, "", OTEL_EXPORTER_OTLP_ENDPOINT=collector.url)
        self.assertEqual(len(collector.spans(2)), 2)
        self.ask_in_process(EASY, collector.url, OTEL_SDK_DISABLED="true")
        self.assertTrue(collector.bodies.empty())

    def test_a_command_answers_without_its_collector(self):
        reply, errors = self.ask_in_process(EASY, "http://127.0.0.1:1")
        self.assertEqual(reply["tier"], "l0")
        self.assertIn("2 spans did not reach the collector of traces: 127.0.0.1:1", errors)
        collector = self.collector((401, {}))
        errors = self.ask_in_process(EASY, collector.url)[1]
        self.assertIn("HTTP 401", errors)

    def test_offline_reaches_this_machine_alone(self):
        elsewhere = "https://collector.example.com"
        reply, errors = self.ask_in_process(EASY, elsewhere)
        self.assertEqual(reply["tier"], "l0")
        self.assertIn("no traces are sent: telemetry.otlp_endpoint: names another machine", errors)
        errors = self.ask_in_process(EASY, "", OTEL_EXPORTER_OTLP_ENDPOINT=elsewhere)[1]
        self.assertIn("no traces are sent: OTEL_EXPORTER_OTLP_ENDPOINT: names another", errors)
        refused = self.run_program(["serve", "--port", "0", "--json"], elsewhere, exits=6)[0]
        self.assertIn("offline = true", json.dumps(refused))
        serve = self.serve("", OTEL_EXPORTER_OTLP_ENDPOINT=elsewhere)
        self.assertEqual(self.question(serve)[0], 200)
        self.assertIn("offline = true", serve.ask("GET", "/ready")[2].decode())
        self.assertNotIn("spans", serve.ask("GET", "/metrics")[2].decode())


def main():
    check_door.BINARY = sys.argv[1]
    unittest.main(argv=sys.argv[:1], verbosity=2)


if __name__ == "__main__":
    main()
