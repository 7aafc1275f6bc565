"""`match` with every kind of pattern: what is asked of the subject and when, what is bound, what dies, what is raised."""
# native: literals, values, captures, sequences, stars, both_ends, nested_sequences, mappings, mapping_rest, mapping_keys, classes, by_name, alternatives, captured_alternatives, aliases, guards, guard_fails, no_case, in_loop, in_try, finalised, rebinds, returns_inside, cells, global_capture, order, singletons, keys_computed, binds_before_guard, unbound_after, many, wild_class, half_bound, nested_match, noisy_items, with_finally
# repetitions: 200

import collections
import dataclasses
import enum

from castiron import jit
from support import show

LOG = []


class Noisy:
    def __init__(self, name):
        self.name = name

    def __repr__(self):
        return f"Noisy({self.name})"

    def __del__(self):
        print("  del", self.name)


class Color(enum.Enum):
    RED = 1
    BLUE = 2


@dataclasses.dataclass
class Point:
    x: object
    y: object


class Spy:
    """Prints what a pattern asks of it."""

    __match_args__ = ("first", "second")

    def __init__(self, **values):
        self.__dict__["values"] = values

    def __getattr__(self, name):
        print("  asked for", name)
        if name == "fails":
            raise ValueError("no such luck")
        try:
            return self.values[name]
        except KeyError:
            raise AttributeError(name) from None

    def __eq__(self, other):
        print("  compared with", other)
        return NotImplemented

    __hash__ = None


class SpyList(collections.abc.Sequence):
    def __init__(self, *items):
        self.items = items

    def __len__(self):
        print("  len")
        return len(self.items)

    def __getitem__(self, index):
        print("  item", index)
        return self.items[index]


class SpyDict(collections.abc.Mapping):
    def __init__(self, **items):
        self.items_ = items

    def __len__(self):
        print("  len")
        return len(self.items_)

    def __iter__(self):
        print("  iter")
        return iter(self.items_)

    def __getitem__(self, key):
        print("  item", key)
        return self.items_[key]


class Liar:
    def __len__(self):
        raise OSError("no length")


collections.abc.Sequence.register(Liar)


class BadArgs:
    __match_args__ = ["x"]
    x = 1


class OddArgs:
    __match_args__ = ("x", 3)
    x = 1


class NoArgs:
    x = 1


class RaisingArgs(type):
    @property
    def __match_args__(cls):
        raise OSError("no arguments")


class Raising(metaclass=RaisingArgs):
    x = 1


class Maybe(type):
    def __instancecheck__(cls, other):
        print("  is it?", other)
        if other == "raise":
            raise OSError("who knows")
        return bool(other)


class Truthy(metaclass=Maybe):
    pass


class Answer:
    """Compares with an answer whose truth can't be had."""

    def __eq__(self, other):
        return Untruthful()

    __hash__ = None


class Untruthful:
    def __bool__(self):
        raise OSError("neither")


@jit
def literals(x):
    match x:
        case 1:
            return "one"
        case -1:
            return "minus one"
        case 1.5:
            return "float"
        case "ab":
            return "str"
        case b"b":
            return "bytes"
        case 2 + 3j:
            return "complex"
        case -2 - 3j:
            return "negative complex"
        case 36893488147419103232:
            return "big"
    return "none"


@jit
def singletons(x):
    match x:
        case None:
            return "None"
        case True:
            return "True"
        case False:
            return "False"
        case _:
            return "other"


@jit
def values(x):
    match x:
        case Color.RED:
            return "red"
        case Color.BLUE:
            return "blue"
        case Color.GREEN:
            return "green"


@jit
def captures(x):
    match x:
        case y:
            return x, y


@jit
def sequences(x):
    match x:
        case []:
            return "empty"
        case [_]:
            return "one"
        case [a, 2]:
            return "two", a
        case [_, _, _]:
            return "three"
        case a, b, c, 5:
            return a, b, c
        case (1, 2, 3, 4, 5 as five):
            return five
    return "none"


@jit
def stars(x):
    match x:
        case [
            *_,
        ]:
            if len(x) > 3:
                return "any"
    match x:
        case [1, *rest]:
            return "first", rest
        case [*rest, 3]:
            return "last", rest
        case [a, *middle, b]:
            return a, middle, b
        case [*all_of_it]:
            return all_of_it
    return "none"


@jit
def both_ends(x):
    match x:
        case [a, *_, b]:
            return a, b
        case [a, *_]:
            return a
        case [*_]:
            return "empty"
    return "none"


@jit
def nested_sequences(x):
    match x:
        case [[a, b], [c, *d], *_, (e, _)]:
            return a, b, c, d, e
        case [[a, *_, [b]], c]:
            return a, b, c
    return None


@jit
def mappings(x):
    match x:
        case {"kind": "a", "value": v}:
            return "a", v
        case {"kind": "b"}:
            return "b"
        case {1: _, 2: two}:
            return two
        case {None: n, True: t, 1.5: f}:
            return n, t, f
        case {}:
            return "mapping"
    return "none"


@jit
def mapping_rest(x):
    match x:
        case {"a": a, "b": b, **rest}:
            return a, b, rest
        case {**rest}:
            return rest
    return "none"


@jit
def mapping_keys(x):
    match x:
        case {Color.RED: red, "x": 1}:
            return red
        case {Color.RED: red, Color.RED.value: one, **rest}:
            return red, one, rest
    return "none"


@jit
def keys_computed(x, keys):
    match x:
        case {keys.first: a, keys.second: b}:
            return a, b
    return "none"


@jit
def classes(x):
    match x:
        case bool():
            return "bool"
        case int(n):
            return "int", n
        case str(s) | bytes(s):
            return "text", s
        case Point(0, y):
            return "on the axis", y
        case Point(x=1, y=yy):
            return "one", yy
        case Point(a, b):
            return a, b
        case list([a, *_]) if a:
            return "list", a
        case dict() | float() | tuple():
            return "builtin"
    return "none"


@jit
def by_name(x):
    match x:
        case Spy(first=1, third=3):
            return "three"
        case Spy(1, second=two):
            return two
        case Spy(a, b, third=c):
            return a, b, c
        case Spy(fails=_):
            return "never"
        case Spy():
            return "spy"
    return "none"


@jit
def wild_class(x, cls):
    match x:
        case cls():
            return "instance"
    return "none"


@jit
def bad_args(x, cls):
    match x:
        case cls(y):
            return y
    return "none"


@jit
def too_many(x, cls):
    match x:
        case cls(a, b, c):
            return a, b, c
    return "none"


@jit
def twice(x):
    match x:
        case Spy(a, first=b):
            return a, b
    return "none"


@jit
def alternatives(x):
    match x:
        case 1 | 2 | 3:
            return "small"
        case "a" | None | [_, _] | {"k": _}:
            return "mixed"
        case (4 | 5) as n:
            return n
    return "none"


@jit
def captured_alternatives(x):
    match x:
        case [a, b] | {"b": b, "a": a} | Point(x=b, y=a):
            return a, b
        case [[c, d, *e], 1, 2] | [d, [*e, c], 1, 3]:
            return c, d, e
    return "none"


@jit
def aliases(x):
    match x:
        case [1 as a, [b, *c] as d, {"k": e} as f] as g:
            return a, b, c, d, e, f, g
        case str() | int() as h:
            return h
    return "none"


@jit
def guards(x, limit):
    match x:
        case int(n) if n > limit:
            return "above"
        case int(n) if n < limit:
            return "below"
        case [a, b] if a == b:
            return "pair"
        case _ if limit:
            return "other"
    return "none"


@jit
def binds_before_guard(x):
    a = "before"
    match x:
        case [a, 1] if False:
            return "never"
        case [a, b] if b and a:
            return a, b
        case {"a": a, "b": 2}:
            return a
    return a


@jit
def guard_fails(x):
    match x:
        case [a, _] if a.missing:
            return a
        case _:
            return "none"


@jit
def no_case(x):
    match x:
        case 0:
            y = 1
    return y


@jit
def unbound_after(x):
    match x:
        case [a, 1] | [1, a]:
            pass
        case [b]:
            pass
    if x:
        return a
    return b


@jit
def in_loop(items):
    found = []
    for item in items:
        match item:
            case 0:
                continue
            case "stop":
                break
            case [a, *rest] if rest:
                found.append((a, rest))
            case {"n": n}:
                found.append(n)
            case _:
                found.append(None)
    else:
        found.append("end")
    return found


@jit
def in_try(x):
    try:
        match x:
            case [a, b]:
                return a / b
            case Spy(fails=_):
                return "never"
            case Color.GREEN:
                return "never"
    except (ZeroDivisionError, ValueError, AttributeError) as error:
        return repr(error)
    finally:
        print("  finally", x if isinstance(x, list) else None)
    return "none"


@jit
def with_finally(items):
    for item in items:
        try:
            match item:
                case 0:
                    continue
                case 1:
                    break
                case 2:
                    return "returned"
        finally:
            print("  ends", item)
    return "end"


@jit
def returns_inside(x):
    match x:
        case [match, case]:
            return match, case
        case {"match": type}:
            return type


@jit
def rebinds(x):
    match x:
        case [x, y]:
            return x, y
        case {"x": x}:
            return x
    return x


@jit
def cells(x):
    match x:
        case [a, b]:
            return (lambda: (a, b))()
        case a:
            return [a for _ in (1, 2)], (lambda: a)()


@jit
def global_capture(x):
    global CAPTURED
    match x:
        case [CAPTURED, 1]:
            return CAPTURED
        case CAPTURED:
            return "whole"


@jit
def finalised():
    match Noisy("subject"):
        case 1:
            print("never")
        case Noisy(name=n) if n == "other":
            print("never")
        case Noisy(name=n):
            print("  matched", n)
    old = Noisy("old")
    match [Noisy("item"), 1]:
        case [old, 2]:
            print("never")
        case [old, 1]:
            print("  bound", old)
    print("  after", old)
    match Noisy("kept"):
        case kept:
            print("  kept")
    match Noisy("dropped"):
        case _:
            print("  wildcard")
    match Noisy("last"):
        case 1:
            pass
        case 2:
            pass
    print("  end")


@jit
def order():
    match told("subject", 3):
        case box.one:
            print("never")
        case box.two | box.three:
            print("  found")
        case box.four:
            print("never")


class Box:
    def __getattr__(self, name):
        print("  value", name)
        return {"one": 1, "two": 2, "three": 3}[name]


box = Box()


def told(what, value):
    print("  told", what)
    return value


@jit
def many(x):
    match x:
        case (0 | 1, [a, *b], {"c": c, **d}, Point(e, y=[f, _, *_])) if a:
            return a, b, c, d, e, f
        case (g, *_, Point(y=[*_, h])):
            return g, h
    return "none"


@jit
def half_bound(x):
    a = b = None
    match x:
        case [a, Answer(), b]:
            pass
    return a, b


@jit
def nested_match(x):
    match x:
        case [a, b]:
            match a:
                case 1:
                    match b:
                        case 1:
                            return "both"
                        case _:
                            pass
                    return "first"
                case _:
                    return "neither"
        case _:
            return "none"
    return "end"


@jit
def noisy_items(x):
    match x:
        case {"a": Noisy(name="x")}:
            print("  x")
        case {"a": Noisy(name=n), **rest} if rest:
            print("  rest", n)
        case _:
            print("  other")


class Private:
    __match_args__ = ("_Private__x",)

    def __init__(self):
        self.__x = 5
        self.__y = 6

    @jit
    def own(self, other):
        match other:
            case Private(x, _Private__y=__y):
                return x, __y
        return None


def private(other):
    return Private().own(other)


def main():
    for x in (1, True, -1, 1.5, "ab", b"b", 2 + 3j, -2 - 3j, 2**65, "c", None, 1.0, Spy()):
        show(literals, x) if not isinstance(x, Spy) else print(literals(x))
    for x in (None, True, False, 0, 1, ""):
        show(singletons, x)
    for x in (Color.RED, Color.BLUE, 1, Color):
        show(lambda x=x: values(x))
    show(captures, 5)
    for x in (
        [],
        (),
        [1],
        [1, 2],
        [2, 1],
        [1, 2, 3],
        (1, 2, 3, 5),
        [1, 2, 3, 4, 5],
        "ab",
        b"ab",
        {1, 2},
        range(2),
        collections.deque([9, 2]),
        5,
    ):
        show(sequences, x)
        show(stars, x)
        show(both_ends, x)
    show(sequences, {1: 2})
    show(lambda: sequences(SpyList(7, 2)))
    show(lambda: stars(SpyList(7, 2)))
    show(lambda: both_ends(SpyList(1, 2, 3)))
    show(lambda: sequences(Liar()))
    show(lambda: both_ends(Liar()))
    show(nested_sequences, [[1, 2], [3, 4, 5], (6, 7)])
    show(nested_sequences, [[1, 2], [3], 8, 9, (6, 7)])
    show(nested_sequences, [[1, 2, [3]], 4])
    show(nested_sequences, [[1, 2, [3]], 4, 5])
    for x in (
        {"kind": "a", "value": 1, "more": 2},
        {"kind": "a"},
        {"kind": "b"},
        {1: 2, 2: 3},
        {None: 1, True: 2, 1.5: 3},
        {},
        [],
        collections.defaultdict(list, kind="b"),
        collections.OrderedDict(a=1, b=2, c=3),
        {"a": 1, "b": 2},
    ):
        show(mappings, x)
        show(mapping_rest, x)
    show(lambda: mappings(SpyDict(kind="b")))
    show(lambda: mapping_rest(SpyDict(a=1, b=2, c=3)))
    missing = collections.defaultdict(list)
    show(mapping_rest, missing)
    print(missing)
    show(lambda: mapping_keys({Color.RED: 1, "x": 1}))
    show(lambda: mapping_keys({Color.RED: 1, 1: 2, 3: 4}))
    for first, second in (("a", "b"), ("a", "a"), ([], "a"), ("a", {})):
        show(lambda: keys_computed({"a": 1, "b": 2}, Point(1, 2)))
        show(lambda first=first, second=second: keys_computed({"a": 1, "b": 2}, Spy(first=first, second=second)))
    for x in (True, 3, "s", b"b", Point(0, 1), Point(1, 2), Point(2, 3), [1, 2], [], [0], {}, 1.5, (), None, Point):
        show(lambda x=x: classes(x))
    for named in (
        {},
        {"first": 1},
        {"first": 1, "third": 3},
        {"first": 1, "second": 2},
        {"first": 4, "second": 5, "third": 6},
    ):
        show(lambda named=named: by_name(Spy(**named)))
    show(by_name, 5)
    for cls in (int, Truthy, 5, Maybe, list[int], "str", (int, str)):
        show(lambda cls=cls: wild_class(7, cls))
    show(lambda: wild_class("raise", Truthy))
    show(lambda: wild_class("", Truthy))
    for x, cls in (
        (BadArgs(), BadArgs),
        (OddArgs(), OddArgs),
        (NoArgs(), NoArgs),
        (Raising(), Raising),
        (5, int),
        (5, str),
        (Point(1, 2), Point),
    ):
        show(lambda x=x, cls=cls: bad_args(x, cls))
        show(lambda x=x, cls=cls: too_many(x, cls))
    show(lambda: twice(Spy(first=1)))
    for x in (1, 2, 3, 4, 5, 6, "a", None, [1, 2], {"k": 1}, Answer()):
        show(lambda x=x: alternatives(x))
    for x in ([1, 2], {"a": 1, "b": 2}, Point(1, 2), [[1, 2, 3], 1, 2], [1, [2, 3, 4], 1, 3], 5):
        show(lambda x=x: captured_alternatives(x))
    show(aliases, [1, [2, 3], {"k": 4}])
    show(aliases, "text")
    show(aliases, 7)
    show(aliases, 7.5)
    for x in (1, 5, 9, [1, 1], [1, 2], "x"):
        show(guards, x, 5)
    show(guards, "x", 0)
    show(guards, 3, "no int")
    for x in ([1, 1], [1, 0], [0, 1], {"a": 3, "b": 2}, {"a": 3, "b": 3}, 5):
        show(binds_before_guard, x)
    show(guard_fails, [1, 2])
    show(guard_fails, 1)
    show(no_case, 0)
    show(no_case, 1)
    for x in ([5, 1], [1, 5], [7], [], 0):
        show(unbound_after, x)
    show(in_loop, [0, [1, 2], [1], {"n": 3}, 5])
    show(in_loop, [0, [1, 2], "stop", 5])
    for x in ([1, 2], [1, 0], 5):
        show(in_try, x)
    show(lambda: in_try(Spy()))
    show(with_finally, [0, 3, 1, 4])
    show(with_finally, [0, 2, 1])
    show(with_finally, [0, 3])
    show(returns_inside, [1, 2])
    show(returns_inside, {"match": 3})
    show(rebinds, [1, 2])
    show(rebinds, {"x": 3})
    show(rebinds, 4)
    show(cells, [1, 2])
    show(cells, 3)
    show(global_capture, [4, 1])
    print(CAPTURED)
    show(global_capture, [4, 2])
    print(CAPTURED)
    finalised()
    order()
    show(lambda: many((1, [2, 3], {"c": 4, "e": 5}, Point(6, [7, 8]))))
    show(lambda: many((1, 2, Point(6, [7, 8]))))
    show(half_bound, [1, 2, 3])
    show(lambda: half_bound([1, Answer(), 3]))
    for x in ([1, 1], [1, 2], [2, 1], 1):
        show(nested_match, x)
    noisy_items({"a": Noisy("x")})
    noisy_items({"a": Noisy("y"), "b": Noisy("z")})
    noisy_items({"a": Noisy("y")})
    noisy_items([Noisy("q")])
    show(lambda: private(Private()))
