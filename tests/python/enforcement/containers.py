"""Containers: their class by default, every element on request; tuples; classes as values."""

# ruff: noqa: UP006, UP007, UP044, UP045 - the old spellings are annotations too

import collections
import collections.abc as cabc
import contextlib
import types
import typing
from collections import ChainMap, Counter, OrderedDict, defaultdict, deque
from typing import Any, Generic, Literal, NamedTuple, Optional, TypeVar, Union

from enforcement.rows import Row, row
from enforcement.scalars import Bound, Circle, Color, Shape

GENERIC = "the class at the boundary, elements on request (generics: user-defined generic types)"
ABC = "an abstract collection is kept by what isinstance says (protocols: collections.abc)"
ALIAS = "the old alias means the builtin class (typing: deprecated aliases)"
FIXED = "a tuple of known length: each item by its place (tuples: tuple type form)"
ANY_LENGTH = "an ellipsis means any number of items (tuples: tuple type form)"
UNPACKED = "an unpacked tuple stands for its items (tuples: unpacked tuple form)"
TYPE = "type[C] is C or a subclass of it (special types: type[])"
NAMED = "a named tuple is a nominal class (named tuples)"
USER = "a user's generic class is checked by its origin (generics)"

T = TypeVar("T")
K = TypeVar("K")


class Box(Generic[T]): ...


class IntBox(Box[int]): ...


class Pair(Generic[K, T]): ...


class Ints(list[int]): ...


class Table(dict[str, int]): ...


class Spot(NamedTuple):
    x: int
    name: str = ""


class Wrong(list):  # type: ignore[type-arg]
    """Iterates over something else than it holds."""

    def __iter__(self) -> Any:
        return iter([None])


class Meta(type): ...


class WithMeta(metaclass=Meta): ...


def generator() -> Any:
    yield 1


GENERATOR = generator()
ITERATOR = iter([1])

ROWS: list[Row] = [
    row(list, [[], [1]], [(), None, "x", {}], GENERIC),
    row(list[int], [[], [1, True], Ints([1])], [(), {}, None, "x"], GENERIC, deep=[["x"], [1, 2.0], [None], Ints("a")]),
    row(list[float], [[1.5, 1]], [(1.5,)], GENERIC, deep=[["x"], [1j]]),
    row(list[Any], [[1, "x"]], [()], GENERIC),
    row(list[object], [[1, "x"]], [()], GENERIC),
    row(list[str | None], [["a", None]], [()], GENERIC, deep=[[1], ["a", b""]]),
    row(list[list[int]], [[], [[]], [[1], [2]]], [()], GENERIC, deep=[[1], [["x"]], [[1], ["x"]], [()]]),
    row(list[tuple[int, str]], [[(1, "x")]], [()], GENERIC, deep=[[(1,)], [("x", 1)], [1]]),
    row(list[Shape], [[Circle(), Shape()]], [()], GENERIC, deep=[[1], [Circle(), None], [Shape]]),
    row(list[Literal["a", "b"]], [["a", "b", "a"]], ["a"], GENERIC, deep=[["c"], [1]]),
    row(list[Color], [[Color.RED]], [Color], GENERIC, deep=[["RED"]]),
    row(list[type[Shape]], [[Circle]], [Circle], GENERIC, deep=[[int], [Circle()]]),
    row(list[T], [[1, "x"]], [()], GENERIC),
    row(list[Bound], [[Circle()]], [()], GENERIC, deep=[[1]]),
    row(list["Shape"], [[Circle()]], [()], GENERIC, deep=[[1]]),
    row(list[None], [[None]], [()], GENERIC, deep=[[0]]),
    row(list[bool], [[True]], [()], GENERIC, deep=[[1]]),
    row(list[int] | None, [[1], None], [()], GENERIC, deep=[["x"]]),
    row(list[int] | list[str], [[1], ["x"], []], [()], GENERIC, deep=[[1, "x"], [None]]),
    row(Optional[list[Optional[int]]], [None, [None, 1]], [()], GENERIC, deep=[["x"]]),
    row(list[int], [Wrong(["x"])], [], "a subclass that iterates by itself is not looked into"),
    row(typing.List[int], [[1]], [()], ALIAS, deep=[["x"]]),
    row(typing.List, [[1, "x"]], [()], ALIAS),
    row(dict, [{}, {1: 2}], [[], None], GENERIC),
    row(
        dict[str, int],
        [{}, {"a": 1}, Table(a=1), OrderedDict(a=1), defaultdict(int, a=1), Counter("a")],
        [[], None, types.MappingProxyType({})],
        GENERIC,
        deep=[{1: 1}, {"a": "x"}, Table(a="x"), OrderedDict(a="x"), {"a": 1, "b": None}],
    ),
    row(dict[str, Any], [{"a": None}], [[]], GENERIC, deep=[{1: 1}]),
    row(dict[Any, int], [{None: 1}], [[]], GENERIC, deep=[{1: "x"}]),
    row(dict[int, str], [{1: "x"}], [[]], GENERIC, deep=[{"x": "x"}, {1: 1}, {1.5: ""}]),
    row(
        dict[str, list[tuple[int, ...]]],
        [{"a": [(1, 2), ()]}],
        [[]],
        GENERIC,
        deep=[{"a": [("x",)]}, {"a": [[1]]}, {"a": ()}, {1: []}],
    ),
    row(dict[str, dict[str, int]], [{"a": {"b": 1}}], [[]], GENERIC, deep=[{"a": {"b": "x"}}, {"a": {1: 1}}]),
    row(dict[tuple[int, int], str], [{(1, 2): "x"}], [[]], GENERIC, deep=[{(1,): "x"}, {1: "x"}]),
    row(typing.Dict[str, int], [{"a": 1}], [[]], ALIAS, deep=[{1: 1}]),
    row(typing.Dict, [{}], [[]], ALIAS),
    row(set[int], [set(), {1}], [frozenset(), [], {}], GENERIC, deep=[{"x"}, {1, "x"}]),
    row(set[str | int], [{"x", 1}], [[]], GENERIC, deep=[{None}]),
    row(typing.Set[int], [{1}], [[]], ALIAS, deep=[{"x"}]),
    row(frozenset[int], [frozenset(), frozenset({1})], [set(), ()], GENERIC, deep=[frozenset("x")]),
    row(typing.FrozenSet[int], [frozenset()], [set()], ALIAS, deep=[frozenset("x")]),
    row(frozenset[frozenset[int]], [frozenset({frozenset({1})})], [set()], GENERIC, deep=[frozenset({1})]),
    row(deque[int], [deque(), deque([1])], [[]], GENERIC, deep=[deque("x"), deque([1, None])]),
    row(typing.Deque[int], [deque([1])], [[]], ALIAS, deep=[deque("x")]),
    row(OrderedDict[str, int], [OrderedDict(a=1)], [{}], GENERIC, deep=[OrderedDict(a="x")]),
    row(typing.OrderedDict[str, int], [OrderedDict(a=1)], [{}], ALIAS, deep=[OrderedDict(a="x")]),
    row(defaultdict[str, int], [defaultdict(int)], [{}], GENERIC, deep=[defaultdict(int, {1: 1})]),
    row(typing.DefaultDict[str, int], [defaultdict(int)], [{}], ALIAS, deep=[defaultdict(int, {1: 1})]),
    row(Counter[str], [Counter("ab")], [{}], GENERIC, deep=[Counter([1])]),
    row(typing.Counter[str], [Counter("ab")], [{}], ALIAS, deep=[Counter([1])]),
    row(ChainMap[str, int], [ChainMap({"a": 1})], [{}], GENERIC),
    row(typing.ChainMap[str, int], [ChainMap()], [{}], ALIAS),
    row(types.MappingProxyType[str, int], [types.MappingProxyType({})], [{}], GENERIC),
    row(collections.UserList[int], [collections.UserList([1])], [[]], GENERIC),
    # Abstract collections
    row(cabc.Iterable, [[], "", iter(())], [1, None], ABC),
    row(
        cabc.Iterable[int], [[1], (1,), {1}, {1: ""}, range(3), b"x", ITERATOR, GENERATOR], [1], ABC, deep=[["x"], "x"]
    ),
    row(cabc.Iterable[str], ["x", ["x"], {"x": 1}], [1], ABC, deep=[[1], {1: 1}, b"x"]),
    row(typing.Iterable[int], [[1]], [1], ALIAS, deep=[["x"]]),
    row(cabc.Iterator[int], [ITERATOR, GENERATOR], [[1], range(3)], ABC),
    row(typing.Iterator[int], [ITERATOR], [[1]], ALIAS),
    row(cabc.Collection[int], [[1], {1}, (1,)], [1, iter(())], ABC, deep=[["x"], {"x"}]),
    row(cabc.Container[int], [[1]], [1], ABC, deep=[["x"]]),
    row(cabc.Reversible[int], [[1], {1: 1}], [{1}], ABC, deep=[["x"]]),
    row(cabc.Sequence[int], [[1], (1,), range(2), b"x"], [{1}, iter(()), {}], ABC, deep=[["x"], ("x",), "x"]),
    row(cabc.Sequence[str], ["x", ["x"]], [{1}, 1], ABC, deep=[[1], b"x", range(2)]),
    row(typing.Sequence[int], [[1]], [{1}], ALIAS, deep=[["x"]]),
    row(cabc.MutableSequence[int], [[1], deque([1])], [(1,), "x"], ABC, deep=[["x"], deque("x")]),
    row(typing.MutableSequence[int], [[1]], [(1,)], ALIAS, deep=[["x"]]),
    row(cabc.Set[int], [{1}, frozenset({1}), {1: 1}.keys()], [[1]], ABC, deep=[{"x"}, frozenset("x"), {"x": 1}.keys()]),
    row(typing.AbstractSet[int], [{1}], [[1]], ALIAS, deep=[{"x"}]),
    row(cabc.MutableSet[int], [{1}], [frozenset()], ABC, deep=[{"x"}]),
    row(cabc.Mapping[str, int], [{"a": 1}, ChainMap(), types.MappingProxyType({})], [[], 1], ABC, deep=[{1: 1}]),
    row(typing.Mapping[str, int], [{"a": 1}], [[]], ALIAS, deep=[{"a": "x"}]),
    row(typing.Mapping, [{}], [[]], ALIAS),
    row(cabc.MutableMapping[str, int], [{"a": 1}], [types.MappingProxyType({})], ABC, deep=[{1: 1}]),
    row(typing.MutableMapping[str, int], [{}], [[]], ALIAS, deep=[{1: 1}]),
    row(cabc.KeysView[str], [{"a": 1}.keys()], [["a"], {"a": 1}.values()], ABC, deep=[{1: 1}.keys()]),
    row(cabc.ValuesView[int], [{"a": 1}.values()], [[1]], ABC, deep=[{1: "x"}.values()]),
    row(cabc.ItemsView[str, int], [{"a": 1}.items()], [[("a", 1)]], ABC, deep=[{1: 1}.items(), {"a": "x"}.items()]),
    row(cabc.Sized, [[], ""], [1], ABC),
    row(cabc.Hashable, [1], [[]], ABC),
    row(cabc.Awaitable[int], [], [1, None, [1]], ABC),
    row(cabc.AsyncIterator[int], [], [iter(()), 1], ABC),
    row(cabc.Generator[int, None, None], [GENERATOR], [ITERATOR, [1]], ABC),
    row(typing.Generator[int, None, None], [GENERATOR], [ITERATOR], ALIAS),
    row(contextlib.AbstractContextManager[int], [contextlib.nullcontext()], [1], ABC),
    row(typing.ContextManager[int], [contextlib.nullcontext()], [1], ALIAS),
    row(contextlib.AbstractAsyncContextManager[int], [contextlib.nullcontext()], [1], ABC),
    row(contextlib.ExitStack, [contextlib.ExitStack()], [contextlib.nullcontext()], GENERIC),
    # Tuples
    row(tuple, [(), (1,), Spot(1)], [[], None], ANY_LENGTH),
    row(typing.Tuple, [(), (1,)], [[]], ALIAS),
    row(tuple[()], [()], [(1,), [], None], "an empty tuple is written tuple[()] (tuples)"),
    row(typing.Tuple[()], [()], [(1,)], "an empty tuple is written tuple[()] (tuples)"),
    row(tuple[int], [(1,), (True,)], [(), (1, 2), ("x",), 1, [1]], FIXED),
    row(tuple[int, str], [(1, "x"), Spot(1, "x")], [(1,), (1, 2), ("x", 1), (1, "x", 2), [1, "x"], None], FIXED),
    row(typing.Tuple[int, str], [(1, "x")], [(1, 1)], ALIAS),
    row(tuple[Any, Any], [(1, None)], [(1,), (1, 2, 3)], FIXED),
    row(tuple[int, ...], [(), (1, 2)], [[], 1, None], ANY_LENGTH, deep=[("x",), (1, None)]),
    row(typing.Tuple[int, ...], [(1,)], [[]], ALIAS, deep=[("x",)]),
    row(tuple[Any, ...], [(1, "x")], [[]], ANY_LENGTH),
    row(tuple[tuple[int, int], None], [((1, 2), None)], [((1, "x"), None), (1, None), ((1, 2), 3)], FIXED),
    row(tuple[list[int], str], [([1], "x")], [((), "x"), ([], 1)], FIXED, deep=[(["x"], "x")]),
    row(tuple[int | None, str], [(None, "x"), (1, "x")], [("x", "x")], FIXED),
    row(tuple["Shape", "int"], [(Circle(), 1)], [(1, 1), (Circle(), "x")], FIXED),
    row(tuple[float, complex], [(1, 1), (1.5, 1j)], [(1j, 1)], FIXED),
    row(tuple[Literal["a"], int], [("a", 1)], [("b", 1)], FIXED),
    row(tuple[tuple[()], ...], [((), ())], [[]], ANY_LENGTH, deep=[((1,),)]),
    row(tuple[int, *tuple[str, ...]], [(1,), (1, "x", "y")], [(), ("x",)], UNPACKED, deep=[(1, 2)]),
    row(tuple[*tuple[int, ...], str], [("x",), (1, 2, "x")], [(), (1,)], UNPACKED, deep=[("y", "x")]),
    row(
        tuple[int, *tuple[str, ...], float], [(1, 1.5), (1, "x", 2)], [(1,), (1, "x"), ()], UNPACKED, deep=[(1, 2, 3.0)]
    ),
    row(tuple[int, *tuple[str, bytes]], [(1, "x", b"")], [(1,), (1, "x"), (1, b"", "x")], UNPACKED),
    row(tuple[*tuple[int, str]], [(1, "x")], [(1,), ()], UNPACKED),
    row(typing.Tuple[int, typing.Unpack[typing.Tuple[str, ...]]], [(1, "x")], [()], UNPACKED, deep=[(1, 2)]),
    row(tuple[int, *tuple[Any, ...]], [(1,), (1, 2, "x")], [(), ("x",)], UNPACKED),
    row(Union[tuple[int], tuple[str, str]], [(1,), ("x", "y")], [("x",), (1, 2), ()], FIXED),
    # Named tuples
    row(Spot, [Spot(1), Spot(1, "x")], [(1, "x"), None], NAMED, deep=[Spot("x"), Spot(1, 2)]),  # type: ignore[arg-type]
    row(list[Spot], [[Spot(1)]], [()], NAMED, deep=[[(1, "")], [Spot("x")]]),  # type: ignore[arg-type]
    row(collections.namedtuple("Bare", "a b"), [], [(1, 2)], NAMED),
    # Classes as values
    row(type, [int, Shape, Meta], [1, None, Circle()], TYPE),
    row(type[Any], [int], [1], TYPE),
    row(type[object], [int], [1], TYPE),
    row(type[Shape], [Shape, Circle], [int, Shape(), None, type], TYPE),
    row(typing.Type[Shape], [Circle], [int], TYPE),
    row(typing.Type, [int], [1], TYPE),
    row(type[int | str], [int, bool, str], [float, 1], TYPE),
    row(type[Shape] | None, [Circle, None], [Circle(), int], TYPE),
    row(type[float], [float, int], [str], TYPE),
    row(type[complex], [complex, float, int], [str], TYPE),
    row(type[None], [type(None)], [None, int], TYPE),
    row(type[T], [int], [1], TYPE),
    row(type[Bound], [Circle], [int], TYPE),
    row(type["Shape"], [Circle], [int], TYPE),
    row(type[cabc.Sized], [list], [int], TYPE),
    row(type[Box[int]], [Box, IntBox], [int], TYPE),
    row(Meta, [WithMeta], [int, WithMeta()], "a metaclass is the class of its classes"),
    row(type[Exception], [ValueError], [ValueError(), int], TYPE),
    # User generics
    row(Box, [Box(), IntBox()], [1], USER),
    row(Box[int], [Box(), IntBox(), Box[str]()], [1, Pair()], USER),
    row(Box[Box[int]], [Box()], [1], USER),
    row(Pair[int, str], [Pair()], [Box()], USER),
    row(IntBox, [IntBox()], [Box()], USER),
    row(Ints, [Ints()], [[]], USER),
    row(Box["Shape"], [Box()], [1], USER),
    row(Optional[Box[T]], [Box(), None], [1], USER),
]
