"""Reads requirements.txt and setup/scanners.txt: each pin is `name==version` with one sha256."""

import re
import sys
from pathlib import Path
from typing import NamedTuple

FILE = Path(__file__).resolve().parent.parent / "requirements.txt"
# A second version of a project, which one file cannot pin beside the first.
SECOND = FILE.parent / "setup" / "scanners.txt"


class Requirement(NamedTuple):
    name: str  # as the file spells it
    version: str
    sha256: str
    second: bool = False  # of a project that requirements.txt pins in another version

    @property
    def project(self):
        """The name as an index spells it (PEP 503)."""
        return re.sub(r"[-_.]+", "-", self.name).lower()

    @property
    def key(self):
        """What names it among all pins."""
        return f"{self.project}=={self.version}" if self.second else self.project


def parse(text, where="requirements.txt"):
    lines = re.sub(r"\\\n", " ", text).splitlines()
    found = []
    for line in lines:
        line = re.sub(r"(^|\s)#.*$", "", line).strip()
        if not line:
            continue
        match = re.fullmatch(r"([\w.-]+)==([\w.]+)\s+--hash=sha256:([0-9a-f]{64})", line)
        if not match:
            raise ValueError(f"{where}: not `name==version --hash=sha256:…`: {line}")
        found.append(Requirement(*match.groups()))
    names = [requirement.project for requirement in found]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"{where}: {name} is pinned twice")
    if not found:
        raise ValueError(f"{where}: pins nothing")
    return found


def read(path=FILE, second=SECOND):
    try:
        pins = parse(Path(path).read_text(encoding="utf-8"), str(path))
        others = parse(Path(second).read_text(encoding="utf-8"), str(second))
        return pins + [pin._replace(second=True) for pin in others]
    except (OSError, ValueError) as error:
        sys.exit(f"setup: {error}")
