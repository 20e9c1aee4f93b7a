#!/usr/bin/env python3
"""Runs what docs/rules-scan.md shows: files are written, commands run in their order, their output
compared with the block below; the hooks and the workflow are run as their hosts would.

usage: check_rules_docs.py BINARY
"""

import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

SOURCE = pathlib.Path(__file__).resolve().parent.parent
BLOCK = re.compile(r"(?:<!-- (?P<mark>\w+)(?:: (?P<value>[^>]+?))? -->\n)?"
                   r"```(?P<kind>\w+)\n(?P<text>.*?)```\n", re.S)


class Page:
    def __init__(self, binary, folder):
        self.folder = folder
        programs = folder / "bin"
        programs.mkdir()
        (programs / "tinyarms").symlink_to(binary)
        self.project = folder / "project"
        self.project.mkdir()
        self.environment = {**os.environ, "HOME": str(folder), "TERM": "dumb",
                            "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"}

    def shell(self, text, exits=0):
        done = subprocess.run(["sh", "-e", "-c", text], cwd=self.project, env=self.environment,
                              capture_output=True, text=True, check=False, timeout=120)
        if done.returncode != exits:
            sys.exit(f"exit status {done.returncode}, not {exits}:\n{text}\n"
                     f"{done.stdout}{done.stderr}")
        return done.stdout

    def write(self, name, text):
        path = self.project / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def run_hooks(page, configuration, yaml):
    hooks = {hook["id"]: hook for hook in
             yaml.safe_load((SOURCE / ".pre-commit-hooks.yaml").read_text())}
    for repository in yaml.safe_load(configuration)["repos"]:
        for wanted in repository["hooks"]:
            assert wanted["id"] in hooks, wanted
    for name in ("tinyarms-rules", "tinyarms-rules-fix", "tinyarms-rules-test"):
        hook = hooks[name]
        files = "" if hook.get("pass_filenames") is False else "src/settings.py README.md"
        page.write("README.md", "# Not code\n")
        page.shell(f"{hook['entry']} {files}", exits=1 if name == "tinyarms-rules" else 0)
    assert "ast.literal_eval(text)" in (page.project / "src/settings.py").read_text()


def run_workflow(page, text, yaml):
    page.write("src/settings.py", "eval(1)\n")
    steps = [step for job in yaml.safe_load(text)["jobs"].values() for step in job["steps"]
             if "run" in step]
    assert len(steps) == 2, steps
    annotations = page.shell(steps[0]["run"], exits=1)
    assert annotations.startswith("::error file=src/settings.py,line=1,"), annotations
    page.shell(steps[1]["run"])
    log = json.loads((page.project / "findings.sarif").read_text())
    assert len(log["runs"][0]["results"]) == 1


def main():
    try:
        import yaml
    except ImportError:
        print("SKIPPED: the Python module yaml is missing: pip install PyYAML")
        sys.exit(77)
    binary = pathlib.Path(sys.argv[1]).resolve()
    text = (SOURCE / "docs" / "rules-scan.md").read_text()
    commands = 0
    with tempfile.TemporaryDirectory(prefix=f"tinyarms-docs-{os.getpid()}-") as temporary:
        page = Page(binary, pathlib.Path(temporary))
        shown = None
        for block in BLOCK.finditer(text):
            mark, value, kind = block["mark"], block["value"], block["kind"]
            if mark == "file":
                page.write(value, block["text"])
            elif mark == "hooks":
                run_hooks(page, block["text"], yaml)
            elif mark == "workflow":
                run_workflow(page, block["text"], yaml)
            elif kind == "sh":
                shown = page.shell(block["text"], int(value) if mark == "exits" else 0)
                commands += 1
            elif kind == "text":
                if shown != block["text"]:
                    sys.exit(f"the page shows\n{block['text']}\nbut this comes out\n{shown}")
            else:
                sys.exit(f"a block that nothing is done with:\n{block[0]}")
    assert commands >= 4, commands
    print(f"{commands} blocks of commands, the hooks and the workflow do what the page says")


if __name__ == "__main__":
    main()
