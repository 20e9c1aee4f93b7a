"""Process 1 of a sandbox: takes requests from the host, runs each in fresh processes, kills and
wipes everything afterwards, and answers how it ended.

Started by bubblewrap with one capability (over this sandbox only), which it uses to mount /tmp with
a bound on bytes and files, and gives up before the first request. It never runs foreign code
itself: that happens in forked children with their own limits and system-call filter, which can
neither signal process 1 nor look into it. What they print comes through pipes; the verdict is what
the kernel says about them.

A message, either way, is a 32-bit count and that many byte strings, each with a 32-bit length.
Request: mode, limits, input, count of files, (name, bytes)…, then for "python": source, tests;
for "steps": (kind, argv joined by NUL)…. Answer: end, code, seconds, output, errors.
"""
import atexit
import bisect  # noqa: F401  modules that programs often want are loaded once, here
import collections  # noqa: F401
import copy  # noqa: F401
import ctypes
import datetime  # noqa: F401
import decimal  # noqa: F401
import fractions  # noqa: F401
import functools  # noqa: F401
import gc
import hashlib  # noqa: F401
import heapq  # noqa: F401
import itertools  # noqa: F401
import json  # noqa: F401
import linecache
import math  # noqa: F401
import operator  # noqa: F401
import os
import random
import re  # noqa: F401
import resource
import select
import signal
import site
import statistics  # noqa: F401
import string  # noqa: F401
import struct
import sys
import threading
import time
import traceback
import types
import typing  # noqa: F401

import duel

HOST = 3  # the socket to the host
HOME = "/tmp"
TICK = 0.02
HIDES = "# of the solution:"

libc = ctypes.CDLL(None, use_errno=True)


def fail(what):
    raise OSError(ctypes.get_errno(), what)


def mount_scratch(size, files):
    options = f"size={size},nr_inodes={files},mode=0700,uid={os.getuid()},gid={os.getgid()}"
    nosuid_nodev = 2 | 4
    if libc.mount(b"scratch", HOME.encode(), b"tmpfs", nosuid_nodev, options.encode()) != 0:
        fail("mount /tmp")


def give_up_privileges():
    clear_ambient, no_new_privileges, dumpable = (47, 4, 0), (38, 1, 0), (4, 0, 0)
    for option, first, second in (clear_ambient, no_new_privileges, dumpable):
        if libc.prctl(option, first, second, 0, 0) != 0:
            fail(f"prctl {option}")
    version_3 = 0x20080522
    header = struct.pack("Ii", version_3, 0)
    if libc.capset(header, bytes(24)) != 0:
        fail("capset")


class Filter:
    """A compiled system-call filter that the process which calls enter() can never leave."""

    def __init__(self, path):
        with open(path, "rb") as file:
            self.code = file.read()
        self.buffer = ctypes.create_string_buffer(self.code, len(self.code))
        # struct sock_fprog: a 16-bit count and a pointer, aligned.
        self.program = struct.pack("HxxxxxxP", len(self.code) // 8,
                                   ctypes.addressof(self.buffer))

    def enter(self):
        set_seccomp, by_filter = 22, 2
        if libc.prctl(set_seccomp, by_filter, self.program, 0, 0) != 0:
            fail("seccomp")


def read_exactly(count):
    pieces = []
    while count > 0:
        piece = os.read(HOST, min(count, 1 << 20))
        if not piece:
            os._exit(0)  # the host is gone, and with this process everything in here
        pieces.append(piece)
        count -= len(piece)
    return b"".join(pieces)


def read_message():
    (count,) = struct.unpack("<I", read_exactly(4))
    return [read_exactly(struct.unpack("<I", read_exactly(4))[0]) for _ in range(count)]


def write_message(parts):
    data = struct.pack("<I", len(parts))
    for part in parts:
        data += struct.pack("<I", len(part)) + part
    view = memoryview(data)
    while view:
        view = view[os.write(HOST, view):]


def set_limits(limits):
    cpu = int(limits["cpu_seconds"])
    for kind, soft, hard in (
            (resource.RLIMIT_CPU, cpu, cpu + 1),
            (resource.RLIMIT_FSIZE, limits["file_bytes"], limits["file_bytes"]),
            (resource.RLIMIT_NOFILE, 256, 256),
            (resource.RLIMIT_NPROC, limits["processes"], limits["processes"]),
            (resource.RLIMIT_CORE, 0, 0),
            (resource.RLIMIT_MEMLOCK, 0, 0),
            (resource.RLIMIT_SIGPENDING, 256, 256),
            (resource.RLIMIT_MSGQUEUE, 0, 0),
            (limits["memory_kind"], limits["memory_bytes"], limits["memory_bytes"])):
        resource.setrlimit(kind, (int(soft), int(hard)))


def become(descriptors, limits, barrier):
    """In a fresh child: only these descriptors (as 0, 1, 2, …), the limits, the filter."""
    high = [os.dup2(fd, 100 + i) for i, fd in enumerate(descriptors)]
    for i, fd in enumerate(high):
        os.dup2(fd, i)
    os.closerange(len(descriptors), 4096)
    os.chdir(HOME)
    set_limits(limits)
    barrier.enter()


class Ending:
    """How a group of processes ended."""

    def __init__(self):
        self.end = "exited"
        self.statuses = {}  # process id: (wait status, CPU seconds)


class Tap:
    """A pipe that is read up to a limit."""

    def __init__(self, limit):
        self.reader, self.writer = os.pipe()
        os.set_blocking(self.reader, False)
        self.data = bytearray()
        self.limit = limit
        self.open = True

    def drain(self):
        """Reads what is there; whether it stays within the limit."""
        while self.open:
            try:
                piece = os.read(self.reader, 1 << 16)
            except BlockingIOError:
                break
            if not piece:
                self.open = False
            self.data += piece
            if len(self.data) > self.limit:
                del self.data[self.limit:]
                return False
        return True


class Feed:
    """A pipe that gives a child its input, as fast as it reads."""

    def __init__(self, data):
        self.reader, self.writer = os.pipe()
        os.set_blocking(self.writer, False)
        self.rest = memoryview(data)
        self.open = True

    def push(self):
        try:
            while self.rest:
                self.rest = self.rest[os.write(self.writer, self.rest):]
        except BlockingIOError:
            return
        except OSError:
            pass
        self.close()

    def close(self):
        if self.open:
            self.open = False
            os.close(self.writer)


def resident_bytes():
    """Memory of everything in here but this process; zero where /proc is not mounted."""
    total = 0
    for name in os.listdir("/proc") if os.path.isdir("/proc/1") else ():
        if name.isdigit() and name != "1":
            try:
                with open(f"/proc/{name}/statm", "rb") as file:
                    total += int(file.read().split()[1]) * resource.getpagesize()
            except (OSError, IndexError, ValueError):
                pass
    return total


def end_everything(ending):
    """Kills every process in here but this one and waits until all are gone."""
    while True:
        try:
            os.kill(-1, signal.SIGKILL)
        except ProcessLookupError:
            pass
        try:
            pid, status, usage = os.wait4(-1, 0)
        except ChildProcessError:
            return
        ending.statuses[pid] = (status, usage.ru_utime + usage.ru_stime)


def watch(awaited, taps, feed, limits):
    """Until the awaited process ends or a limit is passed; then nothing of the group is left."""
    ending = Ending()
    deadline = time.monotonic() + limits["wall_seconds"]
    end_of_awaited = os.pidfd_open(awaited)
    poll = select.poll()
    poll.register(end_of_awaited, select.POLLIN)
    poll.register(HOST, select.POLLRDHUP)
    for tap in taps:
        os.close(tap.writer)
        poll.register(tap.reader, select.POLLIN)
    os.close(feed.reader)
    poll.register(feed.writer, select.POLLOUT)
    while ending.end == "exited":
        left = deadline - time.monotonic()
        if left <= 0:
            ending.end = "timed_out"
            break
        ready = {fd for fd, _ in poll.poll(1000 * min(left, TICK if limits["tree"] else left))}
        if HOST in ready:
            os._exit(0)
        if feed.open and feed.writer in ready:
            writer = feed.writer
            feed.push()
            if not feed.open:
                poll.unregister(writer)
        for tap in taps:
            if tap.open and tap.reader in ready:
                if not tap.drain():
                    ending.end = "output_exceeded"
                if not tap.open:
                    poll.unregister(tap.reader)
        if limits["tree"] and resident_bytes() > limits["tree_bytes"]:
            ending.end = "memory_exceeded"
        if end_of_awaited in ready:
            break
    end_everything(ending)
    feed.close()
    os.close(end_of_awaited)
    for tap in taps:
        if not tap.drain() and ending.end == "exited":
            ending.end = "output_exceeded"
        os.close(tap.reader)
    return ending


def wipe():
    """Empties /tmp, whatever permissions were set in it. There are few files: see nr_inodes."""
    os.chmod(HOME, 0o700)
    with os.scandir(HOME) as entries:
        stack = [entry.path for entry in entries]
    emptied = []
    while stack:  # not recursive: a chain of folders may be as long as there are inodes
        path = stack.pop()
        if os.path.islink(path) or not os.path.isdir(path):
            os.unlink(path)
            continue
        os.chmod(path, 0o700)
        short = f"{HOME}/.{len(emptied)}-{time.monotonic_ns()}"
        os.rename(path, short)  # to the top, so that no path grows too long
        with os.scandir(short) as entries:
            stack.extend(entry.path for entry in entries)
        emptied.append(short)
    for path in emptied:
        os.rmdir(path)


def exit_code_of(error):
    if error.code is None:
        return 0
    if isinstance(error.code, int):
        return error.code & 0xFF
    print(error.code, file=sys.stderr)
    return 1


def compiled(source, name):
    linecache.cache[name] = (len(source), None, source.splitlines(True), name)
    return compile(source, name, "exec", dont_inherit=True)


def fresh_module(name):
    module = types.ModuleType(name)
    module.__builtins__ = __builtins__
    sys.modules[name] = module
    return module.__dict__


def run_as_main(source):
    """The whole program, as `python3 solution.py` would; its exit code."""
    code = 0
    try:
        exec(compiled(source, "solution.py"), fresh_module("__main__"))
    except SystemExit as error:
        code = exit_code_of(error)
    except BaseException:
        traceback.print_exc()
        code = 1
    try:
        threading._shutdown()
        atexit._run_exitfuncs()
        sys.stdout.flush()
    except BaseException:
        code = code or 1
    return code


def start(run):
    """Forks; the child ends with what run() returns and never comes back here."""
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        gc.enable()
        random.seed(0)  # every program draws the same numbers, so that a verdict can be repeated
        for name in ("warden", "duel", "ctypes"):
            sys.modules.pop(name, None)
        sys.path[:] = [path for path in sys.path if not path.startswith("/warden")]
        sys.argv = ["solution.py"]
        code = run()
        sys.stderr.flush()
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


def last_line(data):
    lines = bytes(data).strip().splitlines()
    return lines[-1] if lines else b""


def describe(ending, pid, limits, errors):
    """(end, code) of one process of the group."""
    status, cpu = ending.statuses.get(pid, (0, 0))
    if ending.end != "exited":
        return ending.end, 0
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        spent = number == signal.SIGKILL and cpu >= limits["cpu_seconds"]
        return ("timed_out", 0) if number == signal.SIGXCPU or spent else ("signalled", number)
    code = os.WEXITSTATUS(status)
    if code != 0 and last_line(errors).startswith(b"MemoryError"):
        return "memory_exceeded", 0
    return "exited", code


def run_program(source, given, limits, barrier):
    feed, out, err = Feed(given), Tap(limits["output_bytes"]), Tap(limits["output_bytes"])

    def program():
        become([feed.reader, out.writer, err.writer], limits, barrier)
        return run_as_main(source)

    pid = start(program)
    ending = watch(pid, [out, err], feed, limits)
    end, code = describe(ending, pid, limits, err.data)
    return end, code, out.data, err.data


def run_duel(source, tests, given, limits, barrier):
    """Tests in one process, what they test in another: see duel.py."""
    feed, out = Feed(given), Tap(limits["output_bytes"])
    err, report = Tap(limits["output_bytes"]), Tap(limits["output_bytes"])
    near, far = os.pipe(), os.pipe()

    def solution():
        become([feed.reader, out.writer, err.writer, near[0], far[1]], limits, barrier)
        return duel.serve(3, 4, lambda: compiled(source, "solution.py"), fresh_module)

    def judge():
        nothing = os.open("/dev/null", os.O_RDWR)
        become([nothing, nothing, report.writer, far[0], near[1]], limits, barrier)
        first = tests.partition("\n")[0]
        hidden = first[len(HIDES):].split() if first.startswith(HIDES) else []
        return duel.judge(3, 4, lambda: compiled(tests, "tests.py"), fresh_module, hidden)

    player = start(solution)
    pid = start(judge)
    for fd in near + far:
        os.close(fd)
    ending = watch(pid, [out, err, report], feed, limits)
    end, code = describe(ending, pid, limits, report.data)
    if end == "exited" and code != 0:  # perhaps because the other one was stopped
        ended_by_kill = os.WIFSIGNALED(ending.statuses[player][0])
        of_player, number = describe(ending, player, limits, err.data)
        if of_player == "timed_out" or of_player == "memory_exceeded" or (
                ended_by_kill and number != signal.SIGKILL):
            end, code = of_player, number
        elif last_line(report.data).startswith(b"MemoryError"):
            end, code = "memory_exceeded", 0
    return end, code, out.data, err.data + report.data


def run_python(request, limits, barrier):
    source, tests = (part.decode("utf-8", "replace") for part in request[4:6])
    if tests:
        return run_duel(source, tests, request[2], limits, barrier)
    return run_program(source, request[2], limits, barrier)


def run_step(argv, given, limits, barrier):
    feed, out, err = Feed(given), Tap(limits["output_bytes"]), Tap(limits["output_bytes"])
    environment = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": HOME, "TMPDIR": HOME,
                   "LANG": "C.UTF-8", "GOCACHE": HOME + "/.go", "GOPATH": HOME + "/.gopath",
                   "GOFLAGS": "-mod=mod", "GOPROXY": "off", "GOTELEMETRY": "off",
                   "GO111MODULE": "off", "GOTOOLCHAIN": "local"}

    def program():
        become([feed.reader, out.writer, err.writer], limits, barrier)
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        os.execve(argv[0], argv, environment)

    pid = start(program)
    ending = watch(pid, [out, err], feed, limits)
    end, code = describe(ending, pid, limits, err.data)
    return end, code, out.data, err.data


def run_steps(steps, given, limits, barrier):
    for kind, joined in zip(steps[::2], steps[1::2]):
        argv = [part.decode() for part in joined.split(b"\0")]
        if kind == b"run":
            return run_step(argv, given, limits, barrier)
        compiling = dict(limits)
        compiling["cpu_seconds"] = limits["compile_seconds"]
        compiling["wall_seconds"] = 3 * limits["compile_seconds"]  # on a busy machine
        compiling["file_bytes"] = limits["scratch_bytes"]
        end, code, out, err = run_step(argv, b"", compiling, barrier)
        if end != "exited" or code != 0:
            return "not_compiled", 0, b"", bytes(out) + bytes(err)
    return "exited", 0, b"", b""


def read_limits(text):
    limits = {}
    for line in text.decode().splitlines():
        name, value = line.split()
        limits[name] = float(value) if name == "wall_seconds" else int(value)
    return limits


def answer(request, barriers):
    limits = read_limits(request[1])
    files = int(request[3])
    for i in range(files):
        path = os.path.join(HOME, request[4 + 2 * i].decode())
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(request[5 + 2 * i])
    began = time.monotonic()
    if request[0] == b"python":
        limits.update(memory_kind=resource.RLIMIT_AS, tree=False)
        result = run_python(request, limits, barriers["python"])
    else:
        limits.update(memory_kind=resource.RLIMIT_DATA, tree=True,
                      tree_bytes=limits["memory_bytes"])
        result = run_steps(request[4 + 2 * files:], request[2], limits, barriers["steps"])
    seconds = time.monotonic() - began
    end, code, out, err = result
    wipe()
    return [end.encode(), str(code).encode(), f"{seconds:.6f}".encode(), bytes(out), bytes(err)]


def main():
    os.closerange(HOST + 1, 4096)
    mount_scratch(int(sys.argv[1]), int(sys.argv[2]))
    give_up_privileges()
    barriers = {name: Filter(f"/warden/{name}.bpf") for name in ("python", "steps")}
    os.environ.clear()
    site.setquit()
    gc.collect()
    gc.freeze()
    gc.disable()
    write_message([b"ready"])
    while True:
        write_message(answer(read_message(), barriers))


if __name__ == "__main__":
    main()
