"""rules_corpus.py FOLDER SHARED BYTES: what the benchmark `rules` works on, made once.

FOLDER/code: Python files of the standard library and the installed packages, so many bytes in all.
FOLDER/rules: the public rules for Python in the form that ast-grep loads; FOLDER/sgconfig.yml.
FOLDER/one.py: one file of 100 kB; FOLDER/one.yml: one rule.
"""

import random
import sys
import sysconfig
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.dont_write_bytecode = True
sys.path.insert(0, str(ROOT / "tests/rules_differential"))
import compare  # noqa: E402


def main():
    folder, shared, limit = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
    stamp = folder / f"complete-{limit}"
    if stamp.exists():
        return
    (folder / "code").mkdir(parents=True, exist_ok=True)
    (folder / "rules").mkdir(exist_ok=True)
    for path in sorted((shared / "data/ast-grep-essentials/rules/python").rglob("*.yml")):
        (folder / "rules" / path.name).write_text(compare.loadable(path.read_text()))
    (folder / "sgconfig.yml").write_text("ruleDirs: [rules]\n")
    paths = sorted(Path(sysconfig.get_path("stdlib")).rglob("*.py"))
    random.Random(1).shuffle(paths)
    taken = 0
    one = ""
    for number, path in enumerate(paths):
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            continue
        (folder / "code" / f"{number:05}_{path.name}").write_text(text, encoding="utf-8")
        taken += len(text)
        if 20_000 < len(text) < 60_000 and len(one) < 100_000:
            one += text + "\n"
        if taken > limit:
            break
    (folder / "one.py").write_text(one[:100_000], encoding="utf-8")
    (folder / "one.yml").write_text(
        "id: one\nlanguage: python\nrule: {pattern: $A == $A}\nmessage: $A\n")
    stamp.touch()


if __name__ == "__main__":
    main()
