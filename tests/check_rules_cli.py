#!/usr/bin/env python3
"""`tinyarms rules` from outside: what a person or a CI job types, what comes back.

usage: check_rules_cli.py BINARY

Every test has its own empty home and project.
"""

import json
import os
import pathlib
import re
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
import unittest

BINARY = ""

RULES = r"""
id: no-eval
language: Python
message: no eval of $A
note: eval runs whatever it is given
severity: warning
url: https://example.com/no-eval
metadata: {weight: 3, tags: [security]}
rule: {pattern: eval($A)}
fix: safe($A)
---
id: no-print
language: python
message: no print
severity: error
rule: {pattern: print($$$A)}
---
id: hint-foo
language: python
message: foo
severity: hint
rule: {pattern: foo($A)}
"""

CODE = "import x\neval(print(1, 2))\neval(a)\nfoo(eval(\n  b))\n"


class RulesCommand(unittest.TestCase):
    def setUp(self):
        self.home = pathlib.Path(tempfile.mkdtemp(prefix=f"tinyarms-rules-{os.getpid()}-"))
        self.addCleanup(shutil.rmtree, self.home, ignore_errors=True)
        self.environment = {"HOME": str(self.home), "PATH": os.environ["PATH"],
                            "XDG_CONFIG_HOME": str(self.home / ".config"), "TERM": "xterm"}
        for name in ("ASAN_OPTIONS", "TSAN_OPTIONS"):
            if name in os.environ:
                self.environment[name] = os.environ[name]

    def write(self, name, content):
        path = self.home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, str):
            content = content.encode()
        path.write_bytes(content)
        return path

    def project(self, rules=RULES, code=CODE):
        self.write("sgconfig.yml", "ruleDirs: [rules]\ntestConfigs:\n  - testDir: rule-tests\n")
        self.write("rules/all.yml", rules)
        self.write("src/code.py", code)

    def run_cli(self, *arguments, exits=0, stdin=b"", cwd=None, environment=None):
        if isinstance(stdin, str):
            stdin = stdin.encode()
        done = subprocess.run([BINARY, "rules", *map(str, arguments)], input=stdin,
                              capture_output=True, cwd=cwd or self.home, timeout=200, check=False,
                              env={**self.environment, **(environment or {})})
        self.assertEqual(done.returncode, exits, (done.stdout[-2000:], done.stderr[-2000:]))
        return done

    def scan_json(self, *arguments, **options):
        text = self.run_cli("scan", "--json=compact", *arguments, **options).stdout
        return json.loads(text)

    # ---- scanning ----------------------------------------------------------------------------

    def test_findings_for_people(self):
        self.project()
        done = self.run_cli("scan", exits=1)
        text = done.stdout.decode()
        self.assertIn("warning[no-eval]: no eval of a\n  --> src/code.py:3:1\n", text)
        self.assertIn("  3 | eval(a)\n    | ^^^^^^^\n", text)
        self.assertIn("   3 - eval(a)\n   3 + safe(a)\n", text)
        self.assertIn("= note: eval runs whatever it is given\n", text)
        self.assertIn("= see: https://example.com/no-eval\n", text)
        self.assertIn("error[no-print]: no print", text)
        self.assertNotIn("\x1b", text)
        self.assertIn(b"1 files scanned, 5 findings in 1 (1 errors, 3 warnings)", done.stderr)

    def test_json_is_ast_greps(self):
        self.project()
        findings = self.scan_json("src", exits=1)
        self.assertEqual([(f["ruleId"], f["range"]["byteOffset"]["start"]) for f in findings],
                         [("no-eval", 9), ("no-print", 14), ("no-eval", 27), ("hint-foo", 35),
                          ("no-eval", 39)])
        last = findings[-1]
        self.assertEqual(last, {
            "text": "eval(\n  b)",
            "range": {"byteOffset": {"start": 39, "end": 49},
                      "start": {"line": 3, "column": 4}, "end": {"line": 4, "column": 4}},
            "file": "src/code.py", "lines": "foo(eval(\n  b))",
            "charCount": {"leading": 4, "trailing": 1},
            "replacement": "safe(b)", "replacementOffsets": {"start": 39, "end": 49},
            "language": "Python",
            "metaVariables": {
                "single": {"A": {"text": "b", "range": {
                    "byteOffset": {"start": 47, "end": 48},
                    "start": {"line": 4, "column": 2}, "end": {"line": 4, "column": 3}}}},
                "multi": {}, "transformed": {}},
            "ruleId": "no-eval", "severity": "warning",
            "note": "eval runs whatever it is given", "message": "no eval of b",
            "labels": [{"text": "eval(\n  b)", "range": last["range"], "style": "primary"}]})
        self.assertEqual([m["text"] for m in findings[1]["metaVariables"]["multi"]["A"]],
                         ["1", ",", "2"])
        self.assertIsNone(findings[1]["note"])
        stream = self.run_cli("scan", "--json=stream", exits=1).stdout.splitlines()
        self.assertEqual([json.loads(line) for line in stream], findings)
        for style in ([], ["--json"], ["--format", "json"]):
            if style:
                self.assertEqual(json.loads(self.run_cli("scan", *style, exits=1).stdout), findings)
        weighed = self.scan_json("--include-metadata", exits=1)
        self.assertEqual(weighed[0]["metadata"], {"weight": 3, "tags": ["security"]})

    def test_json_of_nothing_is_an_empty_list(self):
        self.project(code="x = 1\n")
        for style in ("pretty", "compact"):
            done = self.run_cli("scan", f"--json={style}")
            self.assertEqual(json.loads(done.stdout), [])
        self.assertEqual(self.run_cli("scan", "--json=stream").stdout, b"")

    def test_github_annotations_escape_what_would_begin_a_command(self):
        self.project(code='eval("a%\nb")\nprint(1)\n')
        self.write("src/a,b:c.py", "eval('''x\ny''')\n")
        lines = self.run_cli("scan", "--format", "github", exits=1).stdout.decode().splitlines()
        self.assertEqual(lines[0], "::warning file=src/a%2Cb%3Ac.py,line=1,endLine=2,"
                                   "title=no-eval::no eval of '''x%0Ay'''")
        self.assertIn("::error file=src/code.py,line=3,endLine=3,title=no-print::no print", lines)
        self.assertFalse([line for line in lines if not line.startswith("::")])

    def test_severities_can_be_changed(self):
        self.project()
        ids = lambda *flags, exits: [f["ruleId"] for f in self.scan_json(*flags, exits=exits)]
        self.assertEqual(ids("--off=no-print", exits=0).count("no-print"), 0)
        self.assertEqual(ids("--off", "--hint=no-print", exits=0), ["no-print"])
        self.assertEqual({f["severity"] for f in self.scan_json("--error", exits=1)}, {"error"})
        self.assertEqual(ids("--off", "--error=hint-foo", exits=1), ["hint-foo"])
        self.assertEqual(ids("--filter", "^hint", exits=0), ["hint-foo"])
        self.assertIn(b"no rule 'nope'", self.run_cli("scan", "--error=nope", exits=2).stderr)
        self.run_cli("scan", "--filter", "(", exits=2)

    def test_one_pattern_needs_no_project(self):
        self.write("a.py", CODE)
        done = self.run_cli("scan", "--pattern", "eval($A)", "--lang", "py", "--format", "short")
        self.assertEqual(done.stdout.decode(), "a.py:2:1: eval(print(1, 2))\n"
                         "a.py:3:1: eval(a)\na.py:4:5: foo(eval(\n")
        self.run_cli("scan", "--pattern", "nothing($A)", "--lang", "py", exits=1)
        self.run_cli("scan", "--pattern", "eval($A)", "--lang", "py", "--rewrite", "safe($A)",
                     "--fix")
        self.assertEqual((self.home / "a.py").read_text(),
                         "import x\nsafe(print(1, 2))\nsafe(a)\nfoo(safe(b))\n")
        self.assertIn(b"needs a --lang", self.run_cli("scan", "--pattern", "x", exits=2).stderr)
        self.run_cli("scan", "--pattern", "x", "--lang", "klingon", exits=2)

    def test_a_query_shows_how_it_is_understood(self):
        query = ["scan", "--pattern", "eval($A)", "--lang", "py"]
        text = self.run_cli(*query, "--debug-query").stdout.decode()
        self.assertEqual(text.splitlines(), ["Debug Pattern:", "call", "  identifier eval",
                                             "  argument_list", "    (", "    MetaVar $A", "    )"])
        tree = self.run_cli("scan", "--pattern", "f(x)", "--lang", "py", "--debug-query=sexp")
        self.assertIn(b"(call (identifier) (argument_list (identifier)))", tree.stdout)
        for form in ("ast", "cst"):
            self.assertIn(b"argument_list (0,1)-(0,4)",
                          self.run_cli("scan", "--pattern", "f(x)", "--lang", "py",
                                       f"--debug-query={form}").stdout)
        self.run_cli("scan", "--debug-query", exits=2)

    def test_standard_input(self):
        self.write("one.yml", RULES)
        findings = self.scan_json("--rule", "one.yml", "--stdin", stdin=CODE, exits=1)
        self.assertEqual({f["file"] for f in findings}, {"STDIN"})
        self.assertEqual(len(findings), 5)
        fixed = self.run_cli("scan", "--rule", "one.yml", "--stdin", "--fix", stdin="eval(1)\n")
        self.assertEqual(fixed.stdout, b"safe(1)\n")
        self.write("two.yml", RULES + "---\nid: c\nlanguage: c\nrule: {pattern: f()}\n")
        self.run_cli("scan", "--rule", "two.yml", "--stdin", stdin=CODE, exits=3)
        self.scan_json("--rule", "two.yml", "--stdin", "--lang", "python", stdin=CODE, exits=1)
        self.assertIn(b"not UTF-8", self.run_cli("scan", "--rule", "one.yml", "--stdin",
                                                 stdin=b"\xff", exits=7).stderr)

    def test_every_thread_count_prints_the_same(self):
        self.project()
        for i in range(120):
            self.write(f"src/d{i % 7}/f{i}.py", CODE * (1 + i % 5))
        first = self.run_cli("scan", "--threads", 1, "--json=stream", exits=1).stdout
        self.assertEqual(len(first.splitlines()), 5 + 5 * sum(1 + i % 5 for i in range(120)))
        for threads in (2, 3, 8):
            again = self.run_cli("scan", "-j", threads, "--json=stream", exits=1).stdout
            self.assertEqual(again, first, threads)
        files = [json.loads(line)["file"].split("/") for line in first.splitlines()]
        self.assertEqual(files, sorted(files))

    def test_what_git_ignores_is_not_scanned(self):
        self.project()
        (self.home / ".git").mkdir()
        self.write(".gitignore", "build/\n*.gen.py\n!keep.gen.py\n")
        for name in ("build/a.py", "src/x.gen.py", "src/keep.gen.py", ".venv/a.py"):
            self.write(name, "print(1)\n")
        found = {f["file"] for f in self.scan_json(exits=1)}
        self.assertEqual(found, {"src/code.py", "src/keep.gen.py"})
        every = {f["file"] for f in self.scan_json("--no-ignore", "vcs", "--no-ignore", "hidden",
                                                   exits=1)}
        self.assertEqual(every, found | {"build/a.py", "src/x.gen.py", ".venv/a.py"})
        self.assertEqual({f["file"] for f in self.scan_json("build", exits=1)}, {"build/a.py"})
        listed = self.run_cli("scan", "--files-with-matches", exits=1).stdout.decode().split()
        self.assertEqual(listed, ["src/code.py", "src/keep.gen.py"])

    def test_rules_choose_files_from_the_projects_root(self):
        self.project(rules='id: x\nlanguage: python\nfiles: ["src/**"]\nignores: ["**/no.py"]\n'
                           "rule: {pattern: foo($A)}\n", code="foo(1)\n")
        for name in ("src/no.py", "other.py"):
            self.write(name, "foo(1)\n")
        self.assertEqual({f["file"] for f in self.scan_json()}, {"src/code.py"})
        inside = self.scan_json(cwd=self.home / "src")
        self.assertEqual({f["file"] for f in inside}, {"code.py"})
        absolute = self.scan_json(self.home)
        self.assertEqual({f["file"] for f in absolute}, {str(self.home / "src/code.py")})

    # ---- fixing ------------------------------------------------------------------------------

    def test_fixes_keep_mode_line_ends_and_mark(self):
        self.project(code=b"\xef\xbb\xbfeval(1)\r\nx = 1\r\neval(2)")
        path = self.home / "src/code.py"
        path.chmod(0o751)
        done = self.run_cli("scan", "--fix")
        self.assertEqual(path.read_bytes(), b"\xef\xbb\xbfsafe(1)\r\nx = 1\r\nsafe(2)")
        self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o751)
        self.assertIn(b"2 fixed in 1", done.stderr)
        self.assertEqual(list(self.home.rglob("*.partial*")), [])

    def test_new_lines_of_a_fix_take_the_files_form(self):
        self.project(rules="id: x\nlanguage: python\nrule: {pattern: one()}\nfix: |-\n  two()\n"
                           "  three()\n", code=b"one()\r\nz\r\n")
        self.run_cli("scan", "--fix")
        self.assertEqual((self.home / "src/code.py").read_bytes(), b"two()\r\nthree()\r\nz\r\n")

    def test_overlapping_fixes_are_refused_and_named(self):
        self.project(code="eval(eval(1))\n")
        done = self.run_cli("scan", "--fix", exits=7)
        self.assertEqual((self.home / "src/code.py").read_text(), "safe(eval(1))\n")
        self.assertIn(b"src/code.py: not fixed: no-eval at 1:6 overlaps", done.stderr)

    def test_a_fix_that_breaks_the_code_is_rolled_back(self):
        self.project(rules=RULES.replace("fix: safe($A)", "fix: 'safe($A'") + "---\nid: good\n"
                           "language: python\nrule: {pattern: bar()}\nfix: baz()\n",
                     code="x = eval(1)\nbar()\n")
        done = self.run_cli("scan", "--fix", exits=7)
        self.assertEqual((self.home / "src/code.py").read_text(), "x = eval(1)\nbaz()\n")
        self.assertIn(b"no-eval at 1:5 would leave code that does not parse", done.stderr)

    def test_code_that_did_not_parse_before_may_be_fixed(self):
        self.project(code="def broken(:\n    pass\n\nx = eval(1)\n")
        self.run_cli("scan", "--fix")
        self.assertIn("safe(1)", (self.home / "src/code.py").read_text())

    def test_a_link_is_written_through(self):
        self.project(code="x = 1\n")
        target = self.write("elsewhere/real.py", "eval(1)\n")
        link = self.home / "src/link.py"
        link.symlink_to(target)
        self.run_cli("scan", "--fix", "src/link.py")
        self.assertTrue(link.is_symlink())
        self.assertEqual(target.read_text(), "safe(1)\n")

    def test_interactive(self):
        code = "eval(1)\neval(2)\neval(3)\neval(4)\n"
        answers = {"y\nn\ny\nq\n": "safe(1)\neval(2)\nsafe(3)\neval(4)\n",
                   "n\na\n": "eval(1)\nsafe(2)\nsafe(3)\nsafe(4)\n",
                   "y\n": "safe(1)\neval(2)\neval(3)\neval(4)\n",
                   "what\ny\nq\n": "safe(1)\neval(2)\neval(3)\neval(4)\n",
                   "": code}
        for keys, expected in answers.items():
            self.project(code=code)
            done = self.run_cli("scan", "--interactive", stdin=keys)
            self.assertEqual((self.home / "src/code.py").read_text(), expected, keys)
            self.assertIn(b"   1 - eval(1)\n   1 + safe(1)\n", done.stdout)
        self.project(code=code)
        editor = self.write("editor.sh", "#!/bin/sh\necho \"$@\" > \"$HOME/edited\"\n")
        editor.chmod(0o755)
        self.run_cli("scan", "-i", stdin="y\ne\n", environment={"VISUAL": f"{editor} --wait"})
        self.assertEqual((self.home / "edited").read_text(), "--wait +2 src/code.py\n")
        self.assertEqual((self.home / "src/code.py").read_text(),
                         "safe(1)\neval(2)\neval(3)\neval(4)\n")

    # ---- rules that are wrong ----------------------------------------------------------------

    def test_exit_statuses_without_rules(self):
        self.assertIn(b"bundled rules", self.run_cli("scan").stderr)
        self.assertIn(b"no sgconfig.yml", self.run_cli("test", exits=3).stderr)
        self.run_cli("scan", "--config", "none.yml", exits=6)
        self.run_cli("scan", "--rule", "none.yml", exits=6)
        self.write("sgconfig.yml", "ruleDirs: [nowhere]\n")
        self.assertIn(b"nowhere", self.run_cli("scan", exits=6).stderr)
        self.write("sgconfig.yml", "ruleDirs: {")
        self.assertIn(b"sgconfig.yml:", self.run_cli("scan", exits=8).stderr)
        self.run_cli("scan", "--nonsense", exits=2)
        self.run_cli(exits=2)

    def test_a_wrong_rule_stops_no_other(self):
        self.project()
        self.write("rules/bad.yml", "id: bad\nlanguage: python\nrule: {kind: no_such_kind}\n")
        self.write("rules/worse.yml", "id: [\n")
        done = self.run_cli("scan", "--json=stream", exits=8)
        self.assertEqual(len(done.stdout.splitlines()), 5)
        self.assertIn(b"rules/bad.yml:3:", done.stderr)
        self.assertIn(b"'bad'", done.stderr)
        self.assertIn(b"rules/worse.yml:", done.stderr)

    # ---- bad input ---------------------------------------------------------------------------

    def test_skipped_files_are_named_and_the_status_tells(self):
        self.project(code="foo(1)\n")
        self.write("src/latin.py", b"x = '\xe4'\n")
        self.write("src/binary.py", bytes(range(256)) * 40)
        self.write("src/zero.py", b"")
        done = self.run_cli("scan", "--json=stream", exits=7)
        self.assertEqual(len(done.stdout.splitlines()), 1)
        self.assertIn(b"skipped: src/binary.py (binary)", done.stderr)
        self.assertIn(b"skipped: src/latin.py (not UTF-8: invalid at byte 5)", done.stderr)
        self.assertIn(b"2 skipped", done.stderr)

    def test_a_file_over_the_limit_is_not_even_read(self):
        self.project(code="foo(1)\n")
        with open(self.home / "src/huge.py", "wb") as huge:
            huge.truncate(100 * 1000 * 1000)
        started = time.monotonic()
        done = self.run_cli("scan", exits=7)
        self.assertIn(b"src/huge.py (too large: 100000000 bytes, the limit is", done.stderr)
        self.assertLess(time.monotonic() - started, 60)
        done = self.run_cli("scan", "--max-file-size", 3, exits=7)
        self.assertIn(b"src/code.py (too large: 7 bytes, the limit is 3)", done.stderr)

    def test_a_minified_line(self):
        self.project(code="")
        calls = ";".join(f"eval(a{i})" for i in range(6_000))
        self.write("src/min.py", calls + "\n")
        findings = self.scan_json()
        self.assertEqual(len(findings), 6_000)
        self.assertEqual(findings[-1]["range"]["start"]["column"], len(calls) - len("eval(a5999)"))
        for finding in (findings[0], findings[3_000], findings[-1]):
            leading = finding["charCount"]["leading"]
            self.assertLess(len(finding["lines"]), 40_000)
            self.assertEqual(finding["lines"][leading:].find(finding["text"]), 0)
        text = self.run_cli("scan", "--off", "--hint=no-eval").stdout.decode()
        self.assertLess(max(map(len, text.splitlines())), 400)

    def test_line_ends_mark_and_wide_characters(self):
        self.project(code="\ufeffeval(1)\r\nx = 'äöü€😀'; eval(2)\r\n")
        findings = self.scan_json()
        self.assertEqual([f["range"]["start"] for f in findings],
                         [{"line": 0, "column": 1}, {"line": 1, "column": 13}])
        self.assertEqual(findings[1]["lines"], "x = 'äöü€😀'; eval(2)\r")
        self.assertEqual(findings[1]["charCount"], {"leading": 13, "trailing": 1})

    def test_no_escape_sequence_passes(self):
        self.project(code="eval('\x1b[31mred\x07')\n")
        self.write("src/\x1b[2J.py", "eval(1)\n")
        done = self.run_cli("scan")
        self.assertNotIn(b"\x1b", done.stdout + done.stderr)
        self.assertNotIn(b"\x1b", self.run_cli("scan", "--format", "short").stdout)
        self.assertNotIn(b"\x1b", self.run_cli("scan", "--interactive", stdin="q\n").stdout)

    @unittest.skipIf(os.geteuid() == 0 and not shutil.which("setpriv"),
                     "root reads everything, and there is no setpriv to be another")
    def test_unreadable_files_and_folders(self):
        self.project(code="foo(1)\n")
        self.write("src/secret.py", "foo(1)\n").chmod(0)
        self.write("src/locked/a.py", "foo(1)\n")
        (self.home / "src/locked").chmod(0)
        self.addCleanup((self.home / "src/locked").chmod, 0o755)
        command = [BINARY, "rules", "scan", "--json=stream"]
        if os.geteuid() == 0:
            self.home.chmod(0o755)
            command = ["setpriv", "--reuid=65534", "--clear-groups", "--bounding-set=-all",
                       "--inh-caps=-all", *command]
        done = subprocess.run(command, capture_output=True, cwd=self.home, env=self.environment,
                              timeout=100, check=False)
        self.assertEqual(done.returncode, 7, done.stderr)
        self.assertEqual(len(done.stdout.splitlines()), 1, "the run goes on")
        self.assertIn(b"skipped: src/secret.py (unreadable: Permission denied)", done.stderr)
        self.assertIn(b"skipped: src/locked (unreadable: Permission denied)", done.stderr)

    def test_links_that_go_in_circles(self):
        self.project(code="foo(1)\n")
        (self.home / "src/loop").symlink_to("..")
        (self.home / "src/self.py").symlink_to("self.py")
        self.assertEqual(len(self.scan_json()), 1)
        done = self.run_cli("scan", "--follow", "--json=stream", exits=7)
        self.assertEqual(len(done.stdout.splitlines()), 1)
        self.assertIn(b"src/loop (link loop", done.stderr)
        self.assertIn(b"src/self.py (link loop", done.stderr)
        self.assertIn(b"No such file", self.run_cli("scan", "nowhere", exits=7).stderr)

    def test_a_file_that_is_written_to_all_the_time(self):
        self.project(code="foo(1)\n")
        path = self.home / "src/busy.py"
        writer = subprocess.Popen([sys.executable, "-c", "import sys\nwhile True:\n"
                                   " for n in (900001, 700000):\n"
                                   "  open(sys.argv[1], 'w').write('foo(1)\\n' * (n // 7))",
                                   str(path)])
        try:
            for _ in range(5):
                done = subprocess.run([BINARY, "rules", "scan", "--fix"], cwd=self.home,
                                      env=self.environment, capture_output=True, timeout=100,
                                      check=False)
                self.assertIn(done.returncode, (0, 7), done.stderr)
        finally:
            writer.kill()
            writer.wait()

    def test_ctrl_c_ends_soon_and_leaves_no_half_file(self):
        self.project()
        code = "eval(a)\n" * 2000
        for i in range(400):
            self.write(f"src/f{i:03}.py", code)
        child = subprocess.Popen([BINARY, "rules", "scan", "--fix", "--format", "short"],
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=self.home,
                                 env=self.environment)
        child.stdout.read(1)
        child.send_signal(signal.SIGINT)
        _, messages = child.communicate(timeout=100)
        self.assertIn(child.returncode, (1, 130), messages)
        fixed = code.replace("eval", "safe")
        states = [(self.home / f"src/f{i:03}.py").read_text() for i in range(400)]
        self.assertTrue(all(state in (code, fixed) for state in states))
        self.assertEqual(child.returncode, 130, "400 files were fixed before the signal came")
        self.assertEqual(list(self.home.rglob("*.partial*")), [])

    def test_a_closed_pipe_ends_the_run(self):
        self.project(code="foo(1)\n" * 100)
        for i in range(50):
            self.write(f"src/f{i}.py", "foo(1)\n" * 100)
        done = subprocess.run(["sh", "-c", f"'{BINARY}' rules scan --json=stream | head -c 10"],
                              capture_output=True, cwd=self.home, env=self.environment,
                              timeout=100, check=False)
        self.assertEqual(len(done.stdout), 10)

    # ---- test, new, list, explain ------------------------------------------------------------

    def test_tests_and_snapshots(self):
        self.project()
        self.write("rule-tests/no-eval-test.yml", "id: no-eval\nvalid: ['safe(1)', 'eval(9)']\n"
                                                  "invalid: ['eval(1)', 'foo(1)']\n")
        run = lambda *flags, exits: json.loads(self.run_cli("test", "--json", *flags,
                                                            exits=exits).stdout)
        first = run(exits=4)
        self.assertEqual(list(first), ["rules", "cases", "failures"])
        self.assertEqual(first["rules"], {"loaded": 3, "failed": 0})
        self.assertEqual(first["cases"], {"passed": 2, "failed": 2})
        self.assertEqual([(f["rule"], f["kind"], f["code"]) for f in first["failures"]],
                         [("no-eval", "noisy", "eval(9)"), ("no-eval", "missing", "foo(1)")])
        self.assertIn(b"1 rules have no snapshots", self.run_cli("test", exits=4).stderr)
        self.assertEqual(run("--skip-snapshot-tests", exits=4)["cases"],
                         {"passed": 2, "failed": 2})
        self.write("rule-tests/no-eval-test.yml", "id: no-eval\nvalid: ['safe(1)']\n"
                                                  "invalid: ['eval(1)', \"eval('''a\\nb''')\"]\n")
        text = self.run_cli("test", "--update-all").stdout.decode()
        self.assertIn("PASS no-eval  .UU", text)
        self.assertEqual(run(exits=0)["cases"], {"passed": 3, "failed": 0})
        grown = self.write("rule-tests/more.yml", "id: no-eval\ninvalid: ['eval(2)']\n")
        self.assertEqual([(f["kind"], f["code"]) for f in run(exits=4)["failures"]],
                         [("no_snapshot", "eval(2)")])
        grown.unlink()
        self.write("rules/all.yml", RULES.replace("safe($A)", "sane($A)"))
        changed = run(exits=4)["failures"][0]
        self.assertEqual(changed["kind"], "different")
        self.assertIn('fixed: "safe(1)"', changed["expected"])
        self.assertIn('fixed: "sane(1)"', changed["actual"])
        self.assertEqual(run("--filter", "print", exits=0)["cases"], {"passed": 0, "failed": 0})
        self.write("rule-tests/other.yml", "id: nothing\nvalid: [a]\ninvalid: []\n")
        self.assertEqual(run("--filter", "nothing", exits=4)["failures"][0]["kind"], "no_rule")

    def test_new(self):
        self.run_cli("new", "rule", "x", "--lang", "python", exits=3)
        self.run_cli("new", "project")
        self.run_cli("new", "project", exits=17)
        self.run_cli("new", "rule", "no-x", "--lang", "python")
        self.run_cli("new", "rule", "no-x", "--lang", "python", exits=17)
        self.run_cli("new", "rule", "no-y", exits=2)
        self.run_cli("new", "rule", "../no-y", "--lang", "c", exits=2)
        self.run_cli("new", "test", "no-x")
        self.run_cli("new", "util", "is-x", "-l", "js")
        self.run_cli("test", "--update-all")
        self.run_cli("test")
        self.write("a.py", "your_function(1)\n")
        self.assertEqual(len(self.scan_json()), 1)

    def test_list(self):
        self.project()
        rules = json.loads(self.run_cli("list", "--json").stdout)["rules"]
        self.assertEqual([(r["id"], r["language"], r["severity"], r["fixes"]) for r in rules],
                         [("no-eval", "python", "warning", 1), ("no-print", "python", "error", 0),
                          ("hint-foo", "python", "hint", 0)])
        self.assertEqual(rules[0]["file"], str(self.home / "rules/all.yml")
                         if os.path.isabs(rules[0]["file"]) else rules[0]["file"])
        self.assertIn(b"no-eval (fix)", self.run_cli("list").stdout)
        languages = json.loads(self.run_cli("list", "--languages", "--json").stdout)["languages"]
        self.assertIn("python", {language["name"] for language in languages})

    def test_explain(self):
        self.project(rules="id: deep\nlanguage: python\nrule:\n  pattern: eval($A)\n  inside:\n"
                           "    kind: function_definition\n    stopBy: end\n"
                           "  not: {regex: 'eval\\(1\\)'}\n",
                     code="def f():\n    eval(1)\n    eval(2)\neval(3)\n")
        explain = lambda line: self.run_cli("explain", "deep",
                                            f"src/code.py:{line}").stdout.decode()
        self.assertIn("✓ call `eval(2)` at 3:5", explain(3))
        self.assertIn("$A = `2`", explain(3))
        self.assertIn("1 of 1 nodes on line 3 match deep.", explain(3))
        self.assertIn("✗ call `eval(1)` at 2:5", explain(2))
        self.assertRegex(explain(2), r"✗ not")
        self.assertRegex(explain(4), r"✗ inside")
        self.assertRegex(explain(1), r"0 of 0 nodes on line 1 match deep")
        self.run_cli("explain", "nope", "src/code.py:1", exits=2)
        self.run_cli("explain", "deep", "src/code.py", exits=2)
        self.run_cli("explain", "deep", "src/code.py:99", exits=2)
        self.run_cli("explain", "deep", "none.py:1", exits=6)

    def test_help_has_examples(self):
        for command in ([], ["scan"], ["test"], ["new"], ["list"], ["explain"]):
            text = self.run_cli(*command, "--help").stdout.decode()
            self.assertTrue(re.search(r"Examples?:\n  tinyarms rules", text), command)


if __name__ == "__main__":
    BINARY = str(pathlib.Path(sys.argv.pop(1)).resolve())
    unittest.main(verbosity=1)
