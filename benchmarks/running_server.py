#!/usr/bin/env python3
"""What a question costs through a running server, against one that this process answers.

usage: running_server.py BINARY [--runs 40] [-- FLAG… QUESTION]

Whole processes, from the start to the end, taken in turns; medians. Without a question: one that a
rule answers, whose whole cost is the way there. The usual folders and models are used, the server
is one of its own (its runtime folder is a temporary one).
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

RULE = ["What is 0xff in decimal?"]


def seconds(command, environment):
    begin = time.perf_counter()
    done = subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, check=True)
    return time.perf_counter() - begin, json.loads(done.stdout)["answered_by"]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("binary")
    parser.add_argument("--runs", type=int, default=40)
    words = sys.argv[1:]
    split = words.index("--") if "--" in words else len(words)
    options = parser.parse_args(words[:split])
    question = words[split + 1:] or RULE
    ask = [options.binary, "ask", "--json"]
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "XDG_RUNTIME_DIR": folder, "TINYARMS_L1_CACHE": "false"}
        serve = [options.binary, "serve"]
        subprocess.run([*serve, "--detach", "--port", "0"], env=environment, check=True,
                       capture_output=True)
        try:
            times = {"server": [], "process": []}
            for run in range(options.runs + 1):
                for flags in ([], ["--no-server"]):
                    took, by = seconds([*ask, *flags, *question], environment)
                    if run > 0:  # the first one loads
                        times[by].append(took)
        finally:
            subprocess.run([*serve, "--stop"], env=environment, check=True, capture_output=True)
    for by, all_times in times.items():
        print(f"{by:8} median {1e3 * statistics.median(all_times):8.2f} ms of {len(all_times)}, "
              f"{1e3 * min(all_times):.2f} to {1e3 * max(all_times):.2f}")
    difference = statistics.median(times["server"]) - statistics.median(times["process"])
    print(f"through the server: {1e3 * difference:+.2f} ms")


if __name__ == "__main__":
    sys.exit(main())
