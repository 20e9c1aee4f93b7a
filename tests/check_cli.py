#!/usr/bin/env python3
"""The command line from outside: what a person types, what comes back, with real weights.

usage: check_cli.py BINARY MODELS_DIR

Every test has its own empty home; the imported models are shared. Skips loudly without weights.
"""

import ctypes
import json
import math
import os
import pathlib
import platform
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
SMALL = "smollm2-135m-instruct.q4_1"


def forbid_sockets():
    """Kills the process that calls socket(2): a seccomp filter, inherited across exec."""
    # struct sock_filter {u16 code; u8 jt, jf; u32 k}: load the call's number, compare, kill.
    program = b"".join([
        (0x20).to_bytes(2, "little") + bytes([0, 0]) + (0).to_bytes(4, "little"),
        (0x15).to_bytes(2, "little") + bytes([0, 1]) + (41).to_bytes(4, "little"),
        (0x06).to_bytes(2, "little") + bytes([0, 0]) + (0x80000000).to_bytes(4, "little"),
        (0x06).to_bytes(2, "little") + bytes([0, 0]) + (0x7FFF0000).to_bytes(4, "little"),
    ])

    class Program(ctypes.Structure):
        _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_char_p)]

    libc = ctypes.CDLL(None, use_errno=True)
    no_new_privileges, set_seccomp, mode_filter = 38, 22, 2
    filled = Program(len(program) // 8, program)
    if libc.prctl(no_new_privileges, 1, 0, 0, 0) != 0:
        os._exit(99)
    if libc.prctl(set_seccomp, mode_filter, ctypes.byref(filled)) != 0:
        os._exit(99)


class CommandLine(unittest.TestCase):
    def setUp(self):
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="tinyarms-cli-"))
        self.addCleanup(shutil.rmtree, self.home, ignore_errors=True)
        self.environment = {
            "HOME": str(self.home),
            "PATH": os.environ["PATH"],
            "XDG_DATA_HOME": str(STORE),
            "XDG_CONFIG_HOME": str(self.home / "config"),
            "XDG_CACHE_HOME": str(self.home / "cache"),
            "TINYARMS_SAMPLING_MAX_TOKENS": "24",
        }
        for name in ("ASAN_OPTIONS", "TSAN_OPTIONS"):
            if name in os.environ:
                self.environment[name] = os.environ[name]

    def run_cli(self, *arguments, stdin=b"", environment=None, exits=0, **options):
        if isinstance(stdin, str):
            stdin = stdin.encode()
        done = subprocess.run([BINARY, *arguments], input=stdin, capture_output=True,
                              cwd=self.home, env={**self.environment, **(environment or {})},
                              timeout=240, check=False, **options)
        self.assertEqual(done.returncode, exits, (done.stdout[-2000:], done.stderr[-2000:]))
        return done

    def ask_json(self, *arguments, **options):
        return json.loads(self.run_cli("ask", "--json", *arguments, **options).stdout)

    # ---- the cascade -------------------------------------------------------------------------

    def test_rules_answer_without_a_model(self):
        reply = self.ask_json("What is 17 * 23 + 4?")
        self.assertEqual(reply["tier"], "l0")
        self.assertIn("395", reply["answer"])
        self.assertEqual(reply["confidence"], 1)
        self.assertEqual([step["tier"] for step in reply["trace"]], ["l0"])

    def test_a_code_question_climbs_to_the_small_model(self):
        reply = self.ask_json("Write a Python function that reverses a string")
        self.assertEqual(reply["tier"], "l2")
        steps = {step["tier"]: step for step in reply["trace"]}
        self.assertEqual(steps["l0"]["decision"], "abstain")
        self.assertEqual(steps["l1"]["decision"], "abstain")
        self.assertEqual(steps["l1"]["evidence"]["intent"], "code")
        evidence = steps["l2"]["evidence"]
        for name in ("p_mean", "p_min", "p_q10", "sequence_logprob", "logprob_mean", "margin_mean",
                     "margin_min", "margin_q10", "entropy_mean", "entropy_max",
                     "logit_variance_mean", "tokens"):
            self.assertIsInstance(evidence[name], (int, float), name)
        self.assertLessEqual(evidence["p_min"], evidence["p_q10"])
        self.assertLessEqual(evidence["entropy_mean"], evidence["entropy_max"])
        self.assertAlmostEqual(evidence["sequence_logprob"] / evidence["tokens"],
                               evidence["logprob_mean"], places=5)
        self.assertFalse(reply["calibrated"])
        self.assertGreater(reply["usage"]["completion_tokens"], 0)

    def test_the_same_seed_and_greedy_decoding_repeat(self):
        flags = ["--tier", "l2", "--no-cache", "Name a prime number"]
        for sampling in ([], ["--temperature", "0.9", "--seed", "7"]):
            first = self.ask_json(*sampling, *flags)["answer"]
            self.assertEqual(first, self.ask_json(*sampling, *flags)["answer"])

    def test_an_accepted_answer_is_remembered_with_its_question(self):
        flags = ["--confidence-threshold", "0.01", "--max-tokens", "200"]
        question = "Say the word yes and nothing else"
        first = self.ask_json(*flags, question)
        self.assertEqual(first["tier"], "l2")
        self.assertEqual(first["finish"], "stop", "the test needs an answer that ends by itself")
        again = self.ask_json(*flags, question)
        self.assertEqual((again["tier"], again["source"]), ("l1", "exact cache"))
        self.assertEqual(again["answer"], first["answer"])
        self.assertIn(question, again["notice"])
        self.assertEqual(self.ask_json(*flags, "--no-cache", question)["tier"], "l2")

    def test_a_doubtful_draft_goes_up_to_the_large_model(self):
        self.run_cli("quantize", SMALL, "--to", "q2_k", "--name", "weak-" + self.home.name.lower()
                     .replace("_", "-"), exits=0)
        weak = "weak-" + self.home.name.lower().replace("_", "-")
        self.addCleanup(self.run_cli, "models", "rm", weak)
        stack = {"TINYARMS_L2_MODEL": weak, "TINYARMS_L3_MODEL": SMALL}
        doubt = self.ask_json("--confidence-threshold", "l2=0.999", "What is a mutex?",
                              environment=stack)
        steps = {step["tier"]: step for step in doubt["trace"]}
        self.assertEqual(steps["l2"]["decision"], "escalate")
        self.assertTrue(steps["l2"]["answer"], "the draft stays in the trace")
        self.assertEqual(steps["l3"]["source"], SMALL)
        self.assertEqual(doubt["tier"], "l3")
        trust = self.ask_json("--confidence-threshold", "l2=0.001", "What is a mutex?",
                              environment=stack)
        self.assertEqual(trust["tier"], "l2")
        self.assertNotIn("l3", [step["tier"] for step in trust["trace"]])
        kept = self.ask_json("--confidence-threshold", "l2=0.999", "--max-tier", "l2", "--no-cache",
                             "What is a mutex?", environment=stack)
        self.assertEqual((kept["tier"], kept["sure"]), ("l2", False))

    @unittest.skipUnless(platform.machine() == "x86_64", "the socket filter is for x86_64 only")
    def test_no_socket_is_opened(self):
        with open("/proc/sys/kernel/seccomp/actions_avail", encoding="ascii") as actions:
            self.assertIn("kill_process", actions.read())
        probe = subprocess.run([sys.executable, "-c", "import socket; socket.socket()"],
                               preexec_fn=forbid_sockets, capture_output=True, check=False)
        self.assertEqual(probe.returncode, -signal.SIGSYS, "the filter itself must work")
        reply = self.ask_json("What is a mutex?", preexec_fn=forbid_sockets,
                              environment={"TINYARMS_L4_URL": "http://127.0.0.1:9",
                                           "TINYARMS_L4_MODEL": "m"})
        self.assertEqual(reply["tier"], "l2")
        remote = self.ask_json("--tier", "l4", "Hello there", exits=3, preexec_fn=forbid_sockets,
                               environment={"TINYARMS_L4_URL": "http://127.0.0.1:9",
                                            "TINYARMS_L4_MODEL": "m"})
        self.assertIn("offline", remote["trace"][-1]["reason"])

    def test_a_dry_run_says_what_would_be_asked(self):
        dry = self.run_cli("ask", "--dry-run", "--json", "--max-tier", "l2", "x")
        plan = json.loads(dry.stdout)
        run = {step["tier"]: step["would_run"] for step in plan["plan"]}
        self.assertEqual(run, {"l0": True, "l1": True, "l2": True, "l3": False, "l4": False})
        missing = self.run_cli("ask", "--dry-run", "x", environment={"TINYARMS_L2_MODEL": "nope"})
        self.assertIn(b"not", missing.stdout)

    def test_explain_shows_the_trace_on_stderr(self):
        done = self.run_cli("ask", "--explain", "What is 2 + 2?")
        self.assertIn(b"4", done.stdout)
        self.assertIn(b"l0", done.stderr)
        self.assertIn(b"accept", done.stderr)
        self.assertNotIn(b"\x1b", done.stdout + done.stderr)

    def test_files_and_standard_input(self):
        (self.home / "a.py").write_text("def f(x):\n    return x\n")
        self.assertEqual(self.ask_json("-f", "a.py", "is this valid python?")["tier"], "l0")
        self.assertEqual(self.ask_json(stdin="What is 0xff in decimal?\n")["tier"], "l0")
        piped = self.ask_json("-f", "-", "is this valid python?", stdin="def f(:\n")
        self.assertEqual(piped["tier"], "l0")
        self.assertNotEqual(piped["answer"],
                            self.ask_json("-f", "a.py", "is this valid python?")["answer"])

    def test_chat_remembers_its_turns(self):
        done = self.run_cli("chat", "--tier", "l2",
                            stdin="My name is Ada.\n/explain\nHello\n/quit\n")
        self.assertIn(b"l2", done.stderr)
        self.assertEqual(done.stderr.count("— l2".encode()), 2)

    def test_ctrl_c_keeps_what_there_is(self):
        child = subprocess.Popen([BINARY, "ask", "--tier", "l2", "--stream", "--max-tokens", "2000",
                                  "Write a very long story about a compiler"],
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=self.home,
                                 env=self.environment)
        first = child.stdout.read(20)
        started = time.monotonic()
        child.send_signal(signal.SIGINT)
        rest, messages = child.communicate(timeout=60)
        self.assertEqual(child.returncode, 130, messages)
        self.assertLess(time.monotonic() - started, 20, "a token takes milliseconds")
        self.assertGreater(len(first + rest), 20 - 1)
        self.assertIn(b"interrupted", messages)

    # ---- bad input ---------------------------------------------------------------------------

    def test_bad_questions_are_usage_errors(self):
        for question in (b"", b"  \n", b"a\0b", b"ab\xff", b"x" * (10 << 20)):
            done = self.run_cli("ask", stdin=question, exits=2)
            self.assertIn(b"question", done.stderr)
            self.assertEqual(done.stdout, b"")
        error = json.loads(self.run_cli("ask", "--json", stdin=b"", exits=2).stdout)["error"]
        self.assertEqual(error["code"], "invalid_argument")
        self.assertTrue(error["hint"])

    def test_wrong_flags_are_usage_errors(self):
        for arguments in (["ask", "--tier", "l9", "x"], ["ask", "--nonsense"], ["frobnicate"], [],
                          ["ask", "-f", "missing.py", "x"]):
            self.assertTrue(self.run_cli(*arguments, exits=2).stderr)

    def test_a_prompt_longer_than_the_context_is_refused_with_both_numbers(self):
        done = self.run_cli("ask", "--tier", "l2", stdin="word " * 20000, exits=2)
        self.assertRegex(done.stderr.decode(), r"\d{4,}.*tokens")

    def test_wrong_values_are_configuration_errors(self):
        for arguments in (["--threads", "-3"], ["--temperature", "hot"],
                          ["--confidence-threshold", "2"], ["--confidence-threshold", "l7=0.5"]):
            done = self.run_cli("ask", *arguments, "x y z", exits=6)
            self.assertIn(b"error", done.stderr)

    def test_a_broken_configuration_names_file_line_and_the_nearest_key(self):
        folder = self.home / "config" / "tinyarms"
        folder.mkdir(parents=True)
        (folder / "config.toml").write_text("\nofline = true\n")
        done = self.run_cli("ask", "x", exits=6)
        self.assertIn(b"config.toml:2", done.stderr)
        self.assertIn(b"offline", done.stderr)
        (folder / "config.toml").write_text("l2.model = [unclosed")
        self.assertIn(b"config.toml:1", self.run_cli("config", "check", exits=6).stderr)

    def test_a_projects_file_may_not_open_the_network(self):
        (self.home / ".tinyarms.toml").write_text("offline = false\n")
        self.assertIn(b"offline", self.run_cli("ask", "x", exits=6).stderr)

    def test_model_problems_have_their_own_status(self):
        genuine = (STORE / "tinyarms" / "models" / f"{SMALL}.gguf").read_bytes()
        broken = {
            "empty.gguf": b"",
            "random.gguf": os.urandom(100_000),
            "text.gguf": b"not a model\n" * 100,
            "header.gguf": genuine[:64],
            "truncated.gguf": genuine[: len(genuine) // 2],
        }
        for name, content in broken.items():
            (self.home / name).write_bytes(content)
            path = str(self.home / name)
            done = self.run_cli("ask", "--tier", "l2", "hello there", exits=5,
                                environment={"TINYARMS_L2_MODEL": path})
            self.assertIn(name.encode(), done.stderr)
            self.run_cli("models", "import", path, exits=5)
        encoder = {"TINYARMS_L2_MODEL": "all-minilm-l6-v2.f32"}
        self.run_cli("ask", "--tier", "l2", "hello there", exits=5, environment=encoder)
        generator = {"TINYARMS_L1_MODEL": SMALL}
        self.run_cli("ask", "--tier", "l1", "hello there", exits=5, environment=generator)
        self.run_cli("ask", "--tier", "l2", "hello there", exits=5,
                     environment={"TINYARMS_L2_MODEL": "nope"})
        names = [m["name"] for m in
                 json.loads(self.run_cli("models", "list", "--json").stdout)["models"]]
        self.assertFalse({"empty", "random", "text", "header", "truncated"} & set(names))

    def test_a_model_over_the_memory_budget_is_refused_with_the_numbers(self):
        done = self.run_cli("ask", "--tier", "l2", "hello there", exits=5,
                            environment={"TINYARMS_MEMORY_BUDGET": "50MB"})
        self.assertIn(b"0.05 GB", done.stderr)

    def test_nobody_can_answer_and_nobody_is_sure(self):
        self.run_cli("ask", "--tier", "l3", "hello there", exits=3)
        self.run_cli("ask", "--strict", "--tier", "l2", "--confidence-threshold", "0.9999",
                     "Tell me something surprising", exits=4)

    def test_a_corrupt_cache_is_set_aside_named_and_made_anew(self):
        cache = self.home / "cache" / "tinyarms"
        cache.mkdir(parents=True)
        (cache / "answers.sqlite").write_bytes(os.urandom(8192))
        reply = self.ask_json("What is a mutex?")
        self.assertEqual(reply["tier"], "l2")
        self.assertIn("corrupt", " ".join(step["notice"] for step in reply["trace"]))
        self.assertTrue(list(cache.glob("answers.sqlite.corrupt-*")))

    def test_an_unusable_cache_costs_the_cache_not_the_answer(self):
        (self.home / "cache").write_text("a file where a folder should be")
        self.assertEqual(self.ask_json("What is a mutex?")["tier"], "l2")

    def test_two_processes_share_the_cache(self):
        flags = [BINARY, "ask", "--json", "--confidence-threshold", "0.01", "Say yes"]
        children = [subprocess.Popen(flags, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                     cwd=self.home, env=self.environment) for _ in range(2)]
        for child in children:
            output, messages = child.communicate(timeout=240)
            self.assertEqual(child.returncode, 0, messages)
            self.assertTrue(json.loads(output)["answer"])

    # ---- the other commands ------------------------------------------------------------------

    def test_embed_agrees_with_itself_and_is_a_unit_vector(self):
        out = json.loads(self.run_cli("embed", "--json",
                                      stdin="sort a list\norder a list\nred wine\n").stdout)
        self.assertEqual(out["dimensions"], 384)
        one, two, other = out["embeddings"]
        self.assertAlmostEqual(math.sqrt(sum(v * v for v in one)), 1, places=5)
        cosine = lambda a, b: sum(x * y for x, y in zip(a, b))
        self.assertGreater(cosine(one, two), cosine(one, other) + 0.2)
        self.run_cli("embed", stdin=b"", exits=2)

    def test_models_import_list_show_rm(self):
        name = "copy-of-" + self.home.name.lower().replace("_", "-")
        self.run_cli("models", "import", str(MODELS / f"{SMALL}.gguf"), "--name", name)
        shown = json.loads(self.run_cli("models", "show", name, "--json").stdout)
        self.assertEqual(shown["quantization"].lower(), "q4_1")
        self.assertEqual(len(shown["sha256"]), 64)
        self.assertGreater(shown["memory"]["total_bytes"], shown["memory"]["weight_bytes"])
        self.run_cli("models", "rm", name)
        self.assertIn(b"is installed", self.run_cli("models", "show", name, exits=5).stderr)
        self.run_cli("models", "import", str(MODELS / f"{SMALL}.gguf"), "--name", "../evil",
                     exits=2)

    def test_config_shows_where_each_value_came_from(self):
        shown = json.loads(self.run_cli("config", "show", "--json",
                                        environment={"TINYARMS_THREADS": "1"}).stdout)
        self.assertEqual(shown["threads"], {**shown["threads"], "value": "1",
                                            "origin": "TINYARMS_THREADS"})
        self.assertEqual(shown["offline"]["origin"], "default")
        self.assertIn(b"config.toml", self.run_cli("config", "path").stdout)

    def test_doctor_version_completions_and_manual(self):
        findings = json.loads(self.run_cli("doctor", "--json").stdout)["findings"]
        self.assertTrue(all(finding["sound"] for finding in findings), findings)
        sick = json.loads(self.run_cli("doctor", "--json", exits=1,
                                       environment={"TINYARMS_L2_MODEL": "nope"}).stdout)
        self.assertTrue([f for f in sick["findings"] if not f["sound"] and f["mend"]])
        version = json.loads(self.run_cli("version", "--json").stdout)
        self.assertTrue(all(len(model["sha256"]) == 64 for model in version["models"]))
        for shell in ("bash", "zsh", "fish"):
            self.assertIn(b"quantize", self.run_cli("completions", shell).stdout)
        self.assertIn(b".TH TINYARMS", self.run_cli("man").stdout)


def main():
    global BINARY, MODELS, STORE
    BINARY = str(pathlib.Path(sys.argv[1]).resolve())
    MODELS = pathlib.Path(sys.argv[2]).resolve()
    if not (MODELS / f"{SMALL}.gguf").exists():
        print(f"SKIPPED: no default weights in {MODELS}: run ./check, which fetches them")
        return 77
    with tempfile.TemporaryDirectory(prefix="tinyarms-store-") as store:
        STORE = pathlib.Path(store)
        environment = {**os.environ, "XDG_DATA_HOME": store}
        for source, options in ((MODELS / f"{SMALL}.gguf", []),
                                (MODELS / "all-minilm-l6-v2",
                                 ["--quantization", "f32", "--name", "all-minilm-l6-v2.f32"])):
            subprocess.run([BINARY, "models", "import", str(source), *options], check=True,
                           env=environment, stdout=subprocess.DEVNULL)
        result = unittest.main(argv=sys.argv[:1], exit=False, verbosity=2).result
        return 0 if result.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main())
