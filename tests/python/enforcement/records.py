"""Typed dictionaries, named tuples, literals, variadic generics, and what says nothing or everything."""

# ruff: noqa: UP007, UP044, UP045, RUF020, PIE796 - the old spellings are annotations too

import enum
import typing
from collections.abc import Mapping, Sequence
from typing import (
    Annotated,
    Any,
    Final,
    Generic,
    Literal,
    LiteralString,
    NamedTuple,
    Never,
    NewType,
    NotRequired,
    Optional,
    ParamSpec,
    Required,
    TypedDict,
    TypeGuard,
    TypeVar,
    TypeVarTuple,
    Union,
    Unpack,
)

from enforcement.rows import Row, row
from enforcement.scalars import Access, Circle, Color, Grade, Mode, MyBytes, MyInt, MyStr, Shape

KEYS = "every required key must be there (typed dictionaries: required and non-required keys)"
TOTAL = "total=False makes the keys of its own class non-required, not inherited ones (typed dictionaries: totality)"
QUALIFIED = "Required and NotRequired say it of one key (typed dictionaries: Required and NotRequired)"
INHERITED = "inheritance adds up the keys (typed dictionaries: class-based syntax)"
OPEN = "an open typed dictionary may have other keys (typed dictionaries: openness)"
PLAIN_DICT = "instances of dict itself, not a subclass (typed dictionaries)"
GENERIC_DICT = "a typed dictionary may be generic (typed dictionaries: generics)"
NAMED = "a named tuple is its own class (named tuples: defining)"
NAMED_AS_TUPLE = "a named tuple is assignable to a tuple of its fields (named tuples: assignability)"
LITERAL = "exactly that value, and of that type (literals: semantics)"
ENUM_LITERAL = "a member of an enumeration stands for itself (literals: legal parameters; enumerations)"
BYTES_LITERAL = "bytes and text are different values (literals: legal parameters)"
BOOL_LITERAL = "True is not 1: the types of literals differ (literals: legal parameters)"
NESTED_LITERAL = "nested literals and aliases of them are one (literals: shortening unions)"
LITERAL_STRING = "at run time a literal string is a str (literals: LiteralString)"
GUARD = "the result of a type guard is a bool (narrowing: TypeGuard)"
NEVER = "no value is of the bottom type (special types: Never)"
VARIADIC = "a TypeVarTuple stands for any number of types (generics: TypeVarTuple)"
UNPACKED_STAR = "an unpacked tuple stands for its items (tuples: unpacked tuple form)"
NEW_TYPE = "a new type is its supertype at run time (aliases: NewType)"
ANNOTATED = "metadata says nothing of the type (qualifiers: Annotated)"

T = TypeVar("T")
K = TypeVar("K")
Ts = TypeVarTuple("Ts")
P = ParamSpec("P")


class Movie(TypedDict):
    name: str
    year: int


class Optionals(TypedDict, total=False):
    name: str
    year: int


class AndRating(Optionals):
    stars: int


class AndMaybe(Movie, total=False):
    stars: int


class Both(TypedDict):
    name: Required[str]
    year: NotRequired[int]


class Commented(TypedDict, total=False):
    name: Annotated[Required[str], "shown"]
    year: Required[Annotated[int, "AD"]]
    text: str


class Joined(Optionals, Both):
    pass


class Texts(TypedDict):
    name: "str"
    year: "NotRequired[int]"
    next: "NotRequired[Texts]"


class Holder(TypedDict, Generic[T]):
    item: T
    items: NotRequired[list[T]]


class IntHolder(Holder[int]):
    count: int


class Nothing(TypedDict):
    pass


class Tagged(TypedDict):
    tag: Literal["a", "b"]
    value: Union[int, None]


class Shapes(TypedDict):
    main: Shape
    others: Mapping[str, Sequence[Shape]]


class Spot(NamedTuple):
    x: int
    label: str = ""


class Far(Spot):
    """A subclass of a named tuple."""


class Pair(NamedTuple, Generic[K, T]):
    key: K
    value: T


class Tree(NamedTuple):
    value: int
    left: "Tree | None" = None


class Level(enum.IntFlag):
    LOW = 1
    HIGH = 2


class Numbers(enum.Enum):
    ONE = 1
    UNO = 1
    TWO = 2


class MyDict(dict):  # type: ignore[type-arg]
    pass


class Record(Generic[*Ts]): ...


Price = NewType("Price", float)
Point = NewType("Point", tuple[int, int])
Digits = Literal[0, 1, 2]
Toggle = Literal["on", "off"]

TYPED_DICTS: list[Row] = [
    row(AndRating, [{"stars": 1}, {"name": "x", "stars": 2}], [{}, {"name": "x"}], TOTAL, deep=[{"stars": "x"}]),
    row(AndMaybe, [{"name": "x", "year": 1}], [{"stars": 1}, {"name": "x"}], TOTAL),
    row(AndMaybe, [{"name": "x", "year": 1, "stars": 2}], [], TOTAL, deep=[{"name": "x", "year": 1, "stars": None}]),
    row(Both, [{"name": "x"}], [{"year": 1}, {}], QUALIFIED, deep=[{"name": 1}, {"name": "x", "year": "x"}]),
    row(Commented, [{"name": "x", "year": 1}], [{"name": "x"}, {"year": 1}, {"text": ""}], QUALIFIED),
    row(Joined, [{"name": "x"}, {"name": "x", "year": 1}], [], INHERITED, deep=[{"name": "x", "year": "1"}]),
    row(Texts, [{"name": "x"}], [{}, {"year": 1}], QUALIFIED, deep=[{"name": 1}, {"name": "x", "year": "x"}]),
    row(Texts, [{"name": "x", "next": {"name": "y"}}], [], INHERITED, deep=[{"name": "x", "next": {}}]),
    row(Holder[int], [{"item": 1}, {"item": 1, "items": [2]}], [{}], GENERIC_DICT, deep=[{"item": 1, "items": [""]}]),
    row(Holder[str], [{"item": "x"}], [[]], GENERIC_DICT, deep=[{"item": 1}]),
    row(Holder[list[int]], [{"item": [1]}], [{}], GENERIC_DICT, deep=[{"item": 1}, {"item": ["x"]}]),
    row(
        IntHolder, [{"item": 1, "count": 2}], [{"item": 1}, {"count": 1}], GENERIC_DICT, deep=[{"item": 1, "count": ""}]
    ),
    row(Nothing, [{}, {"a": 1}], [[], None], OPEN),
    row(Movie, [{"name": "x", "year": 1}], [MyDict(name="x", year=1), [("name", "x")], "name"], PLAIN_DICT),
    row(Tagged, [{"tag": "a", "value": None}], [{"tag": "a"}], LITERAL, deep=[{"tag": "c", "value": 1}]),
    row(
        Shapes,
        [{"main": Circle(), "others": {"a": [Shape()]}}],
        [{"main": Circle()}],
        INHERITED,
        deep=[{"main": 1, "others": {}}, {"main": Circle(), "others": {"a": [1]}}, {"main": Circle(), "others": []}],
    ),
    row(Movie | Both, [{"name": "x"}, {"name": "x", "year": 1}], [{}, {"year": 1}], KEYS),
    row(tuple[Movie, ...], [({"name": "x", "year": 1},)], [[]], KEYS, deep=[({},)]),
    row(Optional[Optionals], [None, {}], [[], 0], KEYS, deep=[{"year": "x"}]),
    row(Mapping[str, Movie], [{"a": {"name": "x", "year": 1}}], [[]], KEYS, deep=[{"a": {}}]),
]

NAMED_TUPLES: list[Row] = [
    row(Spot, [Spot(1), Far(2, "x")], [(1, ""), [1, ""], None], NAMED, deep=[Spot(None), Far("x")]),  # type: ignore[arg-type]
    row(Far, [Far(1)], [Spot(1), (1, "")], NAMED),
    row(Pair[int, str], [Pair(1, "x")], [(1, "x")], NAMED, deep=[Pair("x", 1), Pair(1, 1)]),
    row(Pair[str, list[int]], [Pair("x", [1])], [("x", [1])], NAMED, deep=[Pair("x", ["x"]), Pair("x", 1)]),
    row(Pair, [Pair(1, "x"), Pair(None, None)], [(1, "x")], NAMED),
    row(Tree, [Tree(1), Tree(1, Tree(2))], [(1, None)], NAMED, deep=[Tree("x"), Tree(1, Tree("x"))]),  # type: ignore[arg-type]
    row(tuple[int, str], [Spot(1), Spot(1, "x"), Far(1)], [Tree(1), Pair(1, 2)], NAMED_AS_TUPLE),
    row(tuple[Any, ...], [Spot(1), Tree(1)], [[1]], NAMED_AS_TUPLE),
    row(Sequence[object], [Spot(1)], [1], NAMED_AS_TUPLE),
]

LITERALS: list[Row] = [
    row(Literal[0, 1], [0, 1], [False, True, 0.0, "0", None], BOOL_LITERAL),
    row(Literal[False], [False], [0, True, None, ""], BOOL_LITERAL),
    row(Literal[1, True], [1, True], [0, False, 1.0, 2], BOOL_LITERAL),
    row(Literal[b"a", "a"], [b"a", "a"], [b"b", bytearray(b"a"), "b", MyBytes(b"a")], BYTES_LITERAL),
    row(Literal[Color.RED, Color.GREEN], [Color.RED, Color.GREEN], [Color, 1, "green", Grade.GOOD], ENUM_LITERAL),
    row(Literal[Grade.GOOD, 2], [Grade.GOOD, 2], [1, Grade.BAD, True], ENUM_LITERAL),
    row(Literal[1], [1], [Grade.GOOD, Level.LOW, MyInt(1), True], LITERAL),
    row(Literal["r"], ["r"], [Mode.READ, MyStr("r"), b"r"], LITERAL),
    row(Literal[Numbers.ONE], [Numbers.ONE, Numbers.UNO], [Numbers.TWO, 1], ENUM_LITERAL),
    row(Literal[Access.R], [Access.R], [Access.R | Access.W, 1], ENUM_LITERAL),
    row(Literal[Digits, "x"], [0, 2, "x"], [3, False, "y"], NESTED_LITERAL),
    row(Literal[Toggle, None], ["on", None], ["ON", 0, "onoff"], NESTED_LITERAL),
    row(Optional[Literal[Color.RED]], [Color.RED, None], [Color.GREEN, 1], ENUM_LITERAL),
    row(Union[Literal[1], Literal["1"]], [1, "1"], [2, True, b"1"], NESTED_LITERAL),
    row(list[Literal[1, 2]], [[], [1, 2]], [(1,)], LITERAL, deep=[[True], [3]]),
    row(dict[Toggle, Digits], [{"on": 1}], [[]], LITERAL, deep=[{"on": 3}, {"up": 1}]),
    row(tuple[Literal[True], Literal[1]], [(True, 1)], [(1, True), (1, 1)], BOOL_LITERAL),
    row(Literal["\n", "\x00é"], ["\n", "\x00é"], ["n", "é"], LITERAL),
    row(Literal[-1], [-1], [1, -1.0, "-1"], LITERAL),
    row(LiteralString, ["", "x" * 3, MyStr("x"), Mode.READ], [b"", None, 1], LITERAL_STRING),
    row(list[LiteralString], [["x"]], ["x"], LITERAL_STRING, deep=[[1]]),
]

FORMS: list[Row] = [
    row(TypeGuard[list[int]], [True, False], [[1], 0, None], GUARD),
    row(Optional[TypeGuard[int]], [True, None], [1], GUARD),
    row(Union[Never, int], [1], ["x", None], NEVER),
    row(list[Never], [[]], [()], NEVER, deep=[[1], [None]]),
    row(dict[str, Never], [{}], [[]], NEVER, deep=[{"a": None}]),
    row(tuple[Never, ...], [()], [[]], NEVER, deep=[(1,)]),
    row(tuple[*Ts], [(), (1, "x")], [[1], None], VARIADIC),
    row(tuple[int, *Ts], [(1,), (1, "x", None)], [(), ("x",)], VARIADIC),
    row(tuple[*Ts, str], [("x",), (1, "x")], [(), (1,)], VARIADIC),
    row(tuple[int, *Ts, str], [(1, "x"), (1, 2, 3, "x")], [(1,), ("x", 1)], VARIADIC),
    row(tuple[int, Unpack[Ts]], [(1,), (1, 2)], [()], VARIADIC),
    row(Record[int, str], [Record(), Record[int]()], [1, None], VARIADIC),
    row(Record[*tuple[int, ...]], [Record()], [()], VARIADIC),
    row(tuple[*tuple[int, ...], *tuple[str]], [(1, "x"), ("x",)], [(), (1,)], UNPACKED_STAR, deep=[(None, "x")]),
    row(tuple[int, Unpack[tuple[str, ...]], int], [(1, 2), (1, "x", 2)], [(1,), (1, "x")], UNPACKED_STAR),
    row(tuple[*tuple[()]], [()], [(1,)], UNPACKED_STAR),
    row(tuple[int, *tuple[int, *tuple[str, ...]]], [(1, 2), (1, 2, "x")], [(1,)], UNPACKED_STAR, deep=[(1, 2, 3)]),
    row(Price, [1.5, 1, True], ["1", None, 1j], NEW_TYPE),
    row(Point, [(1, 2)], [(1,), (1, "x"), [1, 2]], NEW_TYPE),
    row(dict[str, Price], [{"a": 1}], [[]], NEW_TYPE, deep=[{"a": "1"}]),
    row(type[Price], [float, int], [str, 1.5], NEW_TYPE),
    row(Annotated[Literal["a"], "m"], ["a"], ["b"], ANNOTATED),
    row(Annotated[Movie, "m"], [{"name": "x", "year": 1}], [{}], ANNOTATED),
    row(list[Annotated[int, "m"]], [[1]], [()], ANNOTATED, deep=[["x"]]),
    row(Annotated[Union[int, None], "a", "b"], [1, None], ["x"], ANNOTATED),
    row(Final[Annotated[list[int], "m"]], [[1]], [()], "Final says nothing of the type (qualifiers)", deep=[["x"]]),
    row(P.args, [(1,), (), "x"], [], "the arguments of a ParamSpec are any (generics: ParamSpec)"),
    row(Union[T, int], [1, "x", None], [], "a union with an unbound variable accepts all (generics)"),
    row(typing.Generic, [1, None], [], "Generic is no type; nothing is checked"),
]

ROWS: list[Row] = [*TYPED_DICTS, *NAMED_TUPLES, *LITERALS, *FORMS]
