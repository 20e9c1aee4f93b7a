#!/usr/bin/env python3
"""Holds `tinyarms rules scan --format sarif` against the schema of SARIF 2.1.0.

usage: check_sarif.py BINARY CACHE_DIR

The schema (the errata's, "rtm.5") comes from the npm package below, fetched once by npm and checked
by content; it is never part of the repository. Skips loudly (status 77) where npm or the Python
module jsonschema is missing or the package cannot be fetched.
"""

import base64
import hashlib
import json
import os
import pathlib
import subprocess
import sys
import tarfile
import tempfile
import warnings

PACKAGE = "@microsoft/jest-sarif@1.0.0-beta.0"
SHA512 = ("A1fOhPd6Ic5iDk4F9YPw1qNB4XF+7+IviR7xl8r2F6QzQkx5cpY9LsGk2rExiFIE"
          "cBbjpVnSmwWGBukASkiQ9A==")
MEMBER = "package/lib/schemas/sarif-2.1.0-rtm.5.json"

RULES = """
id: no-eval
language: python
severity: error
message: no eval of $A
note: "why **not**"
url: https://example.com/rules/no-eval
metadata: {weight: 3, tags: [a, a]}
rule: {pattern: eval($A)}
fix:
  - {title: one, template: safe($A)}
  - {title: two, template: ''}
---
id: quiet
language: python
severity: hint
rule: {pattern: foo($$$A)}
---
id: unused
language: javascript
severity: off
rule: {pattern: a}
"""
FILES = {
    "plain.py": b"eval(1)\nfoo()\n",
    "a b/\xc3\xa4 %#?.py": "\ufeffx = '€😀'; eval(\r\n  2)\r\n".encode(),
    "empty.py": b"",
    "long.py": b"foo('" + "ä".encode() * 5000 + b"')\n",
}


def skip(why):
    print(f"SKIPPED: {why}")
    sys.exit(77)


def load_schema(cache):
    archive = cache / "jest-sarif-1.0.0-beta.0.tgz"
    if not archive.exists():
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as folder:
            try:
                subprocess.run(["npm", "pack", "--silent", PACKAGE], cwd=folder, check=True,
                               capture_output=True, timeout=120)
            except (OSError, subprocess.SubprocessError) as problem:
                skip(f"npm could not fetch {PACKAGE}, which holds the schema: {problem}")
            os.replace(next(pathlib.Path(folder).glob("*.tgz")), archive)
    digest = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
    if digest != SHA512:
        archive.unlink()
        sys.exit(f"{PACKAGE} is not the file it was: sha512 {digest}")
    with tarfile.open(archive) as package:
        return json.load(package.extractfile(MEMBER))


def scan(binary, folder, *flags):
    done = subprocess.run([binary, "rules", "scan", "--rule", "rules.yml", "--format", "sarif",
                           *flags], cwd=folder, capture_output=True, check=False, timeout=120)
    if done.returncode not in (0, 1):
        sys.exit(done.stderr.decode())
    return json.loads(done.stdout)


def main():
    binary, cache = str(pathlib.Path(sys.argv[1]).resolve()), pathlib.Path(sys.argv[2])
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import jsonschema
    except ImportError:
        skip("the Python module jsonschema is missing: pip install jsonschema")
    schema = load_schema(cache)
    validator = jsonschema.validators.validator_for(schema)(
        schema, format_checker=jsonschema.FormatChecker())
    with tempfile.TemporaryDirectory(prefix=f"tinyarms-sarif-{os.getpid()}-") as temporary:
        folder = pathlib.Path(temporary)
        (folder / "rules.yml").write_text(RULES)
        for name, content in FILES.items():
            path = folder / name
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(content)
        logs = {"all": scan(binary, folder), "none": scan(binary, folder, "empty.py"),
                "absolute": scan(binary, folder, str(folder / "plain.py"))}
    for name, log in logs.items():
        errors = [f"{name}: {'/'.join(map(str, error.absolute_path))}: {error.message[:300]}"
                  for error in validator.iter_errors(log)]
        if errors:
            sys.exit("\n".join(errors))

    results = logs["all"]["runs"][0]["results"]
    assert len(results) == 4, len(results)
    assert logs["none"]["runs"][0]["results"] == []
    rules = logs["all"]["runs"][0]["tool"]["driver"]["rules"]
    for result in results:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
    first = results[0]
    assert first["locations"][0]["physicalLocation"]["artifactLocation"]["uri"].startswith("a%20b/")
    region = first["locations"][0]["physicalLocation"]["region"]
    assert (region["startLine"], region["startColumn"], region["byteOffset"]) == (1, 12, 18), region
    assert [fix["description"]["text"] for fix in first["fixes"]] == ["one", "two"]
    assert logs["absolute"]["runs"][0]["results"][0]["locations"][0]["physicalLocation"][
        "artifactLocation"]["uri"].startswith("file:///")
    broken = json.loads(json.dumps(logs["all"]))
    broken["runs"][0]["results"][0]["level"] = "dreadful"
    assert list(validator.iter_errors(broken)), "the validator takes anything"
    print(f"SARIF: {len(results)} results are valid")


if __name__ == "__main__":
    main()
