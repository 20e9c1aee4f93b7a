"""question_words.py [--write]: the `words` of every bundled question rule, derived from its
regexes: texts of which each question that the rule knows holds one. The engine reads a rule only
for questions that hold one of them, so words that are missing are answers that are missing."""

import re
import re._parser as parser
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent / "src" / "questions"
WORDS_MAX = 40
COMMON = set("a an are as at by command convert do does for how i in into is it mean meaning of on "
             "or show the to what with write change express translate turn explain and".split())


def phrases():
    text = (ROOT / "phrases.cc").read_text(encoding="utf-8")
    start = text.index("kPhrases[] = {")
    table = text[start:text.index("};", start)]
    found = {}
    for name, body in re.findall(r'\{"(\w+)",((?:\s*"(?:[^"\\]|\\.)*")+)\}', table):
        pieces = re.findall(r'"((?:[^"\\]|\\.)*)"', body)
        found[name] = "".join(pieces).replace('\\"', '"').replace("\\\\", "\\")
    return found


def worth(word):
    """How much a text tells of its question: little where most questions hold it."""
    if "'" in word or not set(word.split()) - COMMON:
        return 0
    return min(len(word.strip()), 5)


def better(a, b):
    """The better of two sets of alternatives: those that tell more, then the smaller one."""
    if a is None or b is None:
        return a if b is None else b
    return max(a, b, key=lambda words: (min(map(worth, words)), -len(words), sorted(words)))


def needed(items):
    """A set of texts one of which is in every match of the sequence; None where there is none."""
    best, run = None, ""
    for kind, argument in [*items, (None, None)]:
        if kind is parser.LITERAL:
            run += chr(argument).lower()
            continue
        if run:
            best = better(best, {run})
            run = ""
        if kind is parser.SUBPATTERN:
            best = better(best, needed(argument[3]))
        elif kind is parser.BRANCH:
            parts = [needed(part) for part in argument[1]]
            if all(parts):
                best = better(best, set().union(*parts))
        elif kind in (parser.MAX_REPEAT, parser.MIN_REPEAT) and argument[0] > 0:
            best = better(best, needed(argument[2]))
        elif kind is parser.IN and all(k is parser.LITERAL for k, _ in argument):
            best = better(best, {chr(c).lower() for _, c in argument})
        elif kind is parser.IN and argument == [(parser.CATEGORY, parser.CATEGORY_DIGIT)]:
            best = better(best, set("0123456789"))
    if best and (len(best) > WORDS_MAX or "" in best):
        return None
    return best


def words_of(questions, known):
    words = set()
    for question in questions:
        question = re.sub(r"%\{(\w+)\}", lambda match: known[match[1]], question)
        question = re.sub(r"\(\?-i:", "(?:", question)
        need = needed(parser.parse(question))
        if not need:
            return None
        words |= need
    # A text that holds another one says nothing more.
    return sorted(w for w in words if not any(o in w and o != w for o in words))


def regexes(document):
    block = re.search(r"(?m)^question:(.*(?:\n .*)*)", document)
    return [text.replace("''", "'") for text in re.findall(r"'((?:[^']|'')*)'", block[1])]


def with_words(document, known):
    if not re.search(r"(?m)^question:", document):
        return document
    words = words_of(regexes(document), known)
    if not words or len(words) > WORDS_MAX or any("'" in w or "\n" in w for w in words):
        return document  # words that somebody gave by hand stay
    document = re.sub(r"(?m)^words: .*\n", "", document)
    line = "words: [" + ", ".join(f"'{word}'" for word in words) + "]\n"
    return re.sub(r"(?m)^(id: .*\n)", lambda match: match[1] + line, document, count=1)


def main():
    known = phrases()
    stale = []
    for path in sorted((ROOT / "pack").glob("*.yaml")):
        text = path.read_text(encoding="utf-8")
        derived = "---\n".join(with_words(part, known) for part in text.split("---\n"))
        if derived == text:
            continue
        if "--write" in sys.argv:
            path.write_text(derived, encoding="utf-8")
        else:
            stale.append(path.name)
    if stale:
        print(f"words out of date in {', '.join(stale)}: run tests/question_words.py --write")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
