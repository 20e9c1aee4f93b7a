"""Progress on standard error: a line that renews itself on a terminal, few lines elsewhere.

As a program, `progress.py TITLE LOG COMMAND…` runs COMMAND with its output in LOG, reads ninja's
[done/total] from it for the time left, and prints the end of LOG where COMMAND fails.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import time

TTY = sys.stderr.isatty() and os.environ.get("TERM") != "dumb"


def duration(seconds):
    seconds = int(seconds + 0.5)
    if seconds < 60:
        return f"{seconds} s"
    return f"{seconds // 60} min {seconds % 60:02d} s"


def megabytes(count):
    return f"{count / 1e6:.1f} MB"


class Line:
    """One stage. `update` may be called as often as one likes; `end` leaves one line behind."""

    def __init__(self, title):
        self.title = title
        self.every_s = 0.2 if TTY else 20
        self.start = time.monotonic()
        self.shown = self.start

    def elapsed(self):
        return time.monotonic() - self.start

    def update(self, detail):
        now = time.monotonic()
        if now - self.shown < self.every_s:
            return
        self.shown = now
        text = f"  {self.title}: {detail}"
        if TTY:
            text = text[:shutil.get_terminal_size().columns - 1]
            print(f"\r{text}\033[K", end="", file=sys.stderr, flush=True)
        else:
            print(text, file=sys.stderr, flush=True)

    def end(self, detail):
        start = "\r" if TTY else ""
        stop = "\033[K" if TTY else ""
        print(f"{start}  {self.title}: {detail}{stop}", file=sys.stderr, flush=True)


def left(elapsed, share):
    """The time left, guessed from the share done; nothing while a guess would be noise."""
    if elapsed < 3 or share <= 0.02:
        return ""
    return f", about {duration(elapsed * (1 - share) / share)} left"


def run(title, log, command):
    line = Line(title)
    line.update("started")
    environment = dict(os.environ, NINJA_STATUS="[%f/%t] ")
    with open(log, "w", encoding="utf-8", errors="replace") as out:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT, env=environment, text=True,
                                   errors="replace")
        steps = 0
        try:
            for text in process.stdout:
                out.write(text)
                match = re.match(r"\[(\d+)/(\d+)\] ", text)
                if match:
                    steps, total = int(match[1]), int(match[2])
                    share = steps / total
                    line.update(f"{steps} of {total} steps, {duration(line.elapsed())} so far"
                                + left(line.elapsed(), share))
            status = process.wait()
        except KeyboardInterrupt:
            # The terminal sent the signal to the child as well; let it put its files in order.
            process.wait()
            line.end(f"stopped after {duration(line.elapsed())}; what is done is kept")
            return 130
    if status == 0:
        line.end(f"done in {duration(line.elapsed())}")
        return 0
    if status == -signal.SIGINT:
        return 130
    line.end(f"FAILED after {duration(line.elapsed())} (exit {status}); the end of {log}:")
    with open(log, encoding="utf-8", errors="replace") as text:
        for last in text.readlines()[-40:]:
            print(f"    {last.rstrip()}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    if len(sys.argv) < 4:
        sys.exit("usage: progress.py TITLE LOG COMMAND…")
    try:
        sys.exit(run(sys.argv[1], sys.argv[2], sys.argv[3:]))
    except OSError as error:
        sys.exit(f"setup: cannot run {sys.argv[3]}: {error}")
