"""Tests in one process, the code under test in another, and only values between them.

Code that shares an interpreter with its tests can always make them "pass": it can leave early with
exit code 0, replace builtins, hand back objects that equal everything, or look up the expected
values. Here the solution never sees its tests. Names that the tests use and the solution defines
become stand-ins: a call goes over a pipe as plain values, the result comes back as plain values,
and the comparison happens in the judge. Objects that are not plain stay where they are and are
reached by number; two of those are equal only if they are the same object.

What is plain: None, bool, int, float, complex, str, bytes, Decimal, Fraction, date and time types,
range, the builtin types themselves, and list, tuple, set, frozenset, dict, deque of plain values.
A subclass counts as its base.
Arguments that a call changes in place are changed for the judge, too.
"""
import builtins
import collections
import datetime
import decimal
import fractions
import itertools
import json
import os
import struct
import sys
import traceback
import types

MESSAGE_BYTES_MAX = 64 << 20
SHORT_INT_BITS = 8192  # longer ones go as hexadecimal: decimal conversion is quadratic

PLAIN = (bool, str, float)
DATES = (datetime.datetime, datetime.date, datetime.time)


class Ended(Exception):
    """The other process is gone."""


class Foreign(Exception):
    """An exception of the solution that is no builtin Exception."""


class Stub:
    """An object that lives in the other process."""

    __slots__ = ("_peer", "_number", "_name")

    def __init__(self, peer, number, name):
        object.__setattr__(self, "_peer", peer)
        object.__setattr__(self, "_number", number)
        object.__setattr__(self, "_name", name)

    def __call__(self, *args, **named):
        return self._peer.call(self._number, args, named)

    def __getattr__(self, name):
        if name.startswith("__") and name.endswith("__") and name != "__name__":
            raise AttributeError(name)
        return self._peer.ask("get", self._number, name)

    def __setattr__(self, name, value):
        self._peer.ask("set", self._number, name, value)

    def __iter__(self):
        iterator = self._peer.ask("iter", self._number)
        if not isinstance(iterator, Stub):
            yield from iterator
            return
        while True:
            item = self._peer.ask("next", iterator._number)
            if not item:
                return
            yield item[0]

    def __next__(self):
        item = self._peer.ask("next", self._number)
        if not item:
            raise StopIteration
        return item[0]

    def __len__(self):
        return self._peer.ask("len", self._number)

    def __getitem__(self, key):
        return self._peer.ask("item", self._number, key)

    def __contains__(self, value):
        return bool(self._peer.ask("in", self._number, value))

    def __bool__(self):
        return bool(self._peer.ask("bool", self._number))

    def __str__(self):
        return str(self._peer.ask("str", self._number))

    def __eq__(self, other):
        return isinstance(other, Stub) and other._number == self._number

    def __hash__(self):
        return hash(self._number)

    def __repr__(self):
        return f"<{self._name} of the solution>"


class Peer:
    """One end of the conversation. `open_to_all` says whether the other end may do more with our
    objects than call them."""

    def __init__(self, reader, writer, open_to_all):
        self.reader, self.writer, self.open_to_all = reader, writer, open_to_all
        self.objects = {}  # number: object
        self.known = {}    # id of an object: its number
        self.numbers = itertools.count(1)
        self.operations = {
            "get": getattr, "set": setattr, "iter": iter, "len": len, "bool": bool, "str": str,
            "item": lambda value, key: value[key], "in": lambda value, item: item in value,
            "next": lambda value: tuple(itertools.islice(value, 1)),
        }

    def encode(self, value):
        kind = type(value)
        if value is None or kind is bool or kind is str or kind is float:
            return value
        if kind is int:
            return value if value.bit_length() < SHORT_INT_BITS else {"i": hex(value)}
        if kind is list:
            return [self.encode(item) for item in value]
        if kind is tuple:
            return {"t": [self.encode(item) for item in value]}
        if kind is dict:
            return {"d": [[self.encode(k), self.encode(v)] for k, v in value.items()]}
        return self.encode_rare(value)

    def encode_rare(self, value):
        for kind in (str, int, float, list, tuple, dict):
            if isinstance(value, kind):  # a subclass: only its base's value counts
                return self.encode(kind.__call__(value) if kind is not list else
                                   [item for item in list.__iter__(value)])
        if isinstance(value, (set, type({}.keys()))):
            return {"s": [self.encode(item) for item in value]}
        if isinstance(value, frozenset):
            return {"z": [self.encode(item) for item in value]}
        if isinstance(value, collections.deque):
            return {"q": [self.encode(item) for item in value]}
        if isinstance(value, (bytes, bytearray)):
            return {"b": bytes(value).hex(), "m": isinstance(value, bytearray)}
        if isinstance(value, complex):
            return {"c": [value.real, value.imag]}
        if isinstance(value, range):
            return {"r": [self.encode(n) for n in (value.start, value.stop, value.step)]}
        if isinstance(value, decimal.Decimal):
            return {"n": str(value)}
        if isinstance(value, fractions.Fraction):
            return {"f": [self.encode(value.numerator), self.encode(value.denominator)]}
        for kind in DATES:
            if isinstance(value, kind):
                return {"w": [kind.__name__, value.isoformat()]}
        if isinstance(value, datetime.timedelta):
            return {"w": ["timedelta", [value.days, value.seconds, value.microseconds]]}
        if isinstance(value, type) and getattr(builtins, value.__name__, None) is value:
            return {"builtin": value.__name__}
        if isinstance(value, types.ModuleType):
            return {"module": value.__name__}
        if isinstance(value, Stub):
            return {"yours": value._number}
        number = self.known.get(id(value))
        if number is None:
            number = self.known[id(value)] = next(self.numbers)
            self.objects[number] = value  # which also keeps its id from being used again
        return {"mine": number, "name": str(getattr(value, "__name__", type(value).__name__))}

    def decode(self, value):
        if isinstance(value, list):
            return [self.decode(item) for item in value]
        if not isinstance(value, dict):
            return value
        if len(value) == 1 or "m" in value or "mine" in value:
            tag, body = next(iter(value.items()))
            reader = getattr(self, "decode_" + tag, None)
            if reader is not None:
                return reader(value, body)
        raise Ended("a message that is none")

    def decode_i(self, _, body):
        return int(body, 16)

    def decode_t(self, _, body):
        return tuple(self.decode(body))

    def decode_d(self, _, body):
        return {self.decode(key): self.decode(item) for key, item in body}

    def decode_s(self, _, body):
        return set(self.decode(body))

    def decode_z(self, _, body):
        return frozenset(self.decode(body))

    def decode_q(self, _, body):
        return collections.deque(self.decode(body))

    def decode_b(self, value, body):
        return bytearray.fromhex(body) if value.get("m") else bytes.fromhex(body)

    def decode_c(self, _, body):
        return complex(*body)

    def decode_r(self, _, body):
        return range(*self.decode(body))

    def decode_n(self, _, body):
        return decimal.Decimal(body)

    def decode_f(self, _, body):
        return fractions.Fraction(*self.decode(body))

    def decode_w(self, _, body):
        name, text = body
        if name == "timedelta":
            return datetime.timedelta(*text)
        return {kind.__name__: kind for kind in DATES}[name].fromisoformat(text)

    def decode_builtin(self, _, body):
        kind = getattr(builtins, body)
        if not isinstance(kind, type):
            raise Ended("a message that is none")
        return kind

    def decode_module(self, _, body):
        if body.split(".")[0] not in sys.stdlib_module_names:
            raise ImportError(f"the tests may not use the module {body}")
        return __import__(body, fromlist=["*"])

    def decode_yours(self, _, body):
        return self.objects[body]

    def decode_mine(self, value, body):
        return Stub(self, int(body), str(value.get("name")))

    def send(self, message):
        data = json.dumps(message).encode()
        view = memoryview(struct.pack("<I", len(data)) + data)
        try:
            while view:
                view = view[os.write(self.writer, view):]
        except OSError as error:
            raise Ended("the solution ended before its tests did") from error

    def read(self, count):
        pieces = []
        while count > 0:
            piece = os.read(self.reader, min(count, 1 << 20))
            if not piece:
                raise Ended("the solution ended before its tests did")
            pieces.append(piece)
            count -= len(piece)
        return b"".join(pieces)

    def receive(self):
        (count,) = struct.unpack("<I", self.read(4))
        if count > MESSAGE_BYTES_MAX:
            raise Ended("a message that is too long")
        return json.loads(self.read(count))

    def ask(self, *request):
        """A request and its answer; the other end may ask in between."""
        self.send([request[0]] + [self.encode(part) for part in request[1:]])
        while True:
            message = self.receive()
            if message[0] == "ok":
                return self.decode(message[1])
            if message[0] == "raised":
                raise self.exception(str(message[1]), str(message[2]))
            self.serve(message)

    def exception(self, name, text):
        kind = getattr(builtins, name, None)
        if isinstance(kind, type) and issubclass(kind, Exception):
            try:
                return kind(text)
            except Exception:
                pass
        return Foreign(f"{name}: {text}")

    def call(self, number, args, named):
        result, changed = self.ask("call", number, list(args), dict(named))
        for place, new in changed:
            old = args[place] if isinstance(place, int) else named[place]
            if isinstance(old, list) and isinstance(new, list):
                old[:] = new
            elif isinstance(old, (dict, set)) and type(new) is type(old):
                old.clear()
                old.update(new)
        return result

    def called(self, number, args, named, text):
        result = self.objects[number](*args, **named)
        changed = []
        if json.dumps([self.encode(args), self.encode(named)]) != text:
            changed = [(i, value) for i, value in enumerate(args) if is_mutable(value)]
            changed += [(name, value) for name, value in named.items() if is_mutable(value)]
        return result, changed

    def serve(self, message):
        try:
            operation = message[0]
            if operation == "call":
                text = json.dumps(message[2:4])
                number, args, named = (self.decode(part) for part in message[1:4])
                value = self.called(number, args, named, text)
            elif not self.open_to_all:
                raise PermissionError(operation)
            else:
                rest = [self.decode(part) for part in message[2:]]
                value = self.operations[operation](self.objects[message[1]], *rest)
            reply = ["ok", self.encode(value)]
        except Ended:
            raise
        except BaseException as error:
            reply = ["raised", type(error).__name__, str(error)[:2000]]
        self.send(reply)


def is_mutable(value):
    return isinstance(value, (list, dict, set))


def names_in(code):
    """Every global name that compiled code may look up."""
    names = set(code.co_names)
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            names |= names_in(constant)
    return names


def serve(reader, writer, compiled, fresh_module):
    """The solution's side: loads it, then answers until the judge is done."""
    peer = Peer(reader, writer, open_to_all=True)
    space = {}
    message = peer.receive()
    try:
        space = fresh_module("solution")
        exec(compiled(), space)
    except BaseException as error:
        traceback.print_exc()
        sys.stderr.flush()
        peer.send(["raised", "Foreign", f"{type(error).__name__}: {error}"[:2000]])
        return 1
    wanted = [(name, space[name]) for name in peer.decode(message[1]) if name in space]
    peer.send(["ok", peer.encode(wanted)])
    try:
        while True:
            peer.serve(peer.receive())
    except Ended:
        return 0


def judge(reader, writer, compiled, fresh_module, hidden):
    """The tests' side. Zero only if they ran to their end. Names of builtins mean the builtins,
    whatever the solution calls its own, but for those in `hidden`."""
    try:
        peer = Peer(reader, writer, open_to_all=False)
        code = compiled()
        wanted = sorted(name for name in names_in(code)
                        if name in hidden or not hasattr(builtins, name))
        space = fresh_module("tests")
        space.update(peer.ask("names", wanted))
        exec(code, space)
        return 0
    except BaseException:
        traceback.print_exc()
        return 1
