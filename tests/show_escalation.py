#!/usr/bin/env python3
"""Which of thirty prompts climb from a weak L2 to a stronger L3, and is every trace right?

usage: show_escalation.py BINARY MODELS_DIR [--limit N] [--markdown FILE]

L2 is SmolLM2-135M-Instruct requantised to Q2_K, L3 the same model as it ships (Q4_1). Each trace is
checked against the rules that should have made it; the table shows what happened. Exit 77 without
the weights.
"""

import argparse
import json
import math
import os
import pathlib
import subprocess
import sys
import tempfile

STRONG = "smollm2-135m-instruct.q4_1"
WEAK = "smollm2-135m-instruct.q2_k"
PROMPTS = pathlib.Path(__file__).with_name("data") / "thirty_prompts.txt"


def formula(evidence):
    """The documented formula (src/cascade/formula_estimator.h), written a second time."""
    value = math.exp(evidence["logprob_mean"])
    if evidence.get("code_parses") is False:
        value *= 0.5
    if evidence["finished"] is False:
        value *= 0.5
    return value


def faults(reply):
    found = []
    levels = [step["tier"] for step in reply["trace"]]
    if levels != sorted(levels):
        found.append(f"tiers out of order: {levels}")
    answered = [step for step in reply["trace"] if step["answer"] is not None]
    for step in answered:
        sure = step["confidence"] >= step["threshold"]
        if sure != (step["decision"] == "accept"):
            found.append(f"{step['tier']}: {step['confidence']} against {step['threshold']}, yet "
                         f"{step['decision']}")
        if abs(formula(step["evidence"]) - step["confidence"]) > 1e-9:
            found.append(f"{step['tier']}: the confidence is not what the formula gives")
    if reply["tier"] != answered[-1]["tier"]:
        found.append("the reply is not the highest tier's answer")
    if any(step["decision"] == "accept" for step in answered[:-1]):
        found.append("the climb went on after an accepted answer")
    small = next(step for step in reply["trace"] if step["tier"] == "l2")
    climbed = any(step["tier"] == "l3" and step["answer"] is not None for step in reply["trace"])
    if (small["decision"] == "escalate") != climbed:
        found.append("l3 was asked where l2 was sure, or not asked where it was not")
    return found


def short(text, length):
    flat = " ".join(text.split()).replace("|", "\\|")
    return flat if len(flat) <= length else flat[: length - 1] + "…"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("binary")
    parser.add_argument("models", type=pathlib.Path)
    parser.add_argument("--limit", type=int, default=30)
    parser.add_argument("--markdown", type=pathlib.Path)
    options = parser.parse_args()
    options.models = options.models.resolve()
    weights = options.models / f"{STRONG}.gguf"
    if not weights.exists():
        print(f"SKIPPED: no default weights in {options.models}: run ./check, which fetches them")
        return 77
    prompts = PROMPTS.read_text(encoding="utf-8").splitlines()[: options.limit]
    binary = str(pathlib.Path(options.binary).resolve())

    with tempfile.TemporaryDirectory(prefix="tinyarms-escalation-") as home:
        environment = {**os.environ, "HOME": home, "XDG_DATA_HOME": home, "XDG_CACHE_HOME": home,
                       "XDG_CONFIG_HOME": home, "TINYARMS_L1_MODEL": "all-minilm-l6-v2.f32",
                       "TINYARMS_L2_MODEL": WEAK, "TINYARMS_L3_MODEL": STRONG}

        def run(*arguments):
            return subprocess.run([binary, *arguments], env=environment, capture_output=True,
                                  check=True, cwd=home, stdin=subprocess.DEVNULL).stdout

        run("models", "import", str(weights))
        run("models", "import", str(options.models / "all-minilm-l6-v2"), "--quantization", "f32",
            "--name", "all-minilm-l6-v2.f32")
        run("quantize", STRONG, "--to", "q2_k", "--name", WEAK)
        rows, wrong, climbed = [], 0, 0
        for prompt in prompts:
            reply = json.loads(run("ask", "--json", "--max-tokens", "160", prompt))
            steps = {step["tier"]: step for step in reply["trace"]}
            if reply["tier"] in ("l0", "l1"):
                rows.append((prompt, "–", "–", reply["tier"], short(reply["answer"], 60)))
                continue
            for fault in faults(reply):
                print(f"WRONG: {prompt}: {fault}")
                wrong += 1
            climbed += reply["tier"] == "l3"
            large = steps.get("l3", {}).get("confidence")
            rows.append((prompt, f"{steps['l2']['confidence']:.2f} {steps['l2']['decision']}",
                         f"{large:.2f}" if large is not None else "–", reply["tier"],
                         short(reply["answer"], 60)))
    table = ["| prompt | L2 (Q2_K) | L3 (Q4_1) | answered by | answer begins |",
             "|---|---|---|---|---|"]
    table += ["| " + " | ".join(row) + " |" for row in rows]
    print("\n".join(table))
    print(f"\n{climbed} of {len(rows)} climbed to l3; {wrong} traces wrong")
    if options.markdown:
        options.markdown.write_text(
            "# Thirty prompts, two quantisations\n\n"
            "L2 is SmolLM2-135M-Instruct at Q2_K, L3 the same model at Q4_1; the default threshold "
            "of L2, 0.6,\nagainst the uncalibrated formula. Every trace was checked. Made by\n\n"
            "```\npython3 tests/show_escalation.py build/release/src/cli/tinyarms "
            "build/deps/models --markdown docs/escalation-prompts.md\n```\n\n"
            f"{climbed} of {len(rows)} climbed to L3; {wrong} traces wrong.\n\n"
            + "\n".join(table) + "\n", encoding="utf-8")
    return 1 if wrong or not rows else 0


if __name__ == "__main__":
    sys.exit(main())
