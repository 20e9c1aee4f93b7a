"""check_house.py [ROOT]: the rules of the house that a machine can check, over what git tracks."""

import ast
import re
import subprocess
import sys
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "setup"))
import requirements  # noqa: E402

LINE_MAX = 100
BYTES_MAX = 1 << 20
CODE = {".cc", ".h", ".c", ".py", ".sh", ".cmake"}

# Split so that this file keeps its own rules.
FORBIDDEN = [
    (re.compile(r"\b(?:TO" r"DO|FIX" r"ME|X" r"XX)\b"), "a note to oneself"),
    (re.compile(r"\bDISABLED" r"_\w"), "a test that is switched off"),
    (re.compile(r"\bGTEST_" r"SKIP\(\)\s*;"), "a skip that does not say what is missing"),
    (re.compile(r"\bEXPECT_TRUE\(" r"true\)|\bSUCCEED" r"\(\)"), "a test that cannot fail"),
    (re.compile(r"(?<![\w.$}])/(?:wo" r"rk|ro" r"ot|home/\w+)/\w"), "a path of one machine"),
    (re.compile(r"\bpypi\.[a-z]{2,3}\b|\bregistry\.[a-z]+js|\bcrates\.[a-z]{2}\b|//proxy\.[a-z]"
                r"|\bpythonhosted\b|\brepo\d*\.maven|\bdeb\.[a-z]+\.org"
                r"|https?://\S+/simple\b"), "the host of a package registry"),
]


def tracked(root):
    run = subprocess.run(["git", "-C", str(root), "ls-files", "-z"], capture_output=True,
                         check=True)
    for name in run.stdout.decode().split("\0"):
        if name and (root / name).is_file():
            yield name


def is_shell(text):
    return re.match(r"#!\s*\S*(?:/|env )(?:ba|da)?sh\b", text) is not None


def faults_of_text(name, text):
    """Faults of one text file as (line, what)."""
    code = Path(name).suffix in CODE or is_shell(text) or name.endswith("CMakeLists.txt")
    for number, line in enumerate(text.splitlines(), 1):
        for pattern, what in FORBIDDEN:
            if pattern.search(line):
                yield number, f"{what}: {line.strip()[:60]}"
        if not code:
            continue
        if len(line) > LINE_MAX:
            yield number, f"{len(line)} characters, {LINE_MAX} are allowed"
        if line != line.rstrip() or "\t" in line:
            yield number, "a tab or a space at the end of the line"
    if code and text and not text.endswith("\n"):
        yield text.count("\n") + 1, "no newline at the end"
    if name.endswith(".h"):
        if not text.startswith("//"):
            yield 1, "a header opens with what it is for and its contract"
        if "#pragma once" not in text:
            yield 1, "a header without #pragma once"


def fault_of_script(root, name, text):
    """Why a script would not even start; nothing where it does."""
    path = root / name
    if text.startswith("#!") and not path.stat().st_mode & 0o111:
        return "a script that is not executable"
    if is_shell(text) or name.endswith(".sh"):
        run = subprocess.run(["sh", "-n", str(path)], capture_output=True, text=True)
        if run.returncode != 0:
            return f"sh -n: {run.stderr.strip()}"
    if name.endswith(".py"):
        try:
            ast.parse(text, name)
        except SyntaxError as error:
            return f"not Python: {error}"
    return None


def check(root):
    """Every fault in the tree, as text."""
    root = Path(root)
    for name in tracked(root):
        data = (root / name).read_bytes()
        if len(data) > BYTES_MAX:
            yield f"{name}: {len(data)} bytes; the largest file may have {BYTES_MAX}"
        if b"\0" in data:
            continue
        # Test data may be broken text on purpose; code may not.
        text = data.decode("utf-8", errors="replace")
        if "\ufffd" in text and Path(name).suffix in CODE:
            yield f"{name}: not UTF-8"
        for line, what in faults_of_text(name, text):
            yield f"{name}:{line}: {what}"
        fault = fault_of_script(root, name, text)
        if fault:
            yield f"{name}: {fault}"
    try:
        requirements.parse((root / "requirements.txt").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        yield str(error)


def main():
    root = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parent.parent
    faults = list(check(root))
    for fault in faults:
        print(fault)
    print(f"house: {len(faults)} faults")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
