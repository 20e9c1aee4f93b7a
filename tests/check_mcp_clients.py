#!/usr/bin/env python3
"""MCP through the official clients as they are published (Python's `mcp`, Node's two SDKs), over
both transports, and through the conformance suite.

usage: check_mcp_clients.py BINARY MODELS_DIR

setup/clients brings them (pinned in setup/protocol-clients.*) into the cache. Skips loudly (status
77) where they cannot be fetched. What needs a model is skipped where there are no weights.
"""

import asyncio
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.request

import check_door
import check_mcp

ROOT = pathlib.Path(__file__).resolve().parent.parent
SMALL = "smollm2-135m-instruct.q4_1"
TOOLS = ["ask", "search_code", "scan_rules", "explain_decision", "embed", "feedback"]
VERSIONS = {"legacy": "2025-11-25", "auto": "2026-07-28"}
PARTLY = {"2025-06-18": [], "2025-11-25": [],
          "2026-07-28": ["server-stateless: 21 passed, 4 failed", "caching: 7 passed, 1 failed",
                         "http-header-validation: 14 passed, 0 failed"]}
BASELINE = ROOT / "tests" / "clients" / "mcp_expected_failures.yml"
BINARY = ""
CLIENTS = pathlib.Path()
HOME = pathlib.Path()
FOLDER = pathlib.Path()
SERVE = None
HAS_MODEL = False


def metric(name):
    with urllib.request.urlopen(f"{SERVE.place['url']}/metrics", timeout=60) as reply:
        return float(re.search(rf"^{name} (\S+)$", reply.read().decode(), re.MULTILINE)[1])


def until(wanted, seconds=60):
    """Whether it comes true within that time, and after how long."""
    begin = time.monotonic()
    while time.monotonic() - begin < seconds:
        if wanted():
            return True, time.monotonic() - begin
        time.sleep(0.01)
    return False, seconds


class Python(unittest.IsolatedAsyncioTestCase):
    def place(self, transport):
        import mcp

        if transport == "http":
            return f"{SERVE.place['url']}/mcp"
        return mcp.StdioServerParameters(command=BINARY, args=["mcp", "--root", str(FOLDER)],
                                         env=check_mcp.environment(HOME))

    async def calls(self, transport, mode):
        import mcp

        async with mcp.Client(self.place(transport), mode=mode) as client:
            self.assertEqual(client.protocol_version, VERSIONS[mode])
            tools = (await client.list_tools()).tools
            self.assertEqual([tool.name for tool in tools], TOOLS)
            answer = await client.call_tool("ask", {"question": check_mcp.EASY})
            self.assertFalse(answer.is_error)
            self.assertEqual(answer.structured_content["tier"], "l0")
            found = await client.call_tool("scan_rules", {})
            self.assertEqual(found.structured_content["findings"][0]["path"], "a.py")
            index = await client.read_resource("tinyarms://index")
            self.assertFalse(json.loads(index.contents[0].text)["indexed"])
            templates = await client.list_resource_templates()
            self.assertEqual(len(templates.resource_templates), 1)
            with self.assertRaises(mcp.MCPError):
                await client.read_resource("tinyarms://nothing")
            wrong = await client.call_tool("explain_decision", {"id": "none"})
            self.assertTrue(wrong.is_error)

    async def test_calls(self):
        for transport in ("http", "stdio"):
            for mode in VERSIONS:
                with self.subTest(transport=transport, mode=mode):
                    await self.calls(transport, mode)

    async def test_a_cancelled_answer_stops(self):
        if not HAS_MODEL:
            self.skipTest("no default weights")
        import mcp

        for mode in VERSIONS:
            with self.subTest(mode=mode):
                async with mcp.Client(self.place("http"), mode=mode) as client:
                    begun = asyncio.Event()

                    async def progress(done, total, text, begun=begun):
                        if "tokens" in text:
                            begun.set()

                    asking = asyncio.create_task(client.call_tool(
                        "ask", {"question": "Count from one to two thousand in words.",
                                "tier": "l2", "max_tokens": 3000, "temperature": 1},
                        progress_callback=progress))
                    await asyncio.wait_for(begun.wait(), 120)
                    asking.cancel()
                    with self.assertRaises(asyncio.CancelledError):
                        await asking
                    stopped, seconds = await asyncio.to_thread(
                        until, lambda: metric("tinyarms_climbs_running") == 0)
                    self.assertTrue(stopped)
                    print(f"{mode}: nothing ran any more {seconds * 1000:.0f} ms after it")

    async def test_embed(self):
        if not HAS_MODEL:
            self.skipTest("no default weights")
        import mcp

        async with mcp.Client(self.place("http"), mode="auto") as client:
            got = (await client.call_tool("embed", {"texts": ["a cat", "a dog"]}))
            self.assertEqual((got.structured_content["dimensions"],
                              len(got.structured_content["embeddings"])), (384, 2))


class Node(unittest.TestCase):
    def test_calls(self):
        run = subprocess.run(
            ["node", str(ROOT / "tests" / "clients" / "mcp_calls.mjs"), str(CLIENTS),
             SERVE.place["url"], BINARY, str(FOLDER)], capture_output=True, text=True, timeout=600,
            env=check_mcp.environment(HOME), check=False)
        self.assertEqual(run.returncode, 0, run.stderr)
        for name, got in json.loads(run.stdout).items():
            with self.subTest(name):
                self.assertNotIn("error", got)
                self.assertEqual(got["names"], TOOLS)
                self.assertIn("255", got["answer"])
                self.assertEqual(got["server"], "tinyarms")
                self.assertGreater(got["findings"], 0)
                self.assertEqual(got["wrong"], True)
                self.assertEqual(got["unknown"], -32602)
                self.assertIn("tinyarms://index", got["resources"])
                if "version" in got:
                    self.assertEqual(got["version"],
                                     VERSIONS["auto" if name.endswith("auto") else "legacy"])


class Conformance(unittest.TestCase):
    def test_suite(self):
        """Every scenario fails or passes as the baseline says: it fails on either surprise."""
        program = CLIENTS / "node_modules/@modelcontextprotocol/conformance/dist/index.js"
        for version in ("2025-06-18", "2025-11-25", "2026-07-28"):
            with self.subTest(version), tempfile.TemporaryDirectory() as folder:
                run = subprocess.run(
                    ["node", "--import", str(ROOT / "tests" / "clients" / "node20.mjs"),
                     str(program), "server", "--url", f"{SERVE.place['url']}/mcp", "--suite", "all",
                     "--spec-version", version, "--expected-failures",
                     str(BASELINE), "-o", folder],
                    capture_output=True, text=True, timeout=600, cwd=folder, check=False)
                summary = run.stdout[run.stdout.rfind("=== SUMMARY"):][-4000:]
                print(summary)
                self.assertEqual(run.returncode, 0, summary + run.stderr[-2000:])
                # What is expected to fail in part must not fail in more of it.
                for line in PARTLY[version]:
                    self.assertIn(line, summary)


def skip(why):
    print(f"SKIPPED: {why}")
    return 77


def main():
    global BINARY, CLIENTS, FOLDER, HAS_MODEL, HOME, SERVE
    BINARY = check_door.BINARY = check_mcp.BINARY = str(pathlib.Path(sys.argv[1]).resolve())
    models = pathlib.Path(sys.argv[2]).resolve()
    del sys.argv[1:3]
    if shutil.which("node") is None:
        return skip("Node is not installed")
    fetched = subprocess.run([str(ROOT / "setup" / "clients"), "protocol-clients"],
                             capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
    if fetched.returncode != 0:
        return skip(f"the clients cannot be fetched: {fetched.stderr.strip()[-300:]}")
    CLIENTS = pathlib.Path(fetched.stdout.strip())
    sys.path.insert(0, str(CLIENTS / "python"))
    with tempfile.TemporaryDirectory(prefix="tinyarms-mcp-clients-") as folder:
        HOME = pathlib.Path(folder) / "home"
        FOLDER = pathlib.Path(folder) / "root"
        HOME.mkdir()
        FOLDER.mkdir()
        (FOLDER / "a.py").write_text(check_mcp.CODE, encoding="utf-8")
        HAS_MODEL = (models / f"{SMALL}.gguf").exists()
        if not HAS_MODEL:
            print(f"no default weights in {models}: cancellation and embed are not tried")
        for source, options in (((models / f"{SMALL}.gguf", []),
                                 (models / "all-minilm-l6-v2",
                                  ["--quantization", "f32", "--name", "all-minilm-l6-v2.f32"]))
                                if HAS_MODEL else ()):
            subprocess.run([BINARY, "models", "import", str(source), *options], check=True,
                           env={"HOME": str(HOME)}, stdout=subprocess.DEVNULL)
        SERVE = check_door.Serve(HOME, "--threads", "1", "--root", str(FOLDER))
        result = unittest.main(argv=sys.argv, exit=False, verbosity=2).result
        status, errors = SERVE.stop()
        if status != 0:
            print(f"the server ended with {status}: {errors}")
        return 0 if result.wasSuccessful() and status == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
