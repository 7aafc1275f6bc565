"""Calls and operations that run no Python on builtin objects link no frames; the same ones on objects that look do."""
# native: methods, items, texts, numbers, cells, dies, codec, room, defaults

import codecs
import sys

from castiron import jit


def stack():
    """Names and lines of the callers up to `main`, the looker itself left out."""
    frame, found = sys._getframe(2), []
    while frame is not None and frame.f_code.co_name not in ("main", "<module>"):
        found.append(f"{frame.f_code.co_name}:{frame.f_lineno}")
        frame = frame.f_back
    return " < ".join(found)


class Looks:
    """Says who calls, whatever is done with it."""

    def __init__(self, value):
        self.value = value

    def __index__(self):
        print("index", stack())
        return self.value

    def __hash__(self):
        print("hash", stack())
        return hash(str(self.value))

    def __eq__(self, other):
        print("eq", stack())
        return self.value == other

    def __lt__(self, other):
        print("lt", stack())
        return self.value < other.value

    def __gt__(self, other):
        print("gt", stack())
        return self.value > other.value

    def __abs__(self):
        print("abs", stack())
        return self.value

    def __iter__(self):
        print("iter", stack())
        return iter([self.value])

    def __format__(self, spec):
        print("format", spec, stack())
        return "formatted"

    def __repr__(self):
        print("repr", stack())
        return "shown"


class Text(str):
    def __format__(self, spec):
        print("format", spec, stack())
        return super().__format__(spec)

    def __str__(self):
        print("str", stack())
        return "text"


class Items(list):
    def __getitem__(self, key):
        print("getitem", key, stack())
        return super().__getitem__(key)

    def append(self, item):
        print("append", item, stack())
        super().append(item)


class Dies:
    def __init__(self, name):
        self.name = name

    def __del__(self):
        print("dies", self.name, stack())


@jit
def methods(things, table, one, more):
    things.append(one)
    things.extend(more)
    things.insert(0, one)
    last = things.pop()
    things.reverse()
    first = things.pop(0)
    table.setdefault("k", 1)
    found = [table.get("k"), table.get("none"), table.get("none", one), len(table.copy())]
    return last, first, found, list(table.keys()), list(table.values())


@jit
def defaults(table, key):
    return table.get(key, 0), table.setdefault(key, 5), table.get(key)


@jit
def items(sequence, a, b, c):
    return sequence[a:b], sequence[a:b:c], sequence[:b], sequence[a]


@jit
def texts(a, b, parts, spec):
    joined = ",".join(parts)
    return f"{a}{b!s}{b!r}{a:{spec}}", joined, a.strip("x").lower().split("a"), a + b if a < b else b + a


@jit
def numbers(a, b):
    return max(a, b), min(a, b, b), abs(a), max(b, a, a, b)


@jit
def cells(values):
    kept = None

    def give():
        return kept

    for value in values:
        kept = value
        value = None
    return give()


@jit
def dies(make, n):
    for i in range(n):
        (make(i), i)
        iter([make(i + 10), i])
        slice(make(i + 20), i)
        [i, (i, i), make(i + 30)]
    return n


@jit
def codec(text, name):
    coded = text.encode(name)
    return coded, coded.decode(name), text.encode().decode()


@jit
def room(text, n):
    if n:
        return room(text, n - 1)
    return text.upper().replace("A", "b").split()


def encode_looking(text, errors="strict"):
    print("encode", stack())
    return text.encode("ascii"), len(text)


def decode_looking(data, errors="strict"):
    print("decode", stack())
    return bytes(data).decode("ascii"), len(data)


def look_up(name):
    if name == "looking_codec":
        return codecs.CodecInfo(encode_looking, decode_looking, name=name)
    return None


def tell(function, *args):
    try:
        print(function.__name__, function(*args))
    except Exception as error:
        print(function.__name__, type(error).__name__, error)


def descend(more, function, *args):
    return function(*args) if more <= 0 else descend(more - 1, function, *args)


def with_room(frames, function, *args):
    """Where the limit is met with so many frames left, and by whom."""
    deep, frame = 0, sys._getframe()
    while frame is not None:
        deep, frame = deep + 1, frame.f_back
    try:
        print(frames, descend(sys.getrecursionlimit() - deep - frames, function, *args))
    except RecursionError as error:
        trace, places = error.__traceback__, []
        while trace is not None:
            places.append((trace.tb_frame.f_code.co_name, trace.tb_lineno))
            trace = trace.tb_next
        print(frames, error, [place for place in places if place[0] == "room"])


codecs.register(look_up)


def main():
    tell(methods, [1, 2], {"a": 1}, 3, (4, 5))
    tell(methods, [1, 2], {"a": 1}, 3, [4, 5])
    tell(methods, [1, 2], {"a": 1}, 3, Looks(4))
    tell(methods, Items([1, 2]), {"a": 1}, 3, [4])
    tell(methods, [1, 2], {7: 1, "a": 2}, 3, "xy")
    tell(defaults, {"a": 1}, "a")
    tell(defaults, {"a": 1}, Looks("a"))
    tell(defaults, {Looks("a"): 1}, "a")
    tell(defaults, {}, [])
    for sequence in ([1, 2, 3], (1, 2, 3), "abc", b"abc", range(3), Items([1, 2, 3]), {1: 2}, 5):
        tell(items, sequence, 0, 2, 1)
        tell(items, sequence, 2, None, -1)
        tell(items, sequence, True, Looks(3), None)
        tell(items, sequence, 0, 2, 0)
    tell(texts, "xabcx", "z", ["a", "b"], ">8")
    tell(texts, "xabcx", "z", ["a", Text("b")], ">8")
    tell(texts, "xabcx", "", [], "d")
    tell(texts, Text("xabcx"), "z", ("a", "b"), ">8")
    tell(texts, Looks(1), Looks(2), [Looks(1)], "")
    tell(numbers, 3, 4.5)
    tell(numbers, -3, -4)
    tell(numbers, Looks(1), Looks(2))
    tell(numbers, "a", 1)
    tell(cells, [1, "a", (1, 2), [3]])
    tell(cells, [Dies("cell"), 1])
    tell(dies, Dies, 2)
    tell(dies, str, 2)
    tell(codec, "abc", "looking_codec")
    tell(codec, "abc", "utf-8")
    tell(codec, "abc", "no such codec")
    for frames in range(3, 7):
        with_room(frames, room, "a b a", 2)
