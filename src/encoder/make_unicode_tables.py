"""Writes unicode_{categories,case,accents}.cc from Python's Unicode database:
python3 make_unicode_tables.py"""

import pathlib
import sys
import unicodedata

CODE_POINTS = range(0x80, sys.maxunicode + 1)  # ASCII is handled by the tokenizer itself


def category(code):
    return unicodedata.category(chr(code))


def ranges(belongs):
    found = []
    for code in CODE_POINTS:
        if not belongs(code):
            continue
        if found and found[-1][1] == code - 1:
            found[-1][1] = code
        else:
            found.append([code, code])
    return found


def without_accents(code):
    if 0xAC00 <= code <= 0xD7A3 or 0xD800 <= code <= 0xDFFF:  # Hangul is computed
        return None
    text = "".join(c for c in unicodedata.normalize("NFD", chr(code)) if category(ord(c)) != "Mn")
    return None if category(code) == "Mn" or text == chr(code) else text


def runs(mapping):
    """Mappings to one code point as [first, count, step, target, target step]."""
    found = []
    for code, target in sorted(mapping.items()):
        if found:
            run = found[-1]
            first, count, step, start, target_step = run
            if count == 1 and code - first <= 2 and 0 <= target - start <= 2:
                run[1:] = [2, code - first, start, target - start]
                continue
            if count > 1 and (code, target) == (first + count * step, start + count * target_step):
                run[1] += 1
                continue
        found.append([code, 1, 1, target, 0])
    return found


def array(kind, name, rows):
    cells = ["{" + ", ".join(f"{cell:#x}" if cell > 9 else str(cell) for cell in row) + "}"
             for row in rows]
    lines = []
    for cell in cells:
        if lines and len(lines[-1]) + len(cell) + 2 <= 100:
            lines[-1] += f" {cell},"
        else:
            lines.append(f"    {cell},")
    body = "\n".join(lines)
    return f"constexpr {kind} {name}[] = {{\n{body}\n}};\n"


def write(name, arrays, definition):
    parts = [
        '// Made by make_unicode_tables.py from Unicode ' + unicodedata.unidata_version + '.\n'
        '#include "encoder/unicode_tables.h"\n\nnamespace tinyarms::encoder {\nnamespace {\n',
        *arrays,
        "}  // namespace\n",
        definition,
        "}  // namespace tinyarms::encoder\n",
    ]
    pathlib.Path(__file__).with_name(name).write_text("\n".join(parts))


def main():
    write("unicode_categories.cc", [
        array("CodeRange", "kPunctuation", ranges(lambda c: category(c)[0] == "P")),
        array("CodeRange", "kInvisible", ranges(lambda c: category(c) in ("Cc", "Cf", "Co"))),
        array("CodeRange", "kAccents", ranges(lambda c: category(c) == "Mn")),
    ], "UnicodeCategories unicode_categories() { return {kPunctuation, kInvisible, kAccents}; }\n")
    lower = {c: ord(chr(c).lower()[0]) for c in CODE_POINTS if chr(c).lower()[0] != chr(c)}
    write("unicode_case.cc", [array("CodeRun", "kLower", runs(lower))],
          "std::span<const CodeRun> unicode_lower() { return kLower; }\n")
    stripped = {c: t for c in CODE_POINTS if (t := without_accents(c)) is not None}
    single = {c: ord(t) for c, t in stripped.items() if len(t) == 1}
    several = [[c] + [ord(x) for x in t] + [0] * (3 - len(t))
               for c, t in stripped.items() if len(t) in (2, 3)]
    write("unicode_accents.cc", [
        array("CodeRun", "kOne", runs(single)),
        array("CodeExpansion", "kSeveral", several),
    ], "UnaccentedForms unaccented_forms() { return {kOne, kSeveral}; }\n")


main()
