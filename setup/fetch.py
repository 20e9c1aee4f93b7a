"""fetch.py FOLDER: downloads what requirements.txt pins into FOLDER, each file under its sha256.

Only downloads: pip itself would run the build scripts of source packages, with unpinned
dependencies of their own. Goes on where an earlier run stopped (FOLDER/<sha256>.part), checks
every file, and puts it in place whole or not at all.
"""

import hashlib
import http.client
import os
import sys
import time
import urllib.error
from pathlib import Path

sys.dont_write_bytecode = True
import index  # noqa: E402
import requirements  # noqa: E402
from progress import Line, duration, megabytes  # noqa: E402

TRIES = 6
CHUNK = 1 << 18
FOR_GOOD = (400, 401, 403, 404, 410)  # asking again changes nothing


class Fault(Exception):
    """What went wrong, for people."""


def sha256_of(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class Download:
    """One pinned file on its way."""

    def __init__(self, requirement, folder, client):
        self.requirement = requirement
        self.client = client
        self.final = folder / requirement.sha256
        self.part = folder / f"{requirement.sha256}.part"

    def attempt(self, file, line, position):
        """Appends what is missing to the part file; raises OSError where it breaks off."""
        have = self.part.stat().st_size if self.part.exists() else 0
        headers = {"Range": f"bytes={have}-"} if have else {}
        # Packed transfer would change the bytes that a range counts.
        with self.client.open(file.url, {"Accept-Encoding": "identity", **headers}) as response:
            if have and response.status != 206:
                have = 0
            length = response.headers.get("Content-Length")
            total = have + int(length) if length else file.size
            began, at_start = time.monotonic(), have
            with open(self.part, "ab" if have else "wb") as out:
                while chunk := response.read(CHUNK):
                    out.write(chunk)
                    have += len(chunk)
                    speed = (have - at_start) / max(time.monotonic() - began, 1e-3)
                    show(line, position, have, total, speed)
            if total and have < total:
                raise OSError(f"the connection ended after {have} of {total} bytes")

    def fetch_from(self, file, line, position):
        failures = 0
        while True:
            before = self.part.stat().st_size if self.part.exists() else 0
            try:
                self.attempt(file, line, position)
                break
            except urllib.error.HTTPError as error:
                if error.code == 416:  # the part is longer than the file
                    self.part.unlink(missing_ok=True)
                elif error.code in FOR_GOOD:
                    raise Fault(f"{index.host(file.url)} answers {error}") from error
                reason = error
            except (OSError, http.client.HTTPException) as error:
                reason = error
            after = self.part.stat().st_size if self.part.exists() else 0
            failures = 1 if after > before else failures + 1
            if failures >= TRIES:
                raise Fault(f"{index.host(file.url)}: {reason} ({failures} tries)")
            pause = min(2 ** (failures - 1), 15)
            line.update(f"{reason}; again in {pause} s")
            time.sleep(pause)
        found = sha256_of(self.part)
        if found != self.requirement.sha256:
            self.part.unlink()
            raise Fault(f"{file.name} from {index.host(file.url)} has sha256 {found}, "
                        f"pinned is {self.requirement.sha256}")
        os.replace(self.part, self.final)

    def fetch(self, candidates, faults, position):
        line = Line(f"{self.requirement.name} {self.requirement.version}")
        for file in candidates:
            try:
                self.fetch_from(file, line, position)
                line.end(f"{megabytes(self.final.stat().st_size)} in {duration(line.elapsed())}, "
                         "sha256 as pinned")
                return
            except Fault as fault:
                faults.append(str(fault))
        reasons = "\n  ".join(faults) or "no index has a file with the pinned sha256"
        raise Fault(f"cannot download {self.requirement.name} {self.requirement.version}:\n"
                    f"  {reasons}\n"
                    "  Check the network and `pip config list` (index-url, proxy, cert), then run "
                    "the same command again: what is here is kept.")


def show(line, position, have, total, speed):
    of_total = f" of {megabytes(total)}" if total else ""
    rest = f", {duration((total - have) / speed)} left" if total and speed else ""
    line.update(f"{megabytes(have)}{of_total} {position}, {megabytes(speed)}/s{rest}")


def fetch_all(folder):
    pinned = requirements.read()
    folder.mkdir(parents=True, exist_ok=True)
    missing = [one for one in pinned if not (folder / one.sha256).exists()]
    if not missing:
        return
    settings = index.Settings.of_pip()
    client = index.Client(settings)
    found = [index.find(one, settings, client) for one in missing]
    sizes = [candidates[0].size if candidates else None for candidates, _ in found]
    if None not in sizes:
        here = sum((folder / f"{one.sha256}.part").stat().st_size for one in missing
                   if (folder / f"{one.sha256}.part").exists())
        print(f"  {len(missing)} files, {megabytes(sum(sizes) - here)} to download",
              file=sys.stderr, flush=True)
    for number, (one, (candidates, faults)) in enumerate(zip(missing, found), 1):
        position = f"(file {number} of {len(missing)})"
        Download(one, folder, client).fetch(candidates, faults, position)


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: fetch.py FOLDER")
    try:
        fetch_all(Path(sys.argv[1]))
    except Fault as fault:
        sys.exit(f"\nsetup: {fault}")
    except OSError as error:
        sys.exit(f"\nsetup: {error}\n  Is there space left, and may this folder be written?")
    except KeyboardInterrupt:
        print("\n  stopped; what is downloaded is kept", file=sys.stderr)
        sys.exit(130)


if __name__ == "__main__":
    main()
