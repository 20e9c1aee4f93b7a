"""check_readme.py [FILE]: runs the commands that README.md promises to work.

Fenced blocks with the info string `sh run` are run in order, one command at a time (a backslash
or an open here-document continues it), from the root of the tree, with a home of their own and
the machine's set-up cache. Each must exit with 0, or with N where its line ends with `# exits N`.
Exits 77 (skipped, in ctest) where there is no release program to run.
"""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PROGRAM = ROOT / "build/release/src/cli/tinyarms"
SKIPPED = 77
SECONDS_MAX = 1500  # the first command builds the program


def blocks(text):
    """(line number of the first line, lines) of every block to run."""
    lines = text.splitlines()
    inside, start, found = None, 0, []
    for number, line in enumerate(lines, 1):
        fence = re.match(r"\s*(```+)\s*(.*)$", line)
        if inside is None and fence:
            inside, kind, start = fence[1], fence[2].strip(), number
        elif inside is not None and fence and fence[1] == inside and not fence[2]:
            if kind == "sh run":
                found.append((start + 1, lines[start:number - 1]))
            inside = None
    if inside is not None:
        raise ValueError(f"line {start}: this block does not end")
    return found


def commands(text):
    """(line number, command, exit code) of every command to run."""
    for first, lines in blocks(text):
        rest = list(enumerate(lines, first))
        while rest:
            number, command = rest.pop(0)
            if not command.strip() or command.lstrip().startswith("#"):
                continue
            here = re.search(r"<<-?\s*['\"]?(\w+)['\"]?", command)
            while rest and (here or command.endswith("\\")):
                line = rest.pop(0)[1]
                command += "\n" + line
                if here and line.strip() == here[1]:
                    break
            exits = re.search(r"#\s*exits (\d+)\s*$", command.splitlines()[0])
            yield number, command, int(exits[1]) if exits else 0


def environment(home):
    """The caller's, with a home of its own; only the cache of the set-up is shared."""
    shared = os.environ.get("SETUP_CACHE") or os.path.join(
        os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "tinyarms")
    kept = {name: value for name, value in os.environ.items()
            if not name.startswith("TINYARMS_")}
    own = {f"XDG_{kind}_HOME": f"{home}/{kind.lower()}"
           for kind in ("CONFIG", "DATA", "CACHE", "STATE")}
    return {**kept, **own, "SETUP_CACHE": shared}


def run(where, number, command, expected, env):
    print(f"{where}:{number}: {command}", flush=True)
    try:
        done = subprocess.run(["sh", "-c", command], cwd=ROOT, env=env, timeout=SECONDS_MAX,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT)
    except subprocess.TimeoutExpired:
        return f"{where}:{number}: did not end within {SECONDS_MAX} s"
    print(done.stdout.decode(errors="replace"), flush=True)
    if done.returncode != expected:
        return f"{where}:{number}: exit code {done.returncode}, promised is {expected}"
    return None


def main():
    readme = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "README.md"
    if not PROGRAM.exists():
        print(f"SKIPPED: the commands of {readme.name} need the release program, {PROGRAM}: "
              "build it with setup/install, or run ./check")
        sys.exit(SKIPPED)
    promised = list(commands(readme.read_text(encoding="utf-8")))
    if not promised:
        sys.exit(f"{readme}: no block is marked ```sh run")
    with tempfile.TemporaryDirectory() as home:
        faults = [run(readme.name, *one, environment(home)) for one in promised]
    faults = [fault for fault in faults if fault]
    print("\n".join(faults + [f"readme: {len(promised)} commands, {len(faults)} faults"]))
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
