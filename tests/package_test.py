#!/usr/bin/env python3
"""The package from outside: installs one component, builds its example against it, runs that.

usage: package_test.py BUILD_DIR COMPONENT EXPECTED_PATTERN CMAKE_OPTION… -- ARGUMENT…

The example is examples/COMPONENT; its program gets the arguments, relative to that folder.
"""

import pathlib
import re
import subprocess
import sys
import tempfile

SOURCE = pathlib.Path(__file__).resolve().parent.parent


def run(*command, **options):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True,
                          check=False, **options)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}\n{done.stdout[-4000:]}{done.stderr[-4000:]}")
    return done.stdout


def installed_files(prefix):
    return sorted(str(path.relative_to(prefix)) for path in prefix.rglob("*") if path.is_file())


def main():
    build, component, expected = sys.argv[1:4]
    options = sys.argv[4:sys.argv.index("--")]
    arguments = sys.argv[sys.argv.index("--") + 1:]
    example = SOURCE / "examples" / component
    with tempfile.TemporaryDirectory(prefix="tinyarms-package-") as temporary:
        folder = pathlib.Path(temporary)
        prefix = folder / "prefix"
        for name in ("base", component):
            run("cmake", "--install", build, "--prefix", prefix, "--component", name)
        files = installed_files(prefix)
        strangers = [name for name in files if name.startswith("include/")
                     and pathlib.PurePath(name).parts[2] not in ("base", component)]
        if strangers:
            sys.exit(f"headers of other rooms came along: {strangers}")

        # The sources must not be needed: the example is built elsewhere, from the prefix alone.
        run("cmake", "-S", example, "-B", folder / "build", "-G", "Ninja",
            f"-DCMAKE_PREFIX_PATH={prefix}", "-DCMAKE_BUILD_TYPE=Debug", *options)
        run("cmake", "--build", folder / "build")
        done = subprocess.run([folder / "build" / f"{component}_example", *arguments],
                              capture_output=True, text=True, cwd=example, check=False)
        if not re.search(expected, done.stdout):
            sys.exit(f"the example's output does not match {expected!r}:\n"
                     f"{done.stdout}{done.stderr}")

        other = "calibration" if component == "rules" else "rules"
        text = f"find_package(tinyarms REQUIRED COMPONENTS {other})"
        (folder / "missing").mkdir()
        (folder / "missing" / "CMakeLists.txt").write_text(
            f"cmake_minimum_required(VERSION 3.25)\nproject(x LANGUAGES CXX)\n{text}\n")
        refused = subprocess.run(["cmake", "-S", folder / "missing", "-B", folder / "m", "-G",
                                  "Ninja", f"-DCMAKE_PREFIX_PATH={prefix}", *options],
                                 capture_output=True, text=True, check=False)
        if refused.returncode == 0 or other not in refused.stderr:
            sys.exit(f"a component that is not installed was not missed:\n{refused.stderr}")
    print(f"{component}: {len(files)} files installed, the example works")


if __name__ == "__main__":
    main()
