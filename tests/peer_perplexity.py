#!/usr/bin/env python3
"""peer_perplexity.py TINYARMS MODELS LLAMA_PERPLEXITY: our perplexity and divergence against
llama.cpp's own tool, on the same files and text. Exit status 77 where something is missing."""

import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

CHUNKS = int(os.environ.get("PEER_CHUNKS", "3"))
TOLERANCE = 0.005
MODEL = "smollm2-135m-instruct.q4_1.gguf"


def skip(why):
    print(f"SKIPPED: {why}")
    sys.exit(77)


def run(command, environment):
    done = subprocess.run([str(part) for part in command], env=environment, text=True,
                          capture_output=True)
    if done.returncode != 0:
        sys.exit(f"{command[0]} failed with {done.returncode}:\n{done.stdout}\n{done.stderr}")
    return done.stdout + done.stderr


def figure(pattern, text):
    found = re.search(pattern, text)
    if not found:
        sys.exit(f"no {pattern!r} in:\n{text[-3000:]}")
    return float(found.group(1))


def main():
    tinyarms, models, peer = map(Path, sys.argv[1:4])
    source = models / MODEL
    if not peer.exists():
        skip(f"no {peer}: ./setup builds it")
    if not source.exists():
        skip(f"no {source}: ./setup fetches it")
    text = Path(__file__).resolve().parent.parent / "src/eval/validate_text.txt"
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        environment = {"PATH": os.environ.get("PATH", ""), "HOME": folder,
                       "XDG_DATA_HOME": folder, "XDG_CACHE_HOME": folder}
        run([tinyarms, "quantize", source, "--to", "f16"], environment)
        store = work / "tinyarms/models"
        reference = store / "smollm2-135m-instruct.f16.gguf"
        run([tinyarms, "quantize", reference, "--to", "q8_0,q2_k"], environment)
        ours = json.loads(run([tinyarms, "validate", reference, "--reference", "self",
                               "--quantizations", "q8_0,q2_k", "--chunks", CHUNKS, "--threads", "1",
                               "--text", text, "--json"], environment))
        base = work / "base.bin"
        said = run([peer, "-m", reference, "-f", text, "--chunks", CHUNKS, "-c", "512",
                    "-t", "1", "--save-all-logits", base], environment)
        checks = [("f16 perplexity", ours["reference"]["perplexity"],
                   figure(r"Final estimate: PPL = ([\d.]+)", said))]
        for candidate in ours["candidates"]:
            name = candidate["name"]
            file = store / f"smollm2-135m-instruct.{name}.gguf"
            said = run([peer, "-m", file, "--kl-divergence-base", base, "--kl-divergence",
                        "-c", "512", "-t", "1"], environment)
            checks += [(f"{name} perplexity", candidate["perplexity"],
                        figure(r"Mean PPL\(Q\)\s*:\s*([\d.]+)", said)),
                       (f"{name} mean divergence", candidate["divergence"]["mean"],
                        figure(r"Mean\s+KLD:\s*([\d.]+)", said)),
                       (f"{name} 99 % divergence", candidate["divergence"]["p99"],
                        figure(r"99\.0%\s+KLD:\s*([\d.]+)", said)),
                       (f"{name} same first choice", 100 * candidate["same_top"],
                        figure(r"Same top p:\s*([\d.]+)", said))]
    wrong = 0
    for name, mine, theirs in checks:
        off = abs(mine - theirs) / theirs
        wrong += off > TOLERANCE
        print(f"{name}: ours {mine:.6f}, theirs {theirs:.6f}, {100 * off:.3f} % apart"
              + (" TOO FAR" if off > TOLERANCE else ""))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
