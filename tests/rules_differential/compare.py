"""compare.py FINDINGS ORACLE DOWNLOADS [SHARED] [--bytes N] [--machine]: our findings against
ast-grep's, rule by rule.

FINDINGS is the program rules_findings, ORACLE the program ast-grep (setup/oracle installs it).
The rules are those beside this file, and the public ones of ast-grep-essentials once what ast-grep
refuses is taken out (an unknown key, some characters in names of utilities). The code is that of
the pinned source archives in DOWNLOADS and of samples/, so that every machine compares the same;
with --machine it is what this machine has: the Python standard library, node's packages, headers,
files of the system. Compared are the sets of (rule, file, byte range) and, of each finding, its
place, message, variables, labels and fix. Exits with 0 where all agree, 1 where not, 77 where the
oracle or the archives are missing.
"""

import argparse
import collections
import json
import random
import re
import subprocess
import sys
import sysconfig
import tarfile
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
KNOWN_KEYS = {"id", "language", "rule", "constraints", "utils", "transform", "fix", "rewriters",
              "message", "note", "severity", "labels", "files", "ignores", "url", "metadata"}
FILE_BYTES_MAX = 300_000
ARCHIVE_BYTES_MAX = 80_000_000  # above it are weights
SHOWN_MAX = 5

# Where code of each ending is looked for on a machine.
STDLIB = Path(sysconfig.get_path("stdlib"))
ROOTS = {
    "py": [STDLIB], "js": ["/usr/lib/node_modules", "/usr/share"], "mjs": ["/usr/lib/node_modules"],
    "ts": ["/usr/lib/node_modules", "/usr/share"], "tsx": ["/usr/share"],
    "c": ["/usr/share", "/usr/src"], "h": ["/usr/include"], "cpp": ["/usr/share"],
    "hpp": ["/usr/include"], "go": ["/usr/share"], "rs": ["/usr/share", "/usr/lib/rustlib"],
    "sh": ["/usr/share", "/usr/lib"], "css": ["/usr/share", STDLIB], "html": ["/usr/share", STDLIB],
    "json": ["/usr/share"], "yaml": ["/usr/share", "/usr/lib"], "php": ["/usr/share"],
    "rb": ["/usr/share", "/usr/lib"], "java": ["/usr/share"], "kt": ["/usr/share"],
    "swift": ["/usr/share"], "scala": ["/usr/share"], "cs": ["/usr/share", "/usr/lib"],
}


def of_machine():
    """(ending, [(name, reader)]) of each ending that rules know."""
    for ending, roots in ROOTS.items():
        paths = [path for root in roots for path in sorted(Path(root).rglob(f"*.{ending}"))]
        yield ending, [(path.name, path.read_bytes) for path in paths]


def of_archives(downloads):
    """The same of the pinned source archives, whose names are their hashes."""
    found = {ending: [] for ending in ROOTS}
    for path in sorted(downloads.iterdir()):
        if path.stat().st_size > ARCHIVE_BYTES_MAX or not tarfile.is_tarfile(path):
            continue
        with tarfile.open(path) as archive:
            for member in archive:  # once through: a compressed archive has no cheap way back
                ending = member.name.rpartition(".")[2]
                if not member.isfile() or ending not in found or member.size > FILE_BYTES_MAX:
                    continue
                text = archive.extractfile(member).read()
                found[ending].append((Path(member.name).name, lambda text=text: text))
    return found.items()


def collect_code(folder, files, bytes_each):
    """Copies files in an order that is the same each time, up to so many bytes a language."""
    total = 0
    for _, candidates in files:
        candidates = list(candidates)
        random.Random(1).shuffle(candidates)
        taken = 0
        for number, (name, read) in enumerate(candidates):
            try:
                text = read()
                text.decode()
            except (OSError, UnicodeDecodeError):
                continue
            if not 0 < len(text) <= FILE_BYTES_MAX:
                continue
            (folder / f"{number:05}_{name}").write_bytes(text)
            taken += len(text)
            if taken > bytes_each:
                break
        total += taken
    (folder / "windows.py").write_bytes(b"\xef\xbb\xbfprint(1)\r\nx == x\r\nif a:\r\n    b\r\n")
    for sample in sorted((HERE / "samples").glob("*")):
        (folder / sample.name).write_bytes(sample.read_bytes())
    return total


def loadable(text):
    """A public rule as ast-grep takes it."""
    lines, kept = [], True
    for line in text.splitlines():
        key = re.match(r"([^\s#:][^:]*):", line)
        if key:
            kept = key[1] in KNOWN_KEYS
        if kept:
            lines.append(line)
    text = "\n".join(lines) + "\n"
    for name in set(re.findall(r"^ +([^\s#:-][^:\n]*[(),=][^:\n]*): *$", text, re.MULTILINE)):
        text = text.replace(name, re.sub(r"[(),=]", "_", name))
    return text


def collect_rules(folder, shared):
    for path in sorted((HERE / "rules").glob("*.yml")):
        (folder / path.name).write_text(path.read_text())
    public = sorted((shared / "data/ast-grep-essentials/rules").rglob("*.yml")) if shared else []
    for path in public:
        (folder / path.name).write_text(loadable(path.read_text()))
    return len(public)


def of_oracle(lines):
    for line in lines:
        found = json.loads(line)
        if found["ruleId"] == "unused-suppression":  # ours are not findings
            continue
        where = found["range"]
        variables = {}
        meta = found.get("metaVariables") or {}
        for name, value in meta.get("single", {}).items():
            variables["$" + name] = value["text"]
        for name, value in meta.get("transformed", {}).items():
            variables["$" + name] = value
        for name, nodes in meta.get("multi", {}).items():
            if name != "secondary":
                variables["$$$" + name] = [[node["range"]["byteOffset"]["start"],
                                            node["range"]["byteOffset"]["end"]] for node in nodes]
        fix = None
        if found.get("replacement") is not None:
            offsets = found["replacementOffsets"]
            fix = [offsets["start"], offsets["end"], found["replacement"]]
        labels = [[label["style"] == "primary", label.get("message") or "",
                   label["range"]["byteOffset"]["start"], label["range"]["byteOffset"]["end"]]
                  for label in found.get("labels") or []]
        key = (found["ruleId"], found["file"], where["byteOffset"]["start"],
               where["byteOffset"]["end"])
        yield key, {"place": [where["start"]["line"], where["start"]["column"],
                              where["end"]["line"], where["end"]["column"]],
                    "message": found.get("message", ""), "variables": variables,
                    "labels": sorted(labels), "fix": fix}


def of_ours(lines):
    for line in lines:
        found = json.loads(line)
        key = (found["rule"], found["file"], *found["range"])
        yield key, {"place": found["place"], "message": found["message"],
                    "variables": found["variables"], "labels": sorted(found["labels"]),
                    "fix": found["fix"]}


def table(pairs):
    result = collections.defaultdict(list)
    for key, details in pairs:
        result[key].append(details)
    return result


def report(theirs, ours):
    """Prints the differences; returns how many there are."""
    differences = collections.Counter()
    for key in sorted(theirs.keys() | ours.keys()):
        left, right = theirs.get(key, []), ours.get(key, [])
        what = None
        if len(left) != len(right):
            what = "missed" if len(left) > len(right) else "too many"
        elif left != right:
            fields = [name for name in left[0] if left[0][name] != right[0][name]]
            what = ", ".join(fields) or "order"
        if what is None:
            continue
        differences[what] += 1
        if differences[what] <= SHOWN_MAX:
            print(f"{what}: {key}\n  ast-grep: {left}\n  tinyarms: {right}")
    print(f"differences: {dict(differences) or 'none'}")
    return sum(differences.values())


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("findings", type=Path)
    parser.add_argument("oracle", type=Path)
    parser.add_argument("downloads", type=Path)
    parser.add_argument("shared", type=Path, nargs="?")
    parser.add_argument("--bytes", type=int, default=250_000, help="of code, a language")
    parser.add_argument("--machine", action="store_true", help="the code that this machine has")
    options = parser.parse_args()
    if not options.oracle.exists():
        print(f"SKIPPED: no ast-grep at {options.oracle}; setup/oracle installs it")
        return 77
    if not options.machine and not options.downloads.is_dir():
        print(f"SKIPPED: no pinned archives at {options.downloads}; setup/install fetches them")
        return 77
    files = of_machine() if options.machine else of_archives(options.downloads)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        for name in ("rules", "code"):
            (folder / name).mkdir()
        size = collect_code(folder / "code", files, options.bytes)
        public = collect_rules(folder / "rules", options.shared)
        config = folder / "sgconfig.yml"
        config.write_text(f"ruleDirs: [{folder}/rules]\nutilDirs: [{HERE}/utils]\n")
        # From within the folder: globs see paths relative to it, not its random name.
        oracle = subprocess.run([options.oracle.absolute(), "scan", "-c", "sgconfig.yml",
                                 "--json=stream", "code"],
                                cwd=folder, capture_output=True, text=True)
        ours = subprocess.run([options.findings.absolute(), "rules", HERE / "utils", "code"],
                              cwd=folder, capture_output=True, text=True)
        if oracle.returncode not in (0, 1) or ours.returncode != 0:
            print(f"ast-grep: {oracle.stderr}\ntinyarms: {ours.stderr}")
            return 1
        theirs = table(of_oracle(oracle.stdout.splitlines()))
        mine = table(of_ours(ours.stdout.splitlines()))
    found = sum(map(len, theirs.values()))
    rules = len({key[0] for key in theirs})
    print(f"{found} findings of {rules} rules ({public} public rules loaded) in {size} bytes")
    if found < 1000:
        print("too few findings to mean anything")
        return 1
    return 1 if report(theirs, mine) else 0


if __name__ == "__main__":
    sys.exit(main())
