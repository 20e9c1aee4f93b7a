#!/usr/bin/env python3
"""upstream_forms.py TINYARMS: the scorers of benchmarks whose data cannot be had everywhere, on the
bundled functions written in upstream's formats. Right samples must all pass; empty ones and
mutants, none. Exit status 77 where nothing may run here."""

import ast
import base64
import json
import os
import pickle
import subprocess
import sys
import tempfile
import zlib
from pathlib import Path

FUNCTIONS = Path(__file__).resolve().parent.parent / "src/eval/tasks/tiny/functions.json"


class Function:
    """One of the bundled functions, and what its tests call it with."""

    def __init__(self, row):
        self.signature = row["signature"]
        self.name = self.signature.split("(")[0]
        self.statement = row["statement"]
        body = row["solution"].replace("\n", "\n    ")
        self.body = f"    {body}\n"
        self.code = f"def {self.signature}:\n{self.body}"
        self.calls = []
        for test in row["tests"]:
            call = next((node for node in ast.walk(ast.parse(test)) if isinstance(node, ast.Call)
                         and isinstance(node.func, ast.Name) and node.func.id == self.name), None)
            if call is not None:
                arguments = [ast.literal_eval(argument) for argument in call.args]
                self.calls.append((arguments, self.run(arguments)))

    def run(self, arguments):
        scope = {}
        exec(self.code, scope)  # our own data
        return scope[self.name](*json.loads(json.dumps(arguments)))

    def mutants(self):
        """Bodies that give something else: nothing, the first result always, the last argument, a
        list."""
        yield "    return None\n"
        yield f"    return {self.calls[0][1]!r}\n"
        first = self.signature.split("(")[1].rstrip(")").split(",")[-1].split("=")[0].strip()
        if first:
            yield f"    return {first}\n"
        yield "    return [0]\n"

    def wrong_bodies(self):
        """The mutants whose results differ from the right ones on the inputs at hand."""
        for body in self.mutants():
            scope = {}
            try:
                exec(f"def {self.signature}:\n{body}", scope)
                same = all(scope[self.name](*arguments) == result
                           for arguments, result in self.calls)
            except Exception:  # a mutant may fail in any way
                same = False
            if not same:
                yield body


def plain(value):
    """Whether JSON and back leaves it as it was."""
    return json.loads(json.dumps(value)) == value and not isinstance(value, tuple)


class Bench:
    def __init__(self, tinyarms, folder):
        self.tinyarms, self.folder, self.failed = tinyarms, Path(folder), False

    def data(self, name, rows):
        path = self.folder / "data" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))

    def score(self, task, samples, key):
        """Verdicts in the order of the samples [(task_id, text)]."""
        given, out = self.folder / "samples.jsonl", self.folder / "verdicts.jsonl"
        given.write_text("".join(json.dumps({"task_id": name, key: text}) + "\n"
                                 for name, text in samples))
        done = subprocess.run([self.tinyarms, "bench", "score", "--task", task, "--data",
                               str(self.folder / "data"), "--samples", str(given), "--output",
                               str(out)], text=True, capture_output=True)
        if done.returncode != 0:
            sys.exit(f"{task}: {done.stderr}")
        return [json.loads(line) for line in out.read_text().splitlines()]

    def expect(self, task, right, wrong, key="solution"):
        for what, samples, wanted in (("right", right, True), ("wrong", wrong, False)):
            verdicts = self.score(task, samples, key)
            if verdicts and all(str(v["reason"]).startswith("not measured") for v in verdicts):
                print(f"{task}: NOT RUN: {verdicts[0]['reason']}")
                return
            good = sum(verdict["correct"] is wanted for verdict in verdicts)
            print(f"{task}: {good} of {len(samples)} {what} samples judged as they should")
            for sample, verdict in zip(samples, verdicts):
                if verdict["correct"] is not wanted:
                    self.failed = True
                    print(f"  {sample[0]}: {verdict['reason']}\n{sample[1]}")


def humaneval_plus(bench, functions):
    bench.data("humaneval/HumanEvalPlus.jsonl", [
        {"task_id": f"HumanEval/{number}", "entry_point": each.name, "atol": 0,
         "prompt": f"def {each.signature}:\n    \"\"\"{each.statement}\"\"\"\n",
         "canonical_solution": each.body,
         "base_input": [arguments for arguments, _ in each.calls[:1]],
         "plus_input": [arguments for arguments, _ in each.calls[1:]]}
        for number, each in enumerate(functions)])
    bench.expect("humaneval_plus",
                 [(f"HumanEval/{n}", each.code) for n, each in enumerate(functions)],
                 [(f"HumanEval/{n}", f"def {each.signature}:\n{body}")
                  for n, each in enumerate(functions) for body in each.wrong_bodies()] +
                 [(f"HumanEval/{n}", "") for n in range(len(functions))])
    bench.expect("humaneval_plus",
                 [(f"HumanEval/{n}", each.body) for n, each in enumerate(functions)],
                 [(f"HumanEval/{n}", "    pass\n") for n in range(len(functions))], "completion")


def cruxeval(bench, functions):
    rows, right_output, right_input, wrong_output, wrong_input = [], [], [], [], []
    for number, each in enumerate(functions):
        arguments, result = each.calls[0]
        text, name = ", ".join(map(repr, arguments)), f"sample_{number}"
        rows.append({"id": name, "code": each.code.replace(f"{each.name}(", "f("),
                     "input": text, "output": repr(result)})
        right_output += [(name, f"[ANSWER]{result!r}[/ANSWER]"),
                         (name, f"So:\n```python\nassert f({text}) == {result!r}\n```")]
        right_input += [(name, f"[ANSWER]f({text})[/ANSWER]"), (name, f"[ANSWER]{text}[/ANSWER]")]
        wrong_output += [(name, ""), (name, f"[ANSWER]f({text})[/ANSWER]"),
                         (name, f"[ANSWER][{result!r}, 1][/ANSWER]"),
                         (name, "[ANSWER]1 +[/ANSWER]")]
        wrong_input += [(name, ""), (name, "[ANSWER]f()[/ANSWER]"), (name, "no idea")]
    bench.data("cruxeval/cruxeval.jsonl", rows)
    bench.expect("cruxeval_output", right_output, wrong_output)
    bench.expect("cruxeval_input", right_input, wrong_input)


def packed(tests):
    """Private tests as upstream packs them."""
    return base64.b64encode(zlib.compress(pickle.dumps(json.dumps(tests)))).decode()


def livecodebench(bench, functions):
    rows, right, wrong = [], [], []
    for number, each in enumerate(functions):
        calls = [(arguments, result) for arguments, result in each.calls
                 if plain(arguments) and plain(result)]
        if not calls:
            continue
        functional = number % 2 == 0
        tests = [{"input": ("\n" if functional else " ; ").join(map(json.dumps, arguments)),
                  "output": json.dumps(result),
                  "testtype": "functional" if functional else "stdin"}
                 for arguments, result in calls]
        name = f"q{number}"
        starter = f"class Solution:\n    def {each.name}(self, *given):\n        " \
            if functional else ""
        rows.append({"question_id": name, "question_content": each.statement,
                     "contest_date": f"2024-{1 + number % 12:02}-01T00:00:00",
                     "difficulty": "easy", "starter_code": starter,
                     "public_test_cases": json.dumps(tests[:1]),
                     "private_test_cases": packed(tests[1:]),
                     "metadata": json.dumps({"func_name": each.name} if functional else {})})

        def program(code, each=each, functional=functional):
            if functional:
                return (f"{code}\nclass Solution:\n    def {each.name}(self, *given):\n"
                        f"        return {each.name}(*given)\n")
            return (f"{code}\nimport json\ngiven = [json.loads(part) for part in "
                    f"input().split(' ; ') if part]\nprint(json.dumps({each.name}(*given)))\n")
        right.append((name, f"```python\n{program(each.code)}```"))
        wrong.append((name, ""))
        for body in each.wrong_bodies():
            code = f"def {each.signature}:\n{body}"
            scope = {}
            exec(code, scope)
            try:
                same = all(json.dumps(scope[each.name](*arguments)) == json.dumps(result)
                           for arguments, result in calls)
            except Exception:  # a mutant may fail in any way
                same = False
            if not same:
                wrong.append((name, program(code)))
    bench.data("livecodebench/test.jsonl", rows)
    bench.expect("livecodebench", right, wrong)


# prompt, right body, tests; a wrong body is made by another operator.
MULTIPL_E = {
    "cpp": ("humaneval_cpp", "#include <assert.h>\n#include <bits/stdc++.h>\n// {0}\n"
            "long {1}(long a, long b) {{\n", "    return {2};\n}}\n",
            "}}\nint main() {{\n    auto candidate = {1};\n{3}}}\n",
            "    assert(candidate(({0}), ({1})) == ({2}));\n"),
    "java": ("humaneval_java", "import java.util.*;\nclass Problem {{\n    // {0}\n"
             "    public static long {1}(long a, long b) {{\n", "        return {2};\n    }}\n",
             "    }}\n    public static void main(String[] args) {{\n{3}    }}\n\n}}\n",
             "    assert(add_({0}l, {1}l) == ({2}l));\n"),
    "js": ("humaneval_javascript", "//{0}\nfunction {1}(a, b){{\n", "    return {2};\n}}\n",
           "const assert = require('node:assert');\n\n\nfunction test() {{\n"
           "  let candidate = {1};\n{3}}}\n\ntest();",
           "  assert.deepEqual(candidate({0}, {1}),{2});\n"),
    "ts": ("humaneval_typescript", "//{0}\nfunction {1}(a: number, b: number): number {{\n",
           "    return {2};\n}}\n",
           "declare var require: any;\nconst assert = require('node:assert');\n\n\n"
           "function test() {{\n  let candidate = {1};\n{3}}}\n\ntest();",
           "  assert.deepEqual(candidate({0}, {1}),{2});\n"),
    "go": ("humaneval_go", "package {1}_test\n\nimport (\n    \"testing\"\n    \"fmt\"\n)\n\n"
           "// {0}\nfunc {1}(a int, b int) int {{\n", "    return {2}\n}}\n",
           "func Test_{1}(t *testing.T) {{\n  candidate := {1}\n\ttype test struct {{\n"
           "\t\tactual   interface{{}}\n\t\texpected interface{{}}\n\t}}\n   tests := []test{{\n"
           "{3}   }}\n\n\tfor i, tc := range tests {{\n\t\tt.Run(fmt.Sprintf(\"test num % d\", i), "
           "func(t *testing.T) {{\n\t\t\tif fmt.Sprintf(\"%v\", tc.actual) != "
           "fmt.Sprintf(\"%v\", tc.expected) {{\n\t\t\t\tt.Errorf(\"expected '%s', got '%s'\", "
           "tc.expected, tc.actual)\n\t\t\t}}\n\t\t}})\n\t}}\n}}\n",
           "     {{ actual: candidate({0}, {1}), expected: {2} }},\n"),
    "rs": ("humaneval_rust", "/// {0}\nfn {1}(a: isize, b: isize) -> isize {{\n",
           "    {2}\n}}\n", "}}\n\nfn main() {{\n    let candidate = {1};\n{3}}}\n",
           "    assert_eq!(candidate({0}, {1}), {2});\n"),
}
FORMULAS = [("a * b + 1", "a * b"), ("(a - b) * (a - b)", "a - b")]


def multipl_e(bench):
    for upstream, (task, prompt, body, tests, test) in MULTIPL_E.items():
        rows, right, wrong = [], [], []
        for number, (formula, other) in enumerate(FORMULAS):
            name, function = f"HumanEval_{number}_sum", f"formula{number}"
            calls = [(2, 1), (7, 3), (0, 5)]
            lines = "".join(test.format(a, b, eval(formula, {"a": a, "b": b}))
                            .replace("add_", function) for a, b in calls)
            say = [f"Calculates {formula}", function]
            rows.append({"name": name, "language": upstream, "prompt": prompt.format(*say),
                         "tests": tests.format(*say, "", lines)})
            text = prompt.format(*say)
            end = "}\n" if upstream == "java" else ""
            right += [(name, f"```\n{text}{body.format(*say, formula)}{end}```")]
            wrong += [(name, f"```\n{text}{body.format(*say, other)}{end}```"), (name, ""),
                      (name, "Sorry, I cannot."), (name, "```\n" + text + "```")]
        bench.data(f"multipl_e/humaneval-{upstream}.jsonl", rows)
        bench.expect(task, right, wrong)


def main():
    functions = [Function(row) for row in json.loads(FUNCTIONS.read_text())]
    functions = [each for each in functions if each.calls]
    with tempfile.TemporaryDirectory() as folder:
        os.environ.update(XDG_DATA_HOME=folder, XDG_CACHE_HOME=folder, XDG_CONFIG_HOME=folder)
        bench = Bench(sys.argv[1], folder)
        bench.data("cruxeval/cruxeval.jsonl", [{"id": "s", "code": "def f():\n    return 1\n",
                                                "input": "", "output": "1"}])
        verdict = bench.score("cruxeval_output", [("s", "1")], "solution")[0]
        if str(verdict["reason"]).startswith("not measured"):
            print(f"SKIPPED: {verdict['reason']}")
            sys.exit(77)
        humaneval_plus(bench, functions)
        cruxeval(bench, functions)
        livecodebench(bench, functions)
        multipl_e(bench)
    sys.exit(1 if bench.failed else 0)


if __name__ == "__main__":
    main()
