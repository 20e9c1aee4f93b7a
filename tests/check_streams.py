#!/usr/bin/env python3
"""Many streams at once through `tinyarms serve`, from an engine that is made up.

usage: check_streams.py BINARY
"""

import asyncio
import json
import os
import pathlib
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest

BINARY = ""
STREAMS = 128
FRAMES = 10


class Engine:
    """Holds every stream until all of them have come, then sends each its own numbered words."""

    def __init__(self):
        self.here = 0
        self.all_here = asyncio.Event()

    async def answer(self, reader, writer):
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(next(line.split(b":")[1] for line in head.split(b"\r\n")
                                  if line.lower().startswith(b"content-length:")))
                body = json.loads(await reader.readexactly(length))
                await self.stream(body["messages"][-1]["content"], writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def stream(self, name, writer):
        self.here += 1
        if self.here == STREAMS:
            self.all_here.set()
        await self.all_here.wait()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
                     b"Transfer-Encoding: chunked\r\n\r\n")
        for i in range(FRAMES):
            self.write(writer, {"content": f"{name}:{i} "}, None)
            await writer.drain()
            await asyncio.sleep(0.02)
        self.write(writer, {}, "stop")
        end = b"data: [DONE]\n\n"
        writer.write(b"%x\r\n%s\r\n0\r\n\r\n" % (len(end), end))
        await writer.drain()

    @staticmethod
    def write(writer, delta, finish):
        event = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "mock",
                 "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}
        text = b"data: " + json.dumps(event).encode() + b"\n\n"
        writer.write(b"%x\r\n%s\r\n" % (len(text), text))


async def listen(port, name):
    """The contents of the frames of one stream, each as it came."""
    body = json.dumps({"model": "l4", "stream": True,
                       "messages": [{"role": "user", "content": name}]}).encode()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: "
                 b"application/json\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s"
                 % (len(body), body))
    lines = (await asyncio.wait_for(reader.read(), 120)).decode().split("\n")
    writer.close()
    events = [line.rstrip("\r")[6:] for line in lines if line.startswith("data: ")]
    if events[-1:] != ["[DONE]"]:
        return "\n".join(lines)
    deltas = [json.loads(event)["choices"][0]["delta"] for event in events[:-1]]
    return [delta["content"] for delta in deltas if delta.get("content")]


class Streams(unittest.TestCase):
    def setUp(self):
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="tinyarms-streams-"))
        self.addCleanup(shutil.rmtree, self.home, ignore_errors=True)

    def start(self, engine_port):
        kept = {name: os.environ[name] for name in ("PATH", "ASAN_OPTIONS", "TSAN_OPTIONS")
                if name in os.environ}
        config = self.home / ".config" / "tinyarms" / "config.toml"
        config.parent.mkdir(parents=True)
        config.write_text(f'offline = false\nl4.url = "http://127.0.0.1:{engine_port}/v1"\n'
                          'l4.model = "mock"\n')
        process = subprocess.Popen(
            [BINARY, "serve", "--port", "0", "--json", "--no-announce", "--workers", str(STREAMS),
             "--queue", str(STREAMS)],
            env={**kept, "HOME": str(self.home)}, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        line = process.stdout.readline()
        if not line:
            self.fail(process.stderr.read())
        return process, json.loads(line)["port"]

    async def run_streams(self):
        engine = Engine()
        server = await asyncio.start_server(engine.answer, "127.0.0.1", 0, backlog=STREAMS)
        process, port = self.start(server.sockets[0].getsockname()[1])
        try:
            return await asyncio.gather(*(listen(port, f"s{i}") for i in range(STREAMS)))
        finally:
            server.close()
            process.send_signal(signal.SIGTERM)
            _, errors = await asyncio.to_thread(process.communicate, timeout=60)
            self.assertEqual(process.returncode, 0, errors)

    def test_every_stream_gets_its_own_frames_all_of_them_in_order(self):
        heard = asyncio.run(self.run_streams())
        for i, frames in enumerate(heard):
            self.assertEqual(frames, [f"s{i}:{n} " for n in range(FRAMES)])


if __name__ == "__main__":
    BINARY = sys.argv.pop(1)
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    unittest.main()
