"""answers_test.py ANSWER_QUESTIONS: computed answers and tables of the bundled question rules,
held against calculations that share nothing with them: Python's standard library and coreutils.
Random cases; the seed is printed where one fails."""

import base64
import calendar
import colorsys
import datetime
import errno
import hashlib
import html
import http
import ipaddress
import math
import mimetypes
import os
import random
import signal
import stat
import statistics
import subprocess
import sys
import urllib.parse
from fractions import Fraction

SEED = int(os.environ.get("ANSWERS_SEED", "7"))
RANDOM = random.Random(SEED)
CASES = []  # (question, what the answer must contain, or None where there must be none)


def ask(question, expected):
    CASES.append((question, expected))


def random_date(first=1583, last=9998):
    start = datetime.date(first, 1, 1).toordinal()
    end = datetime.date(last, 12, 31).toordinal()
    return datetime.date.fromordinal(RANDOM.randint(start, end))


def random_text():
    letters = "abc XYZ 09 .,-_~!?%&=+/#äé€😀"
    while True:
        text = "".join(RANDOM.choice(letters) for _ in range(RANDOM.randint(1, 24)))
        # What a question cannot carry unchanged gets no answer: see calendar, text tests below.
        if text == " ".join(text.split()) and text:
            return text


def dates():
    for _ in range(60):
        day = random_date()
        iso = day.isoformat()
        written = f"{calendar.month_name[day.month]} {day.day}, {day.year}"
        ask(f"what day of the week was {RANDOM.choice([iso, written])}",
            f"{iso}: {day.strftime('%A')}")
        ask(f"what day of the year was {iso}", f"is day {day.timetuple().tm_yday} of")
        year, week, weekday = day.isocalendar()
        ask(f"iso week of {iso}", f"{year:04}-W{week:02}-{weekday}")
        other = random_date()
        ask(f"how many days between {iso} and {other.isoformat()}",
            f"{abs((other - day).days)} day")
        ask(f"how many days are in {calendar.month_name[day.month]} {day.year}",
            f"has {calendar.monthrange(day.year, day.month)[1]} days")
        ask(f"is {day.year} a leap year", "Yes" if calendar.isleap(day.year) else "No")
        count = RANDOM.randint(0, 3000)
        shifted = day.toordinal() + count
        if shifted <= datetime.date(9999, 12, 31).toordinal():
            ask(f"what date is {count} days after {iso}",
                datetime.date.fromordinal(shifted).isoformat())
        seconds = RANDOM.randint(0, 99_999_999_999)
        moment = datetime.datetime(1970, 1, 1) + datetime.timedelta(seconds=seconds)
        ask(f"convert epoch {seconds} to date", moment.strftime("%Y-%m-%d %H:%M:%S UTC (%A)"))
        ask(moment.strftime("convert %Y-%m-%d %H:%M:%S UTC to unix timestamp"), f"= {seconds} ")
        ask(moment.strftime("what is %H:%M in 12-hour time"),
            f"= {int(moment.strftime('%I'))}:{moment.strftime('%M')} "
            f"{'a.m.' if moment.hour < 12 else 'p.m.'}")


def texts():
    for _ in range(80):
        text = random_text()
        raw = text.encode()
        quoted = f'"{text}"'
        ask(f"base64 encode {quoted}", f"`{base64.b64encode(raw).decode()}`")
        ask(f"base64 decode {quoted[0]}{base64.b64encode(raw).decode()}{quoted[0]}", f"`{text}`")
        ask(f"url encode {quoted}", f"`{urllib.parse.quote(text, safe='')}`")
        ask(f"sha256 of {quoted}", f"`{hashlib.sha256(raw).hexdigest()}`")
        ask(f'hex decode "{raw.hex()}"', f"`{text}`")
    for text in ["a  b", "it’s", "a\tb"]:
        ask(f'base64 encode "{text}"', None)
    for code in [*range(33, 127), 0xE9, 0x20AC, 0x1F600]:
        character = chr(code)
        if character in "?.`\"'“”‘’:,":
            continue
        utf8 = character.encode().hex(" ").upper()
        ask(f"unicode code point of {character}", f": {code} (0x{code:02X}), U+{code:04X}; "
                                                  f"UTF-8 bytes: {utf8}")
        ask(f"which character has the code U+{code:04X}", f"'{character}'")


def numbers():
    for _ in range(60):
        a, b = RANDOM.randint(0, 2**31), RANDOM.randint(0, 2**31)
        ask(f"what is {a} & {b}", f"= {a & b}")
        ask(f"{a:#x} | {b:#x}", f"= {a | b:#x} ({a | b})")
        ask(f"{a} xor {b}", f"= {a ^ b}")
        ask(f"how many bits are set in {a}", f"has {bin(a).count('1')} set")
        shift = RANDOM.randint(0, 31)
        ask(f"{a} >> {shift}", f"= {a >> shift}")
        m, n = RANDOM.randint(1, 10**6), RANDOM.randint(1, 10**6)
        ask(f"gcd of {m} and {n}", f"= {math.gcd(m, n)}")
        ask(f"lcm of {m} and {n}", f"= {math.lcm(m, n)}")
        small = RANDOM.randint(2, 10**6)
        is_prime = all(small % d for d in range(2, math.isqrt(small) + 1))
        ask(f"is {small} prime", "Yes" if is_prime else "No")
        top = RANDOM.randint(0, 60)
        k = RANDOM.randint(0, top)
        ask(f"what is {top} choose {k}", f"= {math.comb(top, k)}")
        value = RANDOM.randint(-128, 127)
        ask(f"what is {value} in 8-bit two's complement",
            f"{value & 255:08b} (0x{value & 255:02x})")
        x, y = RANDOM.randint(-999, 999), RANDOM.choice([-7, -3, 2, 5, 11])
        ask(f"what is {x} // {y} in python", f"= {x // y}")
        ask(f"what is {x} % {y} in python", f"= {x % y}")
        values = [RANDOM.randint(-50, 50) for _ in range(RANDOM.choice([2, 4, 5, 8, 10]))]
        listed = ", ".join(map(str, values))
        ask(f"sort {listed}", ", ".join(map(str, sorted(values))))
        median = Fraction(statistics.median(values))
        shown = median if median.denominator == 1 else float(median)
        ask(f"median of {listed}", f": {shown}")
        ask(f"sum of {listed}", str(sum(values)))
    for value in range(1, 4000, 37):
        roman = "".join(
            ["", *parts][value // place % 10]
            for place, parts in [(1000, ["M", "MM", "MMM"])] + [
                (place, [a, a + a, 3 * a, a + b, b, b + a, b + 2 * a, b + 3 * a, a + c])
                for place, a, b, c in [(100, "C", "D", "M"), (10, "X", "L", "C"),
                                       (1, "I", "V", "X")]])
        ask(f"what is {value} in roman numerals", f"= {roman}")
        ask(f"what is the roman numeral {roman}", f"= {value}")
    for bits in (8, 16, 32, 64):
        ask(f"what is the range of int{bits}", f"{-2**(bits - 1)} to {2**(bits - 1) - 1}")
        ask(f"what is the maximum value of uint{bits}_t", f"0 to {2**bits - 1}")


def networks():
    for _ in range(60):
        address = ipaddress.ip_address(RANDOM.getrandbits(32))
        prefix = RANDOM.randint(0, 32)
        network = ipaddress.ip_network(f"{address}/{prefix}", strict=False)
        ask(f"what is the range of {address}/{prefix}",
            f"{network}: addresses {network[0]} to {network[-1]}, "
            f"hosts {network[1 if prefix < 31 else 0]} to {network[-2 if prefix < 31 else -1]}")
        ask(f"what is the subnet mask for /{prefix}",
            f"= {network.netmask} (wildcard {network.hostmask})")
        ask(f"convert {network.netmask} to cidr", f"= /{prefix}")
        ask(f"how many hosts are in a /{prefix}", f"has {network.num_addresses} addresses")
        other = ipaddress.ip_address(RANDOM.getrandbits(32))
        ask(f"is {other} in {network}", "Yes" if other in network else "No")
        ask(f"convert {address} to an integer", f"= {int(address)} ")
        ask(f"convert {int(address)} to an ip address", f"= {address}")
        rfc1918 = any(address in ipaddress.ip_network(n)
                      for n in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"))
        ask(f"is {address} private", "Yes" if rfc1918 else "No")


def colours():
    for _ in range(60):
        red, green, blue = (RANDOM.randint(0, 255) for _ in range(3))
        ask(f"convert #{red:02x}{green:02x}{blue:02x} to rgb", f"rgb({red}, {green}, {blue})")
        ask(f"convert rgb({red}, {green}, {blue}) to hex", f"#{red:02x}{green:02x}{blue:02x}")
        hue, light, saturation = colorsys.rgb_to_hls(red / 255, green / 255, blue / 255)
        exact = [hue * 360, saturation * 100, light * 100]
        if all(abs(part % 1 - 0.5) > 1e-6 for part in exact):
            h, s, l = (math.floor(part + 0.5) for part in exact)
            ask(f"convert #{red:02x}{green:02x}{blue:02x} to hsl", f"hsl({h % 360}, {s}%, {l}%)")


def modes():
    for mode in range(0, 0o1000, 7):
        symbolic = stat.filemode(stat.S_IFREG | mode)[1:]
        ask(f"what does chmod {mode:03o} mean", f"`{symbolic}`")
        ask(f"what is {symbolic} in octal", f"`{mode:03o}`")
        ask(f"what permissions does umask {mode:03o} give", f"{0o666 & ~mode:03o}")


def cron_matches(expression, moment):
    """Whether an expression of numbers, *, ranges, lists and steps runs at that minute."""
    parts = [moment.minute, moment.hour, moment.day, moment.month, moment.isoweekday() % 7]
    hits = []
    for field, value, most in zip(expression.split(), parts, (59, 23, 31, 12, 6)):
        hit = False
        for item in field.split(","):
            span, _, step = item.partition("/")
            low, _, high = span.partition("-")
            low, high = (0, most) if span == "*" else (int(low), int(high or low))
            hit |= low <= value <= high and (value - low) % int(step or 1) == 0
        hits.append(hit)
    return all(hits)


def crons():
    """What is written from words runs when the words say, minute by minute over two weeks."""
    for _ in range(12):
        hour, minute = RANDOM.randint(0, 23), RANDOM.randint(0, 59)
        days, allowed = RANDOM.choice([("every day", range(7)), ("every weekday", range(1, 6)),
                                       ("every sunday", [0]), ("every friday", [5])])
        fields = f"{minute} {hour} * * " + {7: "*", 5: "1-5", 1: str(allowed[0])}[len(allowed)]
        start = datetime.datetime(2024, 2, 20)
        for step in range(14 * 24 * 60):
            moment = start + datetime.timedelta(minutes=step)
            meant = (moment.hour, moment.minute) == (hour, minute) and (
                moment.isoweekday() % 7 in allowed)
            assert cron_matches(fields, moment) == meant, fields
        ask(f"cron expression for {days} at {hour}:{minute:02}", f"`{fields}`")
        ask(f"what does {fields} mean", f"runs at {hour:02}:{minute:02}")


def tables():
    reserved = {418}
    for status in http.HTTPStatus:
        old = {"Request Entity Too Large": "Content Too Large",
               "Request-URI Too Long": "URI Too Long",
               "Requested Range Not Satisfiable": "Range Not Satisfiable",
               "Unprocessable Entity": "Unprocessable Content"}
        phrase = old.get(status.phrase, status.phrase)
        if status in reserved or status.value in {102, 203, 205, 207, 208, 226, 300, 305, 402, 407,
                                                  417, 421, 423, 424, 506, 508, 510}:
            continue
        ask(f"what does http {status.value} mean", phrase)
    for name in ("HUP INT QUIT ILL ABRT FPE KILL SEGV PIPE ALRM TERM").split():
        number = int(getattr(signal, f"SIG{name}"))
        ask(f"what number is SIG{name}", f"signal {number}")
        ask(f"what is the exit code for SIG{name}", f"{128 + number} (128")
        run = subprocess.run(["bash", "-c", f"kill -l {number}"], capture_output=True, text=True)
        assert run.stdout.strip() == name, run
    for number in [1, 2, 3, 4, 5, 9, 10, 11, 12, 13, 14, 16, 17, 18, 20, 21, 22, 24, 28, 30, 32]:
        if sys.platform == "linux":
            ask(f"what does errno {number} mean", errno.errorcode[number])
    for ending in ("html css csv json xml pdf zip png jpg gif svg mp3 mp4 webm wasm").split():
        kind = mimetypes.types_map.get("." + ending)
        if kind and kind not in ("text/xml", "application/x-zip-compressed"):
            ask(f"what is the mime type of .{ending}", f"`{kind}")
    for name in ("amp lt gt quot copy reg euro mdash ndash hellip times deg").split():
        ask(f"what does &{name}; mean in html", f"is {html.unescape(f'&{name};')}")
    moment = datetime.datetime(2024, 1, 2, 15, 4, 5)
    for directive in "Y y m d H I M S j u w V G".split():
        shown = moment.strftime("%" + directive)
        assert shown.isdigit(), directive
        ask(f"what does %{directive} mean in strftime", "`%" + directive + "` is")


def check(program):
    for make in (dates, texts, numbers, networks, colours, modes, crons, tables):
        make()
    run = subprocess.run([program], input="\n".join(question for question, _ in CASES),
                         capture_output=True, text=True, check=True)
    answers = run.stdout.split("\n")[:len(CASES)]
    wrong = 0
    silent = 0
    for (question, expected), answer in zip(CASES, answers):
        if expected is None and not answer:
            continue
        if expected is not None and expected in answer:
            continue
        silent += not answer
        wrong += bool(answer)
        print(f"{question}\n  answered: {answer or '(nothing)'}\n  expected: {expected}")
    print(f"answers: {len(CASES)} questions, {wrong} wrong, {silent} without an answer"
          f" (ANSWERS_SEED={SEED})")
    return 1 if wrong or silent else 0


if __name__ == "__main__":
    sys.exit(check(sys.argv[1]))
