"""retrieval_sets.py stdlib|cosqa OUT [DATA]: writes OUT/corpus.jsonl and OUT/queries.jsonl.

stdlib: every function of this Python's standard library that has a docstring. A query is the first
sentence of a docstring, its document the function without the docstring. cosqa: DATA/cosqa as
upstream has it. Queries are split in halves by their hash: "dev" to choose by, "held-out" to
report.
"""

import ast
import hashlib
import json
import re
import sys
import sysconfig
from pathlib import Path

SKIPPED = {"test", "tests", "idlelib", "lib2to3", "site-packages", "dist-packages", "turtledemo",
           "__pycache__", "idle_test", "_pyrepl"}


def split_of(name):
    return "dev" if hashlib.sha256(name.encode()).digest()[0] % 2 == 0 else "held-out"


def first_sentence(text):
    paragraph = re.split(r"\n\s*\n", text.strip(), maxsplit=1)[0]
    sentence = re.split(r"(?<=[.!?])\s", " ".join(paragraph.split()), maxsplit=1)[0]
    return sentence.strip()


def without_docstring(lines, node):
    """The lines of a function without its docstring; None where nothing would be left."""
    first, rest = node.body[0], node.body[1:]
    if not rest or first.lineno == node.lineno:
        return None
    kept = lines[node.lineno - 1:first.lineno - 1] + lines[first.end_lineno:node.end_lineno]
    indent = len(lines[node.lineno - 1]) - len(lines[node.lineno - 1].lstrip())
    return "\n".join(line[indent:] if not line[:indent].strip() else line for line in kept)


def stdlib():
    root = Path(sysconfig.get_paths()["stdlib"])
    corpus, queries, seen = [], [], set()
    for path in sorted(root.rglob("*.py")):
        relative = path.relative_to(root)
        if SKIPPED & set(relative.parts):
            continue
        try:
            text = path.read_text(encoding="utf-8")
            tree = ast.parse(text)
        except (UnicodeDecodeError, SyntaxError):
            continue
        lines = text.splitlines()
        for node in ast.walk(tree):
            if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                continue
            docstring = ast.get_docstring(node)
            if not docstring:
                continue
            body = without_docstring(lines, node)
            query = first_sentence(docstring)
            # One- and two-word sentences, and those that several functions share, name no function.
            if body is None or len(query.split()) < 3 or query in seen or body in seen:
                continue
            seen.update((query, body))
            name = f"{relative}:{node.lineno}"
            corpus.append({"id": name, "text": body, "language": "python"})
            queries.append({"id": name, "text": query, "relevant": [name],
                            "split": split_of(name)})
    return corpus, queries


def cosqa(data):
    codes = json.loads((data / "cosqa" / "code_idx_map.txt").read_text(encoding="utf-8"))
    corpus = [{"id": str(number), "text": code, "language": "python"}
              for code, number in sorted(codes.items(), key=lambda item: item[1])]
    rows = json.loads((data / "cosqa" / "cosqa-retrieval-dev-500.json").read_text(encoding="utf-8"))
    queries = [{"id": row["idx"], "text": row["doc"], "relevant": [str(row["retrieval_idx"])],
                "split": split_of(row["idx"])} for row in rows]
    return corpus, queries


def main():
    kind, out = sys.argv[1], Path(sys.argv[2])
    corpus, queries = stdlib() if kind == "stdlib" else cosqa(Path(sys.argv[3]))
    out.mkdir(parents=True, exist_ok=True)
    for name, rows in (("corpus.jsonl", corpus), ("queries.jsonl", queries)):
        with open(out / name, "w", encoding="utf-8") as file:
            for row in rows:
                file.write(json.dumps(row, ensure_ascii=False) + "\n")
    print(f"{len(corpus)} documents, {len(queries)} queries")


if __name__ == "__main__":
    main()
