"""Checks the JSON that a run of benchmarks left: its structure, and that something was measured."""

import json
import math
import sys


def problems_of(results):
    """Yields what is wrong, a sentence each."""
    for key in ("machine", "commit", "model_sha"):
        if not isinstance(results.get(key), str) or not results[key]:
            yield f"{key} is not a text"
    figures = results.get("figures")
    if not isinstance(figures, list) or not figures:
        yield "there are no figures"
        return
    names = [figure.get("name") for figure in figures]
    if len(set(names)) != len(names):
        yield "a name appears twice"
    for figure in figures:
        name = figure.get("name")
        # A difference of two measurements can come out on either side of nothing.
        least = -math.inf if "/added/" in str(name) else 0
        for key in ("ours", "goal"):
            value = figure.get(key)
            if not isinstance(value, (int, float)) or not math.isfinite(value) or value <= least:
                yield f"{name}: {key} is {value}"
        for key in ("peer", "ratio"):
            value = figure.get(key, 0)
            if value is not None and not (isinstance(value, (int, float)) and value > least):
                yield f"{name}: {key} is {value}"
        if (figure.get("peer") is None) != (figure.get("ratio") is None):
            yield f"{name}: peer and ratio do not go together"
        if not isinstance(figure.get("met"), bool):
            yield f"{name}: met is {figure.get('met')}"


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        problems = list(problems_of(json.load(file)))
    for problem in problems:
        print(problem)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
