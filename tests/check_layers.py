"""check_layers.py [ROOT]: fails on every include under src/ that layers.txt does not allow.

A room may include itself and what its line in [rooms] names; rooms stand lowest first, so cycles
cannot be written down. An outside header belongs to the rooms of its line in [owners] (by prefix
of the include path; `*` is every room); the standard library and POSIX, without sockets, are
everyone's, and the test libraries are the tests'.
"""

import re
import sys
from pathlib import Path

SOURCES = {".h", ".cc", ".c", ".cpp", ".hpp", ".inc"}
TEST_HEADERS = ("gtest/", "gmock/")
# Headers of C, POSIX and the machine. Sockets are missing on purpose: who opens one must own it.
SYSTEM = set("""
assert.h ctype.h dirent.h errno.h fcntl.h fenv.h float.h inttypes.h limits.h locale.h math.h poll.h
pthread.h sched.h setjmp.h signal.h stdarg.h stdbool.h stddef.h stdint.h stdio.h stdlib.h string.h
termios.h time.h unistd.h sys/file.h sys/ioctl.h sys/mman.h sys/resource.h sys/stat.h
sys/statvfs.h sys/time.h sys/types.h sys/wait.h
linux/fs.h immintrin.h arm_neon.h
""".split())

# What may hide a line that only looks like an include: literals and comments.
TOKEN = re.compile(
    r'^[ \t]*#[ \t]*include(?:_next)?[ \t]*(?P<include>[^\n]*)'
    r'|(?:u8|[uUL])?R"(?P<mark>[^()\\\s]{0,16})\((?:.|\n)*?\)(?P=mark)"'
    r'|"(?:\\.|[^"\\\n])*"'
    r"|'(?:\\.|[^'\\\n])+'"
    r'|//[^\n]*|/\*(?:.|\n)*?\*/', re.MULTILINE)


def includes(text):
    """(line number, include path or None where it is not a plain one) of every include."""
    for match in TOKEN.finditer(text):
        if match["include"] is not None:
            path = re.match(r'["<]([^">]+)[">]', match["include"])
            yield text.count("\n", 0, match.start()) + 1, path and path[1]


class Law:
    def __init__(self, text):
        self.rooms, self.owners, self.faults = {}, {}, []
        section = None
        for number, line in enumerate(text.splitlines(), 1):
            line = line.partition("#")[0].strip()
            if not line:
                continue
            if line in ("[rooms]", "[owners]"):
                section = line
                continue
            name, colon, rest = line.rpartition(":")
            table = {"[rooms]": self.rooms, "[owners]": self.owners}.get(section)
            if table is None or not colon or not name or name in table:
                self.faults.append(f"layers.txt:{number}: cannot be read: {line}")
                continue
            for room in rest.split():
                if room not in self.rooms and not (room == "*" and section == "[owners]"):
                    self.faults.append(f"layers.txt:{number}: {name} names {room}, which is no "
                                       "room listed above it")
            table[name] = rest.split()

    def fault_of(self, room, path, is_test):
        """Why the room may not include the path; None where it may."""
        first = path.partition("/")[0]
        if "/" in path and first in self.rooms:
            if first == room or first in self.rooms[room]:
                return None
            return f"{room} may not include {first}"
        if path in SYSTEM or re.fullmatch(r"[a-z_]+", path):
            return None
        if is_test and path.startswith(TEST_HEADERS):
            return None
        owners = [rooms for prefix, rooms in self.owners.items() if path.startswith(prefix)]
        if not owners:
            return "an outside header without a line in [owners]"
        if any(room in rooms or "*" in rooms for rooms in owners):
            return None
        return f"{room} does not own it; its owners: {', '.join(sum(owners, [])) or 'none'}"


def check_file(law, root, room, path):
    where = path.relative_to(root)
    text = path.read_text(encoding="utf-8", errors="replace")
    is_test = re.search(r"_test\.\w+$|^fake_|_fake\.|^testing_|^test_", path.name) is not None
    for line, target in includes(text):
        if target is None:
            yield f"{where}:{line}: an include that is not a plain path"
            continue
        fault = law.fault_of(room, target, is_test)
        if fault:
            yield f"{where}:{line}: includes {target}: {fault}"
        elif target.partition("/")[0] in law.rooms and not (root / "src" / target).is_file():
            yield f"{where}:{line}: includes {target}: there is no such file under src/"


def check(root):
    """Every fault in the tree, as text."""
    root = Path(root)
    law = Law((root / "layers.txt").read_text(encoding="utf-8"))
    yield from law.faults
    for entry in sorted((root / "src").iterdir()):
        if entry.name not in law.rooms:
            yield f"src/{entry.name}: not a room of layers.txt"
            continue
        for path in sorted(entry.rglob("*")):
            if path.suffix in SOURCES and path.is_file():
                yield from check_file(law, root, entry.name, path)
    for room in law.rooms:
        if not (root / "src" / room).is_dir():
            yield f"layers.txt: the room {room} has no folder under src/"


def main():
    root = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parent.parent
    faults = list(check(root))
    for fault in faults:
        print(fault)
    print(f"layers: {len(faults)} faults")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
