#!/usr/bin/env python3
"""`tinyarms serve` through the official clients as they are published: openai and anthropic for
Python and for Node, and LangChain's adapter, with the default models; and what all of that is as
traces, read by OpenTelemetry's own decoder.

usage: check_clients.py BINARY MODELS_DIR

setup/clients brings the clients (pinned) into the cache. Skips loudly (status 77) where they cannot
be fetched or there are no weights.
"""

import base64
import importlib.metadata
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import typing
import unittest

import check_door
import check_traces

ROOT = pathlib.Path(__file__).resolve().parent.parent
SMALL = "smollm2-135m-instruct.q4_1"
EASY = [{"role": "user", "content": "What is 0xff in decimal?"}]  # rules know it
HARD = [{"role": "user", "content": "Name a colour"}]             # a model has to be asked
# What a call holds by its schema, whatever a small model makes of the question.
CITY = {"type": "object", "properties": {"city": {"enum": ["Paris", "Rome"]},
                                         "days": {"type": "integer", "minimum": 1, "maximum": 9}},
        "required": ["city", "days"], "additionalProperties": False}
WEATHER = {"type": "function", "function": {"name": "weather", "description": "Weather of a city",
                                            "parameters": CITY}}
CLOCK = {"type": "function", "function": {"name": "clock", "parameters": {
    "type": "object", "properties": {"utc": {"type": "boolean"}}, "required": ["utc"]}}}
ASK = [{"role": "user", "content": "How is the weather in Rome?"}]
SERVE = None
COLLECTOR = None
CLIENTS = pathlib.Path()
URL = ""


class OpenAi(unittest.TestCase):
    def setUp(self):
        import openai

        self.errors = openai
        self.client = openai.OpenAI(base_url=f"{URL}/v1", api_key="none", max_retries=0)
        self.addCleanup(self.client.close)

    def test_models(self):
        names = [model.id for model in self.client.models.list()]
        self.assertLessEqual({"auto", "l2", SMALL}, set(names))
        self.assertEqual(self.client.models.retrieve("auto:best").id, "auto:best")

    def test_chat(self):
        reply = self.client.chat.completions.create(model="auto", messages=EASY)
        self.assertIn("255", reply.choices[0].message.content)
        self.assertEqual(reply.model_extra["tinyarms"]["tier"], "l0")
        raw = self.client.chat.completions.with_raw_response.create(model="auto", messages=EASY)
        self.assertEqual(raw.headers["x-tinyarms-tier"], "l0")
        reply = self.client.chat.completions.create(
            model=SMALL, messages=HARD, max_completion_tokens=6, n=2, temperature=0.8, seed=3)
        self.assertEqual([one.finish_reason for one in reply.choices], ["length", "length"])

    def test_chat_stream(self):
        chunks = list(self.client.chat.completions.create(
            model="l2", messages=HARD, max_tokens=6, stream=True,
            stream_options={"include_usage": True}))
        text = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
        self.assertTrue(text)
        self.assertEqual(chunks[-1].usage.completion_tokens, 6)
        with self.client.chat.completions.stream(model="auto", messages=EASY) as stream:
            for _ in stream:
                pass
            self.assertIn("255", stream.get_final_completion().choices[0].message.content)

    def test_errors(self):
        with self.assertRaises(self.errors.NotFoundError) as caught:
            self.client.chat.completions.create(model="nothing", messages=EASY)
        self.assertEqual((caught.exception.code, caught.exception.param),
                         ("model_not_found", "model"))
        self.assertTrue(caught.exception.request_id)
        with self.assertRaises(self.errors.BadRequestError) as caught:
            self.client.chat.completions.create(model="auto", messages=EASY, temperature=9)
        self.assertEqual(caught.exception.param, "temperature")
        with self.assertRaises(self.errors.BadRequestError) as caught:
            self.client.completions.create(model="l2", prompt="def f(", suffix="return 1")
        self.assertEqual(caught.exception.param, "suffix")  # no such tokens in this model
        with self.assertRaises(self.errors.BadRequestError):
            self.client.chat.completions.create(model="l2", messages=HARD,
                                                logit_bias={"999999": 1})

    def check_city(self, arguments):
        read = json.loads(arguments)
        self.assertEqual(set(read), {"city", "days"})
        self.assertIn(read["city"], ("Paris", "Rome"))
        self.assertIn(read["days"], range(1, 10))

    def test_tools(self):
        reply = self.client.chat.completions.create(
            model="l2", messages=ASK, tools=[WEATHER, CLOCK], max_tokens=80,
            tool_choice={"type": "function", "function": {"name": "weather"}})
        choice = reply.choices[0]
        self.assertEqual((choice.finish_reason, choice.message.content), ("tool_calls", None))
        call = choice.message.tool_calls[0]
        self.assertEqual((call.type, call.function.name), ("function", "weather"))
        self.check_city(call.function.arguments)
        # The call and what came of it, back again.
        turns = [*ASK, choice.message.model_dump(exclude_none=True),
                 {"role": "tool", "tool_call_id": call.id, "content": "21 degrees"}]
        reply = self.client.chat.completions.create(model="l2", messages=turns, max_tokens=8,
                                                    tools=[WEATHER], tool_choice="auto")
        self.assertIn(reply.choices[0].finish_reason, ("stop", "length", "tool_calls"))
        self.assertGreater(reply.usage.prompt_tokens, 100)
        reply = self.client.chat.completions.create(
            model="l2", messages=ASK, tools=[CLOCK], tool_choice="required", max_tokens=60,
            parallel_tool_calls=False, extra_body={"tinyarms": {"trace": True}})
        calls = reply.choices[0].message.tool_calls
        self.assertEqual([one.function.name for one in calls], ["clock"])
        self.assertIsInstance(json.loads(calls[0].function.arguments)["utc"], bool)
        step = [one for one in reply.model_extra["tinyarms"]["trace"] if one["tier"] == "l2"][0]
        self.assertIs(step["evidence"]["keeps_to_order"], True)

    def test_tools_stream(self):
        chunks = list(self.client.chat.completions.create(
            model="l2", messages=ASK, tools=[WEATHER], tool_choice="required", max_tokens=80,
            parallel_tool_calls=False, stream=True))
        deltas = [one for chunk in chunks if chunk.choices
                  for one in chunk.choices[0].delta.tool_calls or []]
        self.assertEqual((deltas[0].index, deltas[0].function.name), (0, "weather"))
        self.assertTrue(deltas[0].id)
        self.assertEqual([one.id for one in deltas[1:]], [None] * (len(deltas) - 1))
        self.assertGreater(len(deltas), 2)  # as it grows
        self.check_city("".join(one.function.arguments or "" for one in deltas))
        ends = [c.choices[0].finish_reason for c in chunks if c.choices]
        self.assertEqual(ends[-1], "tool_calls")
        with self.client.chat.completions.stream(
                model="l2", messages=ASK, tools=[WEATHER], tool_choice="required",
                max_tokens=80, parallel_tool_calls=False) as stream:
            for _ in stream:
                pass
            final = stream.get_final_completion().choices[0].message
        self.check_city(final.tool_calls[0].function.arguments)

    def test_formats(self):
        import pydantic

        class Colour(pydantic.BaseModel):
            name: typing.Literal["red", "blue"]
            warm: bool

        reply = self.client.chat.completions.parse(model="l2", messages=HARD, max_tokens=60,
                                                   response_format=Colour)
        self.assertIn(reply.choices[0].message.parsed.name, ("red", "blue"))
        reply = self.client.chat.completions.create(
            model="l2", messages=HARD, max_tokens=60, temperature=0.8, seed=5, n=2,
            response_format={"type": "json_schema", "json_schema": {
                "name": "many", "schema": {"type": "array", "items": {"type": "boolean"},
                                           "minItems": 1, "maxItems": 4}}})
        for choice in reply.choices:
            self.assertTrue(all(isinstance(one, bool) for one in
                                json.loads(choice.message.content)))
        reply = self.client.chat.completions.create(
            model="l2", messages=HARD, max_tokens=40, response_format={"type": "json_object"})
        self.assertTrue(reply.choices[0].message.content.startswith("{"))

    def test_logprobs(self):
        reply = self.client.chat.completions.create(model="l2", messages=HARD, max_tokens=5,
                                                    logprobs=True, top_logprobs=3)
        tokens = reply.choices[0].logprobs.content
        self.assertEqual("".join(one.token for one in tokens), reply.choices[0].message.content)
        for token in tokens:
            self.assertEqual(len(token.top_logprobs), 3)
            self.assertLessEqual(token.logprob, 0)
            self.assertEqual(token.top_logprobs[0].logprob, token.logprob)  # greedy
        chunks = list(self.client.chat.completions.create(
            model="l2", messages=HARD, max_tokens=5, logprobs=True, top_logprobs=3, stream=True))
        streamed = [one.token for chunk in chunks if chunk.choices and chunk.choices[0].logprobs
                    for one in chunk.choices[0].logprobs.content]
        self.assertEqual(streamed, [one.token for one in tokens])
        plain = self.client.chat.completions.create(model="l2", messages=HARD, max_tokens=5)
        banned = self.client.chat.completions.create(
            model="l2", messages=HARD, max_tokens=5,
            logit_bias={str(one): -100 for one in range(300, 1300)})
        self.assertNotEqual(banned.choices[0].message.content, plain.choices[0].message.content)

    def test_completions(self):
        reply = self.client.completions.create(model="l2", prompt="The capital of France is",
                                               max_tokens=6, logprobs=2, echo=True)
        choice = reply.choices[0]
        self.assertTrue(choice.text.startswith("The capital of France is"))
        self.assertEqual(len(choice.logprobs.tokens), 6)
        self.assertEqual(reply.model_extra["tinyarms"]["tier"], "l2")
        chunks = list(self.client.completions.create(
            model="auto", prompt="The capital of France is", max_tokens=6, stream=True))
        text = "".join(chunk.choices[0].text for chunk in chunks if chunk.choices)
        self.assertEqual("The capital of France is" + text, choice.text)

    def test_embeddings(self):
        both = [self.client.embeddings.create(model="auto", input=["a cat", "a dog"],
                                              encoding_format=form) for form in ("float", "base64")]
        self.assertEqual(len(both[0].data[0].embedding), 384)
        self.assertGreater(both[0].usage.total_tokens, 3)
        default = self.client.embeddings.create(model="auto", input="a cat").data[0].embedding
        for one, other in zip(default, both[0].data[0].embedding):
            self.assertAlmostEqual(one, other, places=5)
        short = self.client.embeddings.create(model="auto", input="a cat", dimensions=64)
        vector = short.data[0].embedding
        self.assertEqual(len(vector), 64)
        self.assertAlmostEqual(sum(x * x for x in vector), 1, places=4)
        with self.assertRaises(self.errors.BadRequestError) as caught:
            self.client.embeddings.create(model="auto", input="a", dimensions=9999)
        self.assertEqual(caught.exception.param, "dimensions")

    def test_responses(self):
        reply = self.client.responses.create(model="auto", input=EASY[0]["content"],
                                             instructions="Be brief.")
        self.assertIn("255", reply.output_text)
        self.assertEqual((reply.status, reply.store, reply.instructions),
                         ("completed", False, "Be brief."))
        reply = self.client.responses.create(model="l2", input=HARD, max_output_tokens=4)
        self.assertEqual((reply.status, reply.incomplete_details.reason),
                         ("incomplete", "max_output_tokens"))
        with self.assertRaises(self.errors.BadRequestError):
            self.client.responses.create(model="auto", input="x", previous_response_id="resp_1")

    def test_responses_stream(self):
        with self.client.responses.stream(model="auto", input=EASY[0]["content"]) as stream:
            kinds = [event.type for event in stream]
            self.assertIn("255", stream.get_final_response().output_text)
        self.assertEqual((kinds[0], kinds[-1]), ("response.created", "response.completed"))
        self.assertIn("response.output_text.delta", kinds)


class Anthropic(unittest.TestCase):
    def setUp(self):
        import anthropic

        self.errors = anthropic
        self.client = anthropic.Anthropic(base_url=URL, api_key="none", max_retries=0)
        self.addCleanup(self.client.close)

    def test_messages(self):
        reply = self.client.messages.create(model="auto", max_tokens=8, messages=EASY)
        self.assertIn("255", reply.content[0].text)
        self.assertEqual(reply.stop_reason, "end_turn")
        self.assertIn("l2", [model.id for model in self.client.models.list()])

    def test_stream(self):
        with self.client.messages.stream(model="l2", max_tokens=6, messages=HARD) as stream:
            text = "".join(stream.text_stream)
            whole = stream.get_final_message()
        self.assertEqual((whole.content[0].text, whole.stop_reason), (text, "max_tokens"))
        self.assertEqual(whole.usage.output_tokens, 6)

    def test_tools(self):
        tool = {"name": "weather", "description": "Weather of a city", "input_schema": CITY}
        asked = {"model": "l2", "max_tokens": 80, "messages": ASK, "tools": [tool],
                 "tool_choice": {"type": "tool", "name": "weather",
                                 "disable_parallel_tool_use": True}}
        reply = self.client.messages.create(**asked)
        self.assertEqual((reply.stop_reason, [one.type for one in reply.content]),
                         ("tool_use", ["tool_use"]))
        used = reply.content[0]
        self.assertEqual((used.name, set(used.input)), ("weather", {"city", "days"}))
        counted = self.client.messages.count_tokens(**{k: asked[k] for k in asked
                                                       if k != "max_tokens"})
        self.assertEqual(counted.input_tokens, reply.usage.input_tokens)
        turns = [*ASK, {"role": "assistant", "content": reply.content},
                 {"role": "user", "content": [{"type": "tool_result", "tool_use_id": used.id,
                                               "content": "21 degrees"}]}]
        again = self.client.messages.create(model="l2", max_tokens=8, messages=turns, tools=[tool])
        self.assertIn(again.content[0].type, ("text", "tool_use"))
        with self.client.messages.stream(**asked) as stream:
            events = list(stream)
            whole = stream.get_final_message()
        kinds = [event.type for event in events]
        self.assertEqual((kinds[0], kinds[1], kinds[-1]),
                         ("message_start", "content_block_start", "message_stop"))
        self.assertEqual(events[0].message.usage.input_tokens, counted.input_tokens)
        self.assertIn("input_json", kinds)
        self.assertEqual(set(whole.content[0].input), {"city", "days"})
        self.assertEqual(whole.stop_reason, "tool_use")

    def test_stop_sequence(self):
        whole = self.client.messages.create(model="l2", max_tokens=12, messages=HARD)
        word = whole.content[0].text.split()[2]
        cut = self.client.messages.create(model="l2", max_tokens=12, messages=HARD,
                                          stop_sequences=["never", word])
        self.assertEqual((cut.stop_reason, cut.stop_sequence), ("stop_sequence", word))
        with self.client.messages.stream(model="l2", max_tokens=12, messages=HARD,
                                         stop_sequences=[word]) as stream:
            self.assertEqual(stream.get_final_message().stop_sequence, word)

    def test_count_tokens(self):
        asked = self.client.messages.create(model="l2", max_tokens=1, messages=HARD)
        counted = self.client.messages.count_tokens(model="l2", messages=HARD)
        self.assertEqual(counted.input_tokens, asked.usage.input_tokens)

    def test_errors(self):
        with self.assertRaises(self.errors.NotFoundError):
            self.client.messages.create(model="nothing", max_tokens=8, messages=EASY)
        with self.assertRaises(self.errors.BadRequestError) as caught:
            self.client.messages.create(model="auto", max_tokens=0, messages=EASY)
        self.assertEqual(caught.exception.body["error"]["type"], "invalid_request_error")


class Adapters(unittest.TestCase):
    def test_langchain(self):
        from langchain_openai import ChatOpenAI, OpenAIEmbeddings

        chat = ChatOpenAI(base_url=f"{URL}/v1", api_key="none", model="auto", max_retries=0)
        self.assertIn("255", chat.invoke(EASY[0]["content"]).content)
        model = ChatOpenAI(base_url=f"{URL}/v1", api_key="none", model="l2", max_retries=0,
                           max_tokens=80)
        called = model.bind_tools([WEATHER], tool_choice="weather").invoke(ASK[0]["content"])
        self.assertEqual(called.tool_calls[0]["name"], "weather")
        self.assertIn(called.tool_calls[0]["args"]["city"], ("Paris", "Rome"))
        for method in ("json_schema", "function_calling"):
            shaped = model.with_structured_output({"title": "weather", **CITY}, method=method)
            self.assertEqual(set(shaped.invoke(ASK[0]["content"])), {"city", "days"}, method)
        vectors = OpenAIEmbeddings(base_url=f"{URL}/v1", api_key="none", model="auto",
                                   check_embedding_ctx_length=False)
        self.assertEqual(len(vectors.embed_query("a cat")), 384)


class OpenTelemetry(unittest.TestCase):
    """What a collector was sent, by the published schema: an unknown name is a fault."""

    def decoded(self, body):
        from google.protobuf import json_format
        from opentelemetry.proto.collector.trace.v1 import trace_service_pb2

        return json_format.Parse(json.dumps(self.with_base64(body)),
                                 trace_service_pb2.ExportTraceServiceRequest())

    def with_base64(self, node):
        """OTLP has ids in hexadecimal, where Protobuf's JSON has bytes in base64."""
        if isinstance(node, list):
            return [self.with_base64(one) for one in node]
        if not isinstance(node, dict):
            return node
        return {name: base64.b64encode(bytes.fromhex(value)).decode()
                if name in ("traceId", "spanId", "parentSpanId") else self.with_base64(value)
                for name, value in node.items()}

    def spans(self, body):
        request = self.decoded(body)
        for resource in request.resource_spans:
            for scope in resource.scope_spans:
                yield from scope.spans

    def test_the_form_written_down(self):
        body = json.loads((ROOT / "tests/data/otlp_climb.json").read_text(encoding="utf-8"))
        spans = list(self.spans(body))
        self.assertEqual([span.kind for span in spans], [2, 1, 1, 1, 3])
        self.assertEqual({span.trace_id.hex() for span in spans}, {check_traces.TRACE})
        self.assertEqual({span.parent_span_id for span in spans[1:]}, {spans[0].span_id})

    def test_what_is_sent(self):
        name = "the-span-of-this-test"
        reply = SERVE.ask("POST", "/v1/chat/completions",
                          {"model": "l2", "messages": HARD, "max_tokens": 6},
                          {**check_door.JSON, "x-request-id": name,
                           "traceparent": check_traces.CALLER})
        self.assertEqual(reply[0], 200)
        wanted = []
        while len(wanted) < 2:
            for span in self.spans(COLLECTOR.bodies.get(timeout=60)):
                self.assertEqual((len(span.trace_id), len(span.span_id)), (16, 8))
                self.assertLessEqual(span.start_time_unix_nano, span.end_time_unix_nano)
                about = {one.key: one.value for one in span.attributes}
                if about["tinyarms.request.id"].string_value == name:
                    wanted.append((span, about))
        (question, _), (tier, about) = wanted
        self.assertEqual(question.parent_span_id.hex(), check_traces.PARENT)
        self.assertEqual(tier.parent_span_id, question.span_id)
        self.assertEqual(tier.name, f"chat {SMALL}")
        self.assertEqual(about["gen_ai.usage.output_tokens"].int_value, 6)
        self.assertGreater(about["gen_ai.usage.input_tokens"].int_value, 6)
        self.assertEqual([one.string_value for one in
                          about["gen_ai.response.finish_reasons"].array_value.values], ["length"])


class Node(unittest.TestCase):
    def test_calls(self):
        run = subprocess.run(["node", str(ROOT / "tests" / "clients" / "calls.cjs"), str(CLIENTS),
                              URL], capture_output=True, text=True, timeout=300, check=False)
        self.assertEqual(run.returncode, 0, run.stderr)
        got = json.loads(run.stdout)
        self.assertIn("auto", got["openai_models"])
        self.assertIn("auto", got["anthropic_models"])
        for name in ("openai_chat", "openai_responses", "anthropic_message"):
            self.assertIn("255", got[name], name)
        self.assertEqual((got["openai_stream"]["finish"], got["openai_stream"]["tokens"]),
                         ("length", 6), got["openai_stream"])
        self.assertTrue(got["openai_stream"]["text"])
        self.assertEqual(got["openai_embeddings"], [384, 384])
        self.assertEqual((got["openai_responses_stream"].get("same"),
                          got["openai_responses_stream"].get("status")), (True, "incomplete"),
                         got["openai_responses_stream"])
        self.assertEqual((got["anthropic_stream"]["stop"], got["anthropic_stream"]["tokens"]),
                         ("max_tokens", 6), got["anthropic_stream"])
        for name in ("openai_tools", "openai_tools_stream", "openai_format", "anthropic_tools",
                     "anthropic_tools_stream"):
            self.assertIn(got[name].get("city"), ("Paris", "Rome"), (name, got[name]))
            self.assertIn(got[name]["days"], range(1, 10), name)
        self.assertEqual(len(got["openai_logprobs"]), 4, got["openai_logprobs"])
        self.assertTrue(got["openai_completion"])
        for name in ("openai_error", "anthropic_error"):
            self.assertEqual((got[name]["error"], got[name]["status"]), ("NotFoundError", 404))
        self.assertGreater(got["anthropic_count"], 10)


def skip(why):
    print(f"SKIPPED: {why}")
    return 77


def main():
    global CLIENTS, COLLECTOR, SERVE, URL
    binary = str(pathlib.Path(sys.argv[1]).resolve())
    models = pathlib.Path(sys.argv[2]).resolve()
    if not (models / f"{SMALL}.gguf").exists():
        return skip(f"no default weights in {models}: run ./check, which fetches them")
    if shutil.which("node") is None:
        return skip("Node is not installed")
    fetched = subprocess.run([str(ROOT / "setup" / "clients")], capture_output=True, text=True,
                             stdin=subprocess.DEVNULL, check=False)
    if fetched.returncode != 0:
        return skip(f"the clients cannot be fetched: {fetched.stderr.strip()[-300:]}")
    CLIENTS = pathlib.Path(fetched.stdout.strip())
    sys.path.insert(0, str(CLIENTS / "python"))
    for name in ("openai", "anthropic", "langchain-openai", "opentelemetry-proto"):
        print(name, importlib.metadata.version(name))
    check_door.BINARY = binary
    with tempfile.TemporaryDirectory(prefix="tinyarms-clients-") as folder:
        home = pathlib.Path(folder)
        for source, options in ((models / f"{SMALL}.gguf", []),
                                (models / "all-minilm-l6-v2",
                                 ["--quantization", "f32", "--name", "all-minilm-l6-v2.f32"])):
            subprocess.run([binary, "models", "import", str(source), *options], check=True,
                           env={"HOME": folder}, stdout=subprocess.DEVNULL)
        COLLECTOR = check_traces.Collector()
        SERVE = check_door.Serve(home, "--threads", "1",
                                 env={"TINYARMS_TELEMETRY_OTLP_ENDPOINT": COLLECTOR.url,
                                      "OTEL_BSP_SCHEDULE_DELAY": "20"})
        URL = SERVE.place["url"]
        result = unittest.main(argv=sys.argv[:1], exit=False, verbosity=2).result
        status, errors = SERVE.stop()
        COLLECTOR.close()
        if status != 0:
            print(f"the server ended with {status}: {errors}")
        return 0 if result.wasSuccessful() and status == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
