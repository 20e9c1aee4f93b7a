#!/usr/bin/env python3
"""`tinyarms pull` and `models check|export|mirror` from outside, against a server that behaves as
Hugging Face's hub does, and as no server should.

usage: check_pull.py BINARY

The model is a few kilobytes of random weights, made here: no real weights, no network but the
loopback interface.
"""

import hashlib
import http.server
import json
import os
import pathlib
import random
import re
import shlex
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import threading
import time
import unittest

BINARY = ""
TOKEN = "hf_canary7f3a"
REPOSITORY = "acme/tiny-GGUF"


CHAT = ("{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + "
        "message['content'] + '<|im_end|>\n' }}{% endfor %}"
        "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}")


def text(value):
    raw = value.encode()
    return struct.pack("<Q", len(raw)) + raw


def scalar(key, kind, form, value):
    return text(key) + struct.pack("<i" + form, kind, value)


def gguf(pad=0, seed=7, split=None):
    """A llama of width 64 with one layer, 259 tokens; `pad` bytes of another tensor make it
    larger. split = (part, parts): the tensors of that part only."""
    chooser = random.Random(seed)
    printable = [b for b in range(256)
                 if 33 <= b <= 126 or 161 <= b <= 172 or b >= 174]
    others = iter(range(256, 512))
    tokens = [chr(b) if b in printable else chr(next(others)) for b in range(256)]
    tokens += ["he", "<|im_start|>", "<|im_end|>"]
    types = [1] * 257 + [3, 3]
    pairs = [text("general.architecture") + struct.pack("<i", 8) + text("llama"),
             text("general.license") + struct.pack("<i", 8) + text("apache-2.0"),
             scalar("general.file_type", 4, "I", 0)]
    for key, value in (("block_count", 1), ("context_length", 512), ("embedding_length", 64),
                       ("feed_forward_length", 96), ("attention.head_count", 2),
                       ("attention.head_count_kv", 1)):
        pairs.append(scalar("llama." + key, 4, "I", value))
    pairs.append(scalar("llama.attention.layer_norm_rms_epsilon", 6, "f", 1e-5))
    pairs.append(text("tokenizer.ggml.model") + struct.pack("<i", 8) + text("gpt2"))
    pairs.append(text("tokenizer.ggml.pre") + struct.pack("<i", 8) + text("gpt-2"))
    pairs.append(text("tokenizer.ggml.tokens") + struct.pack("<iiQ", 9, 8, len(tokens)) +
                 b"".join(text(token) for token in tokens))
    pairs.append(text("tokenizer.ggml.token_type") +
                 struct.pack(f"<iiQ{len(types)}i", 9, 5, len(types), *types))
    pairs.append(text("tokenizer.ggml.merges") + struct.pack("<iiQ", 9, 8, 1) + text("h e"))
    pairs.append(scalar("tokenizer.ggml.bos_token_id", 4, "I", 257))
    pairs.append(scalar("tokenizer.ggml.eos_token_id", 4, "I", 258))
    pairs.append(text("tokenizer.chat_template") + struct.pack("<i", 8) + text(CHAT))
    tensors = [("token_embd.weight", (64, 259)), ("blk.0.attn_norm.weight", (64,)),
               ("blk.0.attn_q.weight", (64, 64)), ("blk.0.attn_k.weight", (64, 32)),
               ("blk.0.attn_v.weight", (64, 32)), ("blk.0.attn_output.weight", (64, 64)),
               ("blk.0.ffn_norm.weight", (64,)), ("blk.0.ffn_gate.weight", (64, 96)),
               ("blk.0.ffn_up.weight", (64, 96)), ("blk.0.ffn_down.weight", (96, 64)),
               ("output_norm.weight", (64,))]
    values = {}
    for name, shape in tensors:
        count = shape[0] * (shape[1] if len(shape) > 1 else 1)
        values[name] = struct.pack(f"<{count}f", *(
            1.0 if len(shape) == 1 else chooser.uniform(-0.5, 0.5) for _ in range(count)))
    if pad:
        # In the embedding's place nothing may be; a long text in the header is harmless.
        pairs.append(text("general.description") + struct.pack("<i", 8) + text("x" * pad))
    if split is not None:
        part, parts = split
        total = len(tensors)
        tensors = tensors[part * total // parts:(part + 1) * total // parts]
        if part > 0:
            pairs = pairs[:1]
        pairs += [scalar("split.no", 2, "H", part), scalar("split.count", 2, "H", parts),
                  scalar("split.tensors.count", 5, "i", total)]
    out = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(pairs)) + b"".join(pairs)
    offset = 0
    for name, shape in tensors:
        out += text(name) + struct.pack("<I", len(shape)) + struct.pack(f"<{len(shape)}Q", *shape)
        out += struct.pack("<iQ", 0, offset)
        offset += -(-len(values[name]) // 32) * 32
    out += b"\0" * (-len(out) % 32)
    for name, _ in tensors:
        out += values[name] + b"\0" * (-len(values[name]) % 32)
    return out


def sha256(data):
    return hashlib.sha256(data).hexdigest()


class Hub:
    """Serves a repository: the tree, and files by a redirect to a second "host" (the same server
    under the name localhost, as a CDN would be). `rules` changes how it behaves."""

    def __init__(self):
        self.files = {}      # path → bytes
        self.rules = {}      # name → value
        self.asked = []      # (method path, range, authorization, host)
        self.lock = threading.Lock()
        hub = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def do_GET(self):  # the name that http.server wants
                with hub.lock:
                    hub.asked.append((self.path, self.headers.get("Range"),
                                      self.headers.get("Authorization"),
                                      self.headers.get("Host")))
                try:
                    hub.answer(self)
                except (BrokenPipeError, ConnectionResetError):
                    pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        # A client that has seen enough, or was killed, is no fault of the server's.
        self.server.handle_error = lambda *_: None
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def take(self, rule):
        """One use of a rule that counts down."""
        with self.lock:
            left = self.rules.get(rule, 0)
            self.rules[rule] = left - 1
            return left > 0

    @staticmethod
    def send(handler, status, body=b"", **headers):
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        if "Content_Length" not in headers:
            handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    def answer(self, handler):
        path = handler.path.split("?")[0]
        if self.take("busy"):
            return self.send(handler, 429, b"slow down", Retry_After="1")
        if self.take("broken"):
            return self.send(handler, 503, b"<html>sorry</html>")
        token = self.rules.get("token")
        if path.startswith("/api/models/"):
            if token and handler.headers.get("Authorization") != f"Bearer {token}":
                return self.send(handler, 401, b"{}")
            if f"/{REPOSITORY}/" not in path:
                return self.send(handler, 404, b"{}")
            return self.send(handler, 200, self.tree())
        name = path.rsplit("/", 1)[-1]
        if name not in self.files:
            return self.send(handler, 404, b"Entry not found")
        if path.startswith(f"/{REPOSITORY}/resolve/main/"):
            if token and handler.headers.get("Authorization") != f"Bearer {token}":
                return self.send(handler, 401, b"{}")
            target = self.rules.get("redirect", f"http://localhost:{self.port}/cdn/{name}")
            return self.send(handler, 302, b"", Location=target,
                             X_Linked_Etag=f'"{sha256(self.files[name])}"',
                             X_Linked_Size=str(len(self.files[name])))
        return self.file(handler, name)

    def tree(self):
        if "tree" in self.rules:
            return self.rules["tree"]
        entries = [{"type": "file", "path": "README.md", "size": 12, "oid": "00"}]
        for path, data in self.files.items():
            hash_ = self.rules.get("announced", sha256(data))
            entries.append({"type": "file", "path": path, "size": len(data), "oid": "0" * 40,
                            "lfs": {"oid": hash_, "size": len(data), "pointerSize": 135}})
        return json.dumps(entries).encode()

    def file(self, handler, name):
        data = self.files[name]
        etag = self.rules.get("etag", f'"{sha256(data)[:16]}"')
        begin, end = 0, len(data)
        ranged = re.fullmatch(r"bytes=(\d+)-(\d*)", handler.headers.get("Range", ""))
        headers = {"Accept_Ranges": "bytes", **({"ETag": etag} if etag else {})}
        status = 200
        if ranged and not self.rules.get("no_ranges"):
            begin = int(ranged[1])
            end = min(int(ranged[2]) + 1 if ranged[2] else len(data), len(data))
            total = len(data) + self.rules.get("lying_total", 0)
            headers["Content_Range"] = f"bytes {begin}-{end - 1}/{total}"
            status = 206
        body = data[begin:end]
        probe = end - begin == 1
        if not probe and self.take("expired"):
            return self.send(handler, 403, b"the address was good for a while")
        if not probe and self.take("busy_parts"):
            return self.send(handler, 429, b"slow down")
        if not probe and self.take("wrong_bytes"):
            body = bytes([body[0] ^ 1]) + body[1:]
        headers["Content_Length"] = str(len(body))
        if probe and self.rules.get("endless"):
            headers["Content_Length"] = str(1 << 40)
            self.send(handler, status, b"", **headers)
            while True:
                handler.wfile.write(b"\0" * 65536)
        if not probe and self.take("cut"):
            body = body[:len(body) // 2]
            handler.close_connection = True
        if not probe and self.rules.get("more"):
            body += b"more"
            headers["Content_Length"] = str(len(body))
        pause = 0 if probe else self.rules.get("slow", 0)
        if not pause:
            return self.send(handler, status, body, **headers)
        self.send(handler, status, body[:1000], **headers)
        handler.wfile.flush()
        time.sleep(pause)
        handler.wfile.write(body[1000:])
        return None


class Pull(unittest.TestCase):
    def setUp(self):
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="tinyarms-pull-"))
        self.addCleanup(shutil.rmtree, self.home, ignore_errors=True)
        self.hub = Hub()
        self.addCleanup(self.hub.stop)
        self.data = gguf(pad=900_000)
        self.hub.files["tiny-Q8_0.gguf"] = gguf(pad=10, seed=1)
        self.hub.files["tiny-Q4_K_M.gguf"] = self.data

    def environment(self, **more):
        kept = {name: os.environ[name] for name in ("PATH", "ASAN_OPTIONS", "TSAN_OPTIONS")
                if name in os.environ}
        return {**kept, "HOME": str(self.home), "TINYARMS_OFFLINE": "false",
                "TINYARMS_PULL_HUB": self.hub.url,
                "TINYARMS_PULL_HOSTS": f'["localhost:{self.hub.port}"]', **more}

    def run_cli(self, *arguments, exits=0, **more):
        done = subprocess.run([BINARY, *arguments], capture_output=True, cwd=self.home,
                              stdin=subprocess.DEVNULL, check=False, timeout=120,
                              env=self.environment(**more))
        self.assertEqual(done.returncode, exits, (done.stdout[-2000:], done.stderr[-2000:]))
        self.assertNotIn(TOKEN.encode(), done.stdout + done.stderr)
        return done

    def pull(self, source=f"hf:{REPOSITORY}:Q4_K_M", *arguments, exits=0, **more):
        done = self.run_cli("pull", source, "--json", *arguments, exits=exits, **more)
        return json.loads(done.stdout)

    @property
    def models(self):
        return self.home / ".local/share/tinyarms/models"

    def installed(self):
        return sorted(path.name for path in self.models.glob("*.gguf"))

    def assert_nothing(self):
        self.assertEqual(self.installed(), [])

    # What a hub does.

    def test_pulls_verifies_installs(self):
        pulled = self.pull()
        self.assertEqual(pulled["sha256"], sha256(self.data))
        self.assertEqual(pulled["name"], "tiny-q4_k_m")
        self.assertEqual(pulled["fetched_bytes"], len(self.data))
        self.assertEqual((self.models / "tiny-q4_k_m.gguf").read_bytes(), self.data)
        self.assertEqual(list((self.models / ".pull").iterdir()), [])
        listed = json.loads(self.run_cli("models", "list", "--json").stdout)["models"]
        self.assertEqual(listed[0]["sha256"], sha256(self.data))
        ranges = [asked for asked in self.hub.asked if asked[1] and asked[0].startswith("/cdn/")]
        self.assertGreater(len(ranges), 3, "in several parts")

    def test_a_second_pull_fetches_nothing(self):
        self.pull()
        before = len(self.hub.asked)
        again = self.pull()
        self.assertEqual(again["reused"], "the model store")
        self.assertEqual(again["fetched_bytes"], 0)
        self.assertEqual([asked[0] for asked in self.hub.asked[before:]],
                         [f"/api/models/{REPOSITORY}/tree/main?recursive=true"])

    def test_answers_with_what_it_pulled(self):
        self.pull()
        reply = json.loads(self.run_cli("ask", "--json", "--tier", "l2", "--max-tokens", "4", "hi",
                                        "--confidence-threshold", "0",
                                        TINYARMS_L2_MODEL="tiny-q4_k_m").stdout)
        self.assertEqual(reply["tier"], "l2")

    def test_offline_is_obeyed(self):
        done = self.run_cli("pull", f"hf:{REPOSITORY}", exits=7, TINYARMS_OFFLINE="true")
        self.assertIn(b"offline", done.stderr)
        self.assertEqual(self.hub.asked, [])
        self.run_cli("pull", f"http://localhost:{self.hub.port}/cdn/tiny-Q8_0.gguf", exits=7,
                     TINYARMS_OFFLINE="true")
        self.assertEqual(self.hub.asked, [])
        self.pull(f"hf:{REPOSITORY}:Q8_0", "--online", TINYARMS_OFFLINE="true")

    def test_types_and_names(self):
        error = self.pull(f"hf:{REPOSITORY}:Q2_K", exits=5)["error"]
        self.assertIn("Q4_K_M", error["hint"])
        self.pull("hf:acme/none", exits=5)
        self.assertEqual(self.pull(f"hf:{REPOSITORY}", "--name", "mine")["name"], "mine")
        self.assertEqual(self.pull(f"hf:{REPOSITORY}/tiny-Q8_0.gguf")["name"], "tiny-q8_0")
        self.pull(f"hf:{REPOSITORY}:Q8_0", "--name", "mine", exits=2)

    def test_a_token_goes_to_the_hub_alone(self):
        self.hub.rules["token"] = TOKEN
        error = self.pull(exits=6)["error"]
        self.assertIn("token", error["message"] + error["hint"])
        self.assert_nothing()
        self.pull(HF_TOKEN=TOKEN)
        for path, _, authorization, host in self.hub.asked:
            if path.startswith("/cdn/"):
                self.assertIsNone(authorization, (path, host))

    def test_a_token_file_is_private(self):
        self.hub.rules["token"] = TOKEN
        file = self.home / "token"
        file.write_text(TOKEN + "\n")
        file.chmod(0o644)
        self.assertIn("chmod", self.pull(exits=6, TINYARMS_PULL_TOKEN_FILE=str(file))
                      ["error"]["hint"])
        file.chmod(0o600)
        self.pull(TINYARMS_PULL_TOKEN_FILE=str(file))

    def test_busy_and_broken_servers_are_asked_again(self):
        self.hub.rules.update(busy=1, broken=1)
        begun = time.monotonic()
        self.pull()
        self.assertGreaterEqual(time.monotonic() - begun, 1, "as Retry-After said")

    def test_a_server_that_stays_broken(self):
        self.hub.rules["broken"] = 1000
        self.assertIn("503", self.pull(exits=7)["error"]["message"])
        self.assert_nothing()

    def test_an_address_that_expired_is_asked_for_again(self):
        self.hub.rules["expired"] = 4  # each connection's
        self.assertEqual(self.pull()["sha256"], sha256(self.data))

    def test_connections_that_fail_together_failed_once(self):
        self.hub.files["tiny-Q4_K_M.gguf"] = self.data = gguf(pad=3_000_000)
        self.hub.rules["busy_parts"] = 8
        self.assertEqual(self.pull(TINYARMS_PULL_CONNECTIONS="8")["sha256"], sha256(self.data))

    def test_a_part_that_does_not_end(self):
        self.hub.rules["endless"] = True
        self.assertEqual(self.pull()["sha256"], sha256(self.data))

    def test_truncated_bodies_are_completed(self):
        self.hub.rules["cut"] = 3
        self.assertEqual(self.pull()["sha256"], sha256(self.data))

    def test_a_wrong_hash_is_thrown_away(self):
        self.hub.rules["wrong_bytes"] = 1
        self.assertIn("SHA-256", self.pull(exits=5)["error"]["message"])
        self.assert_nothing()
        self.assertEqual(list((self.models / ".pull").iterdir()), [])
        self.pull()

    def test_servers_that_lie(self):
        self.hub.rules["lying_total"] = 5
        self.assertIn("bytes", self.pull(exits=5)["error"]["message"])
        self.hub.rules = {"more": True}
        self.pull(exits=5)
        self.hub.rules = {"announced": "0" * 64}
        self.pull(exits=5)
        self.hub.rules = {"tree": b"<html>"}
        self.pull(exits=5)
        self.hub.rules = {"tree": b"[" * 100_000}
        self.pull(exits=5)
        self.hub.rules = {"tree": json.dumps([{"type": "file", "path": "../../x-Q4_K_M.gguf",
                                               "size": 3}]).encode()}
        self.pull(exits=5)
        self.assert_nothing()

    def test_a_server_without_ranges(self):
        self.hub.rules["no_ranges"] = True
        self.assertEqual(self.pull()["sha256"], sha256(self.data))

    def test_redirects_are_held_against_the_rules(self):
        for target in ("https://evil.example.com/x.gguf", "http://169.254.169.254/x",
                       "ftp://127.0.0.1/x", "file:///etc/passwd",
                       f"http://user:pass@localhost:{self.hub.port}/cdn/tiny-Q4_K_M.gguf",
                       f"http://127.0.0.2:{self.hub.port}/cdn/tiny-Q4_K_M.gguf"):
            self.hub.rules["redirect"] = target
            self.pull(exits=6)
        self.hub.rules["redirect"] = f"{self.hub.url}/{REPOSITORY}/resolve/main/tiny-Q4_K_M.gguf"
        self.assertIn("redirected", self.pull(exits=5)["error"]["message"])
        self.assert_nothing()

    def test_only_named_hosts_and_no_plain_http(self):
        self.pull("http://example.com/a.gguf", exits=6)
        self.pull("https://example.com/a.gguf", exits=6)
        self.pull(f"http://localhost:{self.hub.port}/cdn/tiny-Q8_0.gguf", exits=6,
                  TINYARMS_PULL_HOSTS='["huggingface.co"]')
        self.assertEqual(self.hub.asked, [])
        pulled = self.pull(f"http://localhost:{self.hub.port}/cdn/tiny-Q8_0.gguf")
        self.assertEqual(pulled["sha256"], sha256(self.hub.files["tiny-Q8_0.gguf"]))

    def test_a_projects_file_cannot_allow_hosts(self):
        (self.home / "project").mkdir()
        (self.home / "project/.tinyarms.toml").write_text('pull.hosts = ["evil.example.com"]\n')
        done = subprocess.run([BINARY, "pull", "https://evil.example.com/a.gguf"], check=False,
                              capture_output=True, cwd=self.home / "project", timeout=60,
                              env={**self.environment(), "TINYARMS_PULL_HOSTS": '["localhost"]'})
        self.assertEqual(done.returncode, 6, done.stderr)

    def test_a_limit_of_size(self):
        self.assertIn("pull.size_max_gb",
                      self.pull(exits=5, TINYARMS_PULL_SIZE_MAX_GB="0.0005")["error"]["hint"])
        self.assert_nothing()

    def test_a_file_that_is_no_model(self):
        self.hub.files["tiny-Q4_K_M.gguf"] = b"GGUF" + os.urandom(500_000)
        self.pull(exits=5)
        self.assert_nothing()
        self.assertEqual(list((self.models / ".pull").iterdir()), [])

    # Killed and gone on with.

    def test_killed_in_the_middle_and_resumed(self):
        self.hub.files["tiny-Q4_K_M.gguf"] = self.data = gguf(pad=6_000_000)
        self.hub.rules["slow"] = 0.2
        process = subprocess.Popen([BINARY, "pull", f"hf:{REPOSITORY}:Q4_K_M"], cwd=self.home,
                                   env=self.environment(), stdin=subprocess.DEVNULL,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        journal = None
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            found = list(self.models.glob(".pull/*.part.json"))
            if found:
                try:
                    journal = json.loads(found[0].read_text())
                except ValueError:
                    continue
                if journal["pieces"].count("1") >= 2:
                    break
            time.sleep(0.01)
        process.kill()
        process.wait()
        self.assertIsNotNone(journal)
        self.assert_nothing()
        self.hub.rules["slow"] = 0
        pulled = self.pull()
        self.assertEqual(pulled["sha256"], sha256(self.data))
        self.assertLess(pulled["fetched_bytes"], len(self.data) - 2 * journal["piece_bytes"] + 1)

    def test_ctrl_c_keeps_what_came(self):
        self.hub.rules["slow"] = 30
        process = subprocess.Popen([BINARY, "pull", f"hf:{REPOSITORY}:Q4_K_M"], cwd=self.home,
                                   env=self.environment(), stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        deadline = time.monotonic() + 60
        while not list(self.models.glob(".pull/*.part.json")) and time.monotonic() < deadline:
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
        self.assertEqual(process.returncode, 130)
        self.assert_nothing()

    # What is here already.

    def test_other_programs_stores_are_used(self):
        hash_ = sha256(self.data)
        places = {
            "the Hugging Face cache": self.home / ".cache/huggingface/hub" /
                                      f"models--{REPOSITORY.replace('/', '--')}" / "blobs" / hash_,
            "Ollama": self.home / ".ollama/models/blobs" / f"sha256-{hash_}",
            "the llama.cpp cache": self.home / ".cache/llama.cpp/acme_tiny-GGUF_tiny-Q4_K_M.gguf",
            "LM Studio": self.home / ".lmstudio/models/acme/tiny-GGUF/tiny-Q4_K_M.gguf",
        }
        for holder, path in places.items():
            path.parent.mkdir(parents=True)
            path.write_bytes(self.data)
            pulled = self.pull()
            self.assertEqual((pulled["reused"], pulled["fetched_bytes"]), (holder, 0))
            self.run_cli("models", "rm", pulled["name"])
            path.write_bytes(b"GGUF" + self.data[4:-1] + b"!")  # as long, and another
            self.assertEqual(self.pull()["reused"], "", holder)
            self.run_cli("models", "rm", pulled["name"])
            path.unlink()

    def test_the_hub_cache_serves_offline(self):
        folder = self.home / ".cache/huggingface/hub" / f"models--{REPOSITORY.replace('/', '--')}"
        (folder / "blobs").mkdir(parents=True)
        (folder / "blobs" / sha256(self.data)).write_bytes(self.data)
        (folder / "snapshots/abc").mkdir(parents=True)
        (folder / "snapshots/abc/tiny-Q4_K_M.gguf").symlink_to(
            f"../../blobs/{sha256(self.data)}")
        pulled = self.pull(TINYARMS_OFFLINE="true")
        self.assertEqual(pulled["sha256"], sha256(self.data))
        self.assertEqual(self.hub.asked, [])

    def test_files_folders_and_parts(self):
        (self.home / "a.gguf").write_bytes(self.data)
        self.assertEqual(self.pull("./a.gguf", TINYARMS_OFFLINE="true")["name"], "a")
        self.pull("./none.gguf", exits=5)
        (self.home / "b.gguf").write_bytes(self.data[:-100])
        self.pull(f"file://{self.home}/b.gguf", exits=5)
        for part in range(3):
            (self.home / f"big-{part + 1:05}-of-00003.gguf").write_bytes(gguf(split=(part, 3)))
        joined = self.pull("./big-00001-of-00003.gguf", TINYARMS_OFFLINE="true")
        self.assertEqual(joined["name"], "big")
        whole = json.loads(self.run_cli("models", "check", "--load", "--json",
                                        joined["path"]).stdout)
        self.assertTrue(whole["valid"] and whole["loaded"])
        self.assertEqual(whole["tensors"], 11)

    def test_parts_from_the_hub(self):
        del self.hub.files["tiny-Q8_0.gguf"]
        for part in range(2):
            self.hub.files[f"big-Q8_0-{part + 1:05}-of-00002.gguf"] = gguf(split=(part, 2))
        self.assertEqual(self.pull(f"hf:{REPOSITORY}:Q8_0")["name"], "big-q8_0")
        del self.hub.files["big-Q8_0-00002-of-00002.gguf"]
        self.run_cli("models", "rm", "big-q8_0")
        self.pull(f"hf:{REPOSITORY}:Q8_0", exits=5)
        self.assert_nothing()

    # What was downloaded before.

    @property
    def address(self):
        return f"http://localhost:{self.hub.port}/cdn/tiny-Q4_K_M.gguf"

    def pull_twice(self):
        """The same address under two names: the second pull, and what the server was asked."""
        self.assertEqual(self.pull(self.address)["fetched_bytes"], len(self.data))
        before = len(self.hub.asked)
        again = self.pull(self.address, "--name", "other")
        self.assertEqual(again["sha256"], sha256(self.data))
        self.assertEqual((self.models / "other.gguf").read_bytes(), self.data)
        self.assertEqual(list((self.models / ".pull").iterdir()), [])
        return again, [asked[:2] for asked in self.hub.asked[before:]]

    def test_an_address_under_another_name_is_asked_once_and_linked(self):
        again, asked = self.pull_twice()
        self.assertEqual((again["name"], again["reused"], again["fetched_bytes"]),
                         ("other", "the model store", 0))
        self.assertEqual(asked, [("/cdn/tiny-Q4_K_M.gguf", "bytes=0-0")])
        self.assertTrue((self.models / "other.gguf").samefile(self.models / "tiny-q4_k_m.gguf"))
        self.run_cli("models", "rm", "tiny-q4_k_m")
        before = len(self.hub.asked)
        self.assertEqual(self.pull(self.address, "--name", "third")["fetched_bytes"], 0,
                         "the second name remembers as well")
        self.assertEqual(self.pull(self.address, "--name", "third")["name"], "third")
        self.assertEqual([ask[1] for ask in self.hub.asked[before:]], ["bytes=0-0"] * 2)

    def test_a_hubs_file_under_another_name_is_linked(self):
        self.pull()
        before = len(self.hub.asked)
        again = self.pull(f"hf:{REPOSITORY}:Q4_K_M", "--name", "other")
        self.assertEqual((again["reused"], again["fetched_bytes"]), ("the model store", 0))
        self.assertEqual([asked[0] for asked in self.hub.asked[before:]],
                         [f"/api/models/{REPOSITORY}/tree/main?recursive=true"])
        # The file's own address names its hash: nothing is fetched from there either.
        by_address = self.pull(f"{self.hub.url}/{REPOSITORY}/resolve/main/tiny-Q4_K_M.gguf",
                               "--name", "third")
        self.assertEqual((by_address["reused"], by_address["fetched_bytes"]),
                         ("the model store", 0))

    def test_a_sidecar_that_is_gone_is_written_again(self):
        self.pull()
        (self.models / "tiny-q4_k_m.json").unlink()
        again = self.pull()
        self.assertEqual((again["name"], again["reused"], again["fetched_bytes"]),
                         ("tiny-q4_k_m", "the model store", 0))
        self.assertEqual(json.loads((self.models / "tiny-q4_k_m.json").read_text())["sha256"],
                         sha256(self.data))

    def test_parts_under_another_name_are_linked(self):
        del self.hub.files["tiny-Q8_0.gguf"]
        for part in range(2):
            self.hub.files[f"big-Q8_0-{part + 1:05}-of-00002.gguf"] = gguf(split=(part, 2))
        first = self.pull(f"hf:{REPOSITORY}:Q8_0")
        again = self.pull(f"hf:{REPOSITORY}:Q8_0", "--name", "other")
        self.assertEqual((again["sha256"], again["reused"], again["fetched_bytes"]),
                         (first["sha256"], "the model store", 0))
        self.assertEqual(self.pull(f"hf:{REPOSITORY}:Q8_0")["fetched_bytes"], 0)

    def test_a_weak_etag_or_none_tells_nothing(self):
        for etag in ('W/"1"', ""):
            self.hub.rules["etag"] = etag
            again, _ = self.pull_twice()
            self.assertEqual(again["fetched_bytes"], len(self.data), etag)
            self.run_cli("models", "rm", "other")
            self.run_cli("models", "rm", "tiny-q4_k_m")

    def test_another_version_at_the_address_is_fetched(self):
        self.pull(self.address)
        self.hub.rules["etag"] = '"another"'
        self.assertEqual(self.pull(self.address, "--name", "b")["fetched_bytes"], len(self.data))
        # As long, under the old ETag of another address: each address has its own.
        self.hub.files["copy.gguf"] = self.data
        self.assertEqual(self.pull(self.address.replace("tiny-Q4_K_M", "copy"), "--name",
                                   "c")["fetched_bytes"], len(self.data))

    def test_what_is_remembered_of_a_file_that_is_gone_or_changed_is_not_believed(self):
        file = self.models / "tiny-q4_k_m.gguf"
        damaged = self.data[:-1] + bytes([self.data[-1] ^ 1])

        def gone():
            file.unlink()

        def changed_in_secret():
            stamp = file.stat()
            file.write_bytes(damaged)
            os.utime(file, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))

        def forgotten():
            file.with_suffix(".json").write_text("{")

        for happens in (gone, changed_in_secret, forgotten):
            self.pull(self.address)
            happens()
            again = self.pull(self.address, "--name", "other")
            self.assertEqual((again["fetched_bytes"], again["sha256"]),
                             (len(self.data), sha256(self.data)), happens.__name__)
            for path in [*self.models.glob("*.gguf"), *self.models.glob("*.json")]:
                path.unlink()

    def test_a_store_of_before_is_read_and_learns(self):
        self.pull(self.address)
        sidecar = self.models / "tiny-q4_k_m.json"
        old = json.loads(sidecar.read_text())
        del old["downloads"]
        sidecar.write_text(json.dumps(old))
        listed = json.loads(self.run_cli("models", "list", "--json").stdout)["models"][0]
        self.assertEqual((listed["sha256"], listed["source"]), (sha256(self.data), self.address))
        self.pull(self.address)  # nothing tells that it is the same: fetched, and remembered
        self.assertEqual(self.pull(self.address)["fetched_bytes"], 0)
        old["downloads"] = [{"url": self.address, "etag": 7, "bytes": -1}]
        sidecar.write_text(json.dumps(old))
        self.assertEqual(json.loads(self.run_cli("models", "list", "--json").stdout)["models"][0]
                         ["sha256"], sha256(self.data))

    # Versions.

    def outdated(self, *arguments, **more):
        """What `models outdated` says by name, after it fetched nothing."""
        before = len(self.hub.asked)
        found = json.loads(self.run_cli("models", "outdated", "--json", *arguments, **more).stdout)
        for path, ranged, *_ in self.hub.asked[before:]:
            self.assertTrue(path.startswith("/api/") or ranged == "bytes=0-0", (path, ranged))
        self.assertEqual(found["outdated"],
                         sum(model["state"] == "outdated" for model in found["models"]))
        return {model["name"]: model for model in found["models"]}

    def rollback(self, name="tiny-q4_k_m", **more):
        return json.loads(self.run_cli("models", "rollback", name, "--json", **more).stdout)

    def test_a_newer_version_comes_in_and_the_one_before_is_kept(self):
        self.pull()
        self.assertEqual(self.outdated()["tiny-q4_k_m"]["state"], "current")
        newer = self.hub.files["tiny-Q4_K_M.gguf"] = gguf(pad=800_000, seed=9)
        found = self.outdated()["tiny-q4_k_m"]
        self.assertEqual((found["state"], found["upstream_sha256"], found["upstream_bytes"],
                          found["previous_sha256"]),
                         ("outdated", sha256(newer), len(newer), ""))
        told = self.run_cli("models", "outdated").stdout.decode()
        self.assertIn(f"tinyarms pull hf:{REPOSITORY}/tiny-Q4_K_M.gguf --name tiny-q4_k_m", told)
        pulled = self.pull(f"hf:{REPOSITORY}/tiny-Q4_K_M.gguf", "--name", "tiny-q4_k_m")
        self.assertEqual((pulled["sha256"], pulled["replaced_sha256"], pulled["fetched_bytes"]),
                         (sha256(newer), sha256(self.data), len(newer)))
        found = self.outdated()["tiny-q4_k_m"]
        self.assertEqual((found["state"], found["previous_sha256"]),
                         ("current", sha256(self.data)))
        self.assertEqual(self.installed(), ["tiny-q4_k_m.gguf"])
        # Back, and forward by the same command or by a pull that fetches nothing.
        self.assertEqual(self.rollback()["sha256"], sha256(self.data))
        self.assertEqual((self.models / "tiny-q4_k_m.gguf").read_bytes(), self.data)
        self.assertEqual(self.outdated()["tiny-q4_k_m"]["state"], "outdated")
        self.assertEqual(self.rollback()["sha256"], sha256(newer))
        self.rollback()
        again = self.pull()
        self.assertEqual((again["sha256"], again["reused"], again["fetched_bytes"]),
                         (sha256(newer), "the model store", 0))
        self.assertEqual(self.rollback()["sha256"], sha256(self.data))
        removed = json.loads(self.run_cli("models", "prune", "--json").stdout)["removed"]
        self.assertEqual([(model["name"], model["sha256"]) for model in removed],
                         [("tiny-q4_k_m", sha256(newer))])
        self.run_cli("models", "rollback", "tiny-q4_k_m", exits=5)
        self.run_cli("models", "prune", "tiny-q4_k_m", exits=5)
        self.assertEqual((self.models / "tiny-q4_k_m.gguf").read_bytes(), self.data)

    def test_a_newer_version_at_an_address(self):
        self.pull(self.address)
        self.assertEqual(self.outdated()["tiny-q4_k_m"]["state"], "current")
        newer = self.hub.files["tiny-Q4_K_M.gguf"] = gguf(pad=900_000, seed=9)
        self.assertEqual(len(newer), len(self.data))
        found = self.outdated()["tiny-q4_k_m"]
        self.assertEqual((found["state"], found["reason"]), ("outdated", "another ETag there"))
        self.assertEqual(self.pull(self.address)["replaced_sha256"], sha256(self.data))
        self.hub.rules["etag"] = ""
        self.assertEqual(self.outdated()["tiny-q4_k_m"]["state"], "outdated")
        sidecar = self.models / "tiny-q4_k_m.json"
        known = json.loads(sidecar.read_text())
        sidecar.write_text(json.dumps({**known, "downloads": []}))
        self.assertEqual(self.outdated()["tiny-q4_k_m"]["state"], "unknown")

    def test_a_newer_version_that_is_no_model_changes_nothing(self):
        self.pull()
        self.hub.files["tiny-Q4_K_M.gguf"] = self.data[:-40]
        self.pull(exits=5)
        self.assertEqual((self.models / "tiny-q4_k_m.gguf").read_bytes(), self.data)
        self.run_cli("models", "rollback", "tiny-q4_k_m", exits=5)

    def test_a_file_of_a_hostile_name_is_no_command(self):
        self.hub.files = {"$(touch x);'y'-Q8_0.gguf": self.data}
        blob = self.home / ".ollama/models/blobs" / f"sha256-{sha256(self.data)}"
        blob.parent.mkdir(parents=True)
        blob.write_bytes(self.data)
        self.pull(f"hf:{REPOSITORY}:Q8_0", "--name", "hostile")
        self.hub.files["$(touch x);'y'-Q8_0.gguf"] = gguf(seed=9)
        told = self.run_cli("models", "outdated").stdout.decode()
        command = told.split("tinyarms pull ", 1)[1]
        words = shlex.split(command)
        self.assertEqual(words[0], f"hf:{REPOSITORY}/$(touch x);'y'-Q8_0.gguf")
        self.assertEqual(words[1:], ["--name", "hostile"])

    def test_the_catalogues_date_stands_beside(self):
        self.pull()
        folder = self.home / ".config/tinyarms/catalog"
        folder.mkdir(parents=True)
        for data, words in ((self.data, "this very file"), (b"other", "another file")):
            (folder / "acme.toml").write_text(f"""
family = "acme"
[source.card]
text = "a card"
date = "2026-10-03"
[[model]]
name = "tiny"
title = "Tiny"
roles = ["code"]
repository = "{REPOSITORY}"
source = "card"
[[model.file]]
quantisation = "Q4_K_M"
name = "tiny-Q4_K_M.gguf"
bytes = {len(self.data)}
sha256 = "{sha256(data)}"
source = "card"
""")
            found = self.outdated(TINYARMS_OFFLINE="true")["tiny-q4_k_m"]
            self.assertEqual((found["state"], found["catalogue_date"],
                              found["catalogue_sha256"]),
                             ("offline", "2026-10-03", sha256(data)))
            told = self.run_cli("models", "outdated", TINYARMS_OFFLINE="true").stdout.decode()
            self.assertIn(f"the catalogue of 2026-10-03 names {words}", told)

    def test_newer_parts(self):
        del self.hub.files["tiny-Q8_0.gguf"]
        names = [f"big-Q8_0-{part + 1:05}-of-00002.gguf" for part in range(2)]
        for part, name in enumerate(names):
            self.hub.files[name] = gguf(split=(part, 2))
        first = self.pull(f"hf:{REPOSITORY}:Q8_0")
        self.assertEqual(self.outdated()["big-q8_0"]["state"], "current")
        self.hub.files[names[1]] = gguf(split=(1, 2), seed=9)
        self.assertEqual(self.outdated()["big-q8_0"]["state"], "outdated")
        self.assertEqual(self.pull(f"hf:{REPOSITORY}:Q8_0")["replaced_sha256"], first["sha256"])
        self.assertEqual(self.rollback("big-q8_0")["sha256"], first["sha256"])

    def test_outdated_asks_where_pull_may_and_says_what_it_does_not_know(self):
        self.pull()
        self.pull(f"http://localhost:{self.hub.port}/cdn/tiny-Q8_0.gguf")
        (self.home / "own.gguf").write_bytes(gguf(seed=3))
        self.run_cli("models", "import", "own.gguf")
        before = len(self.hub.asked)
        for state in self.outdated(TINYARMS_OFFLINE="true").values():
            self.assertEqual(state["state"], "offline")
        self.assertEqual(len(self.hub.asked), before)
        found = self.outdated("--online", TINYARMS_OFFLINE="true",
                              TINYARMS_PULL_HOSTS='["huggingface.co"]')
        self.assertEqual(sorted(found), ["tiny-q4_k_m", "tiny-q8_0"])
        self.assertEqual(found["tiny-q4_k_m"]["state"], "current")
        self.assertEqual(found["tiny-q8_0"]["state"], "unknown")
        self.assertIn("may not come from this host", found["tiny-q8_0"]["reason"])
        self.assertEqual(len(self.hub.asked), before + 1)
        self.assertEqual(self.outdated("own")["own"]["state"], "unknown")
        self.run_cli("models", "outdated", "none", exits=5)
        self.hub.rules["token"] = TOKEN
        self.assertIn("token", self.outdated("tiny-q4_k_m")["tiny-q4_k_m"]["reason"])
        self.hub.rules = {"broken": 1000}
        self.assertIn("503", self.outdated("tiny-q4_k_m")["tiny-q4_k_m"]["reason"])
        self.hub.rules = {}
        del self.hub.files["tiny-Q4_K_M.gguf"]
        self.assertEqual(self.outdated("tiny-q4_k_m")["tiny-q4_k_m"]["state"], "unknown")

    def test_a_newer_version_in_a_mirror(self):
        shelf = self.home / "shelf"
        (self.home / "m.gguf").write_bytes(self.data)
        self.pull("./m.gguf")
        self.run_cli("models", "export", "m", "--to", "shelf")
        self.run_cli("models", "rm", "m")
        offline = {"TINYARMS_OFFLINE": "true"}
        self.pull("m", "--mirror", "shelf", **offline)
        self.assertEqual(self.outdated(**offline)["m"]["state"], "current")
        shutil.rmtree(shelf)
        newer = gguf(pad=20, seed=9)
        (self.home / "m.gguf").write_bytes(newer)
        self.run_cli("models", "import", "m.gguf", "--name", "n")
        self.run_cli("models", "export", "n", "--to", "shelf")
        index = json.loads((shelf / "index.json").read_text())
        index["models"][0].update(name="m", file="m.gguf")
        (shelf / "n.gguf").rename(shelf / "m.gguf")
        (shelf / "index.json").write_text(json.dumps(index))
        self.assertEqual(self.outdated(**offline)["m"]["state"], "outdated")
        pulled = self.pull("m", "--mirror", "shelf", "--name", "m", **offline)
        self.assertEqual(pulled["replaced_sha256"], sha256(self.data))
        self.assertEqual(self.rollback("m")["sha256"], sha256(self.data))

    # Mirrors.

    def test_export_and_pull_from_the_mirror(self):
        self.pull()
        stick = self.home / "stick"
        self.run_cli("models", "export", "--to", str(stick))
        index = json.loads((stick / "index.json").read_text())
        self.assertEqual(index["models"][0]["sha256"], sha256(self.data))
        self.run_cli("models", "rm", "tiny-q4_k_m")
        for mirror in (str(stick), f"file://{stick}"):
            pulled = self.pull("tiny-q4_k_m", "--mirror", mirror, TINYARMS_OFFLINE="true")
            self.assertEqual(pulled["sha256"], sha256(self.data))
            self.run_cli("models", "rm", "tiny-q4_k_m")
        (stick / "tiny-q4_k_m.gguf").write_bytes(b"GGUF" + self.data[4:-1] + b"!")
        self.pull("tiny-q4_k_m", "--mirror", str(stick), exits=5)
        self.pull("other", "--mirror", str(stick), exits=5)
        index["models"][0]["file"] = "../../etc/passwd"
        (stick / "index.json").write_text(json.dumps(index))
        self.pull("tiny-q4_k_m", "--mirror", str(stick), exits=5)
        self.assert_nothing()

    def test_a_mirror_made_from_the_hub_and_served(self):
        shelf = self.home / "shelf"
        self.run_cli("models", "mirror", f"hf:{REPOSITORY}:Q4_K_M", "--to", str(shelf))
        self.assert_nothing()
        for name in ("index.json", "tiny-q4_k_m.gguf"):
            self.hub.files[name] = (shelf / name).read_bytes()
        pulled = self.pull("tiny", "--mirror", f"http://localhost:{self.hub.port}/mirror",
                           TINYARMS_PULL_HUB="https://huggingface.co")
        self.assertEqual(pulled["sha256"], sha256(self.data))

    # Bad words.

    def test_bad_sources(self):
        for source in ("", "hf:", "hf:a", "hf:../..", "hf:a/b:..", "hf:a/b/../../c.gguf", "a b",
                       "a\x1b[2J", "x" * 5000, "-1"):
            done = subprocess.run([BINARY, "pull", "--json", "--", source], capture_output=True,
                                  check=False, cwd=self.home, env=self.environment(), timeout=60)
            self.assertIn(done.returncode, (2, 5), (source[:40], done.stdout, done.stderr))
        self.assertEqual(self.hub.asked, [])
        self.pull("gopher://x/y.gguf", exits=6)

    # models check.

    def test_check(self):
        good = self.home / "good.gguf"
        good.write_bytes(self.data)
        found = json.loads(self.run_cli("models", "check", str(good), "--json").stdout)
        self.assertTrue(found["valid"] and found["loadable"])
        self.assertIsNone(found["problem"])
        good.write_bytes(self.data[:-40])
        found = json.loads(self.run_cli("models", "check", str(good), "--json", exits=5).stdout)
        self.assertFalse(found["valid"])
        self.assertEqual(found["problem"]["kind"], "truncated_data")
        self.assertEqual(found["problem"]["name"], "output_norm.weight")
        self.run_cli("models", "check", str(self.home), exits=5)
        self.run_cli("models", "check", str(self.home / "none"), exits=5)
        os.mkfifo(self.home / "pipe.gguf")
        self.run_cli("models", "check", str(self.home / "pipe.gguf"), exits=5)
        self.run_cli("models", "import", str(good), exits=5)
        self.assert_nothing()


def main():
    global BINARY
    BINARY = sys.argv[1]
    unittest.main(argv=sys.argv[:1] + sys.argv[2:], verbosity=2)


if __name__ == "__main__":
    main()
