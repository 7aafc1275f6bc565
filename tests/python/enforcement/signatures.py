"""Callables by what they take, protocols by what they ask for, classes as values."""

import functools
import math
import operator
import threading
import typing
from collections.abc import Callable, Iterable
from typing import Any, ClassVar, Generic, Literal, ParamSpec, Protocol, TypeVar, runtime_checkable

from enforcement.rows import Row, row
from enforcement.scalars import Circle, Shape, Square

ARITY = "extra parameters of a callable must have defaults (callables: parameters with default values)"
KEYWORD = "a keyword-only parameter without default can't be left out (callables: keyword-only parameters)"
VARIADIC = "*args take the place of any positional parameters (callables: *args parameters)"
BOUND = "a bound method has lost its first parameter (callables; constructors: converting to callable)"
CLASS = "a class is the callable that its constructor is (constructors: converting a constructor to callable)"
MEMBERS = "all members of the protocol, with compatible types (protocols: assignability)"
METHOD = "a method must be assignable to the protocol's (protocols: assignability; callables: assignability)"
CALLBACK = "a protocol with __call__ accepts callables of its signature (callables: callback protocols)"
CLASS_VARIABLE = "a ClassVar member is one of the class (protocols: protocol members)"
INHERITED = "a protocol has the members of the protocols it inherits (protocols: merging and extending)"
EXPLICIT = "a class that inherits from a protocol implements it (protocols: explicitly declaring)"
GENERIC = "a generic protocol is assignable by its members (protocols: generic protocols)"
TYPE_OF_PROTOCOL = "type[Proto] accepts concrete classes that implement it (protocols: type[] and class objects)"
TYPE = "type[C] accepts C and its subclasses (special types: type[])"
TYPE_UNION = "type[A | B] is type[A] | type[B] (special types: type[])"
GRADUAL = "... accepts every signature (callables: meaning of ...)"

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
BoundShape = TypeVar("BoundShape", bound=Shape)
IntOrStr = TypeVar("IntOrStr", int, str)
P = ParamSpec("P")


def positional_only(a: int, /) -> int: ...  # type: ignore[empty-body]
def positional_default(a: int = 0, /) -> int: ...  # type: ignore[empty-body]
def at_least_two(a: int, b: int, *rest: int) -> int: ...  # type: ignore[empty-body]
def only_keywords(*, a: int) -> int: ...  # type: ignore[empty-body]
def only_optional_keywords(*, a: int = 0) -> int: ...  # type: ignore[empty-body]
def any_keywords(a: int, **rest: int) -> int: ...  # type: ignore[empty-body]
def three(a: int, b: int, c: int) -> int: ...  # type: ignore[empty-body]


@functools.wraps(three)
def wrapping(*args: Any, **kwargs: Any) -> Any: ...


class Maker:
    def __new__(cls, a: int) -> "Maker": ...  # type: ignore[misc, empty-body]


class Derived(Shape):
    def __init__(self, a: int, b: int = 0) -> None: ...


class CallableByClass:
    def __call__(self, a: int, b: int) -> int: ...  # type: ignore[empty-body]

    def two(self, a: int, b: int) -> None: ...

    @classmethod
    def class_two(cls, a: int, b: int) -> None: ...

    @staticmethod
    def static_two(a: int, b: int) -> None: ...


class WithMeta(type):
    def __call__(cls, *args: Any) -> Any:
        return super().__call__()


class Metaclassed(metaclass=WithMeta): ...


THING = CallableByClass()


class HasSize(Protocol):
    size: int


class HasUnits(Protocol):
    units: ClassVar[int]


class HasProperty(Protocol):
    @property
    def size(self) -> int: ...


class Draws(Protocol):
    def draw(self, x: int, y: int) -> None: ...


class DrawsMaybe(Protocol):
    def draw(self, x: int, y: int = 0) -> None: ...


class DrawsAny(Protocol):
    def draw(self, *points: int) -> None: ...


class DrawsWith(Protocol):
    def draw(self, *, color: str) -> None: ...


class Made(Protocol):
    @classmethod
    def make(cls, a: int) -> Any: ...


class Plain(Protocol):
    @staticmethod
    def make(a: int) -> Any: ...


class Handler(Protocol):
    def __call__(self, event: str, /, *rest: int) -> None: ...


class NamedHandler(Protocol):
    def __call__(self, event: str) -> None: ...


class Later(Protocol):
    async def run(self) -> int: ...


class DrawsAndSized(Draws, HasSize, Protocol): ...


class Source(Protocol[T_co]):
    def get(self) -> T_co: ...


@runtime_checkable
class Closes(Protocol):
    def close(self) -> None: ...


class Implements(Draws):
    pass


class Two:
    size = 1
    units = 2

    def draw(self, x: int, y: int) -> None: ...

    def get(self) -> int:
        return 1

    @classmethod
    def make(cls, a: int) -> "Two":
        return cls()

    async def run(self) -> int:
        return 1


class One:
    def __init__(self) -> None:
        self.size = 1
        self.units = 1

    def draw(self, x: int) -> None: ...

    @staticmethod
    def make(a: int) -> "One":
        return One()

    def close(self, force: bool) -> None: ...


class Renamed:
    def draw(self, a: int, b: int) -> None: ...

    def make(self, a: int) -> None: ...


class Many:
    __slots__ = ("size",)

    def __init__(self) -> None:
        self.size = 3

    def draw(self, *args: int, **named: Any) -> None: ...

    def make(self, *args: int) -> None: ...


class Needs:
    def draw(self, x: int, y: int, z: int) -> None: ...


class NeedsKeyword:
    def draw(self, x: int, y: int, *, color: str) -> None: ...


class Colored:
    def draw(self, *, color: str, width: int = 1) -> None: ...


class InInstance:
    def __init__(self) -> None:
        self.draw = lambda x, y: None


class SizedProperty:
    @property
    def size(self) -> int:
        raise AttributeError("it is not asked for")


class Dynamic:
    def __getattr__(self, name: str) -> Any:
        return 1


def handles(event: str, *rest: int) -> None: ...
def handles_one(event: str) -> None: ...
def handles_other(other: str) -> None: ...
def handles_none() -> None: ...


class Box(Generic[T]):
    def get(self) -> T: ...  # type: ignore[empty-body]


FILE = open(__file__, "rb")  # noqa: SIM115 - it lives as long as the table

CALLABLES: list[Row] = [
    row(Callable[[int], int], [positional_only, positional_default, any_keywords], [only_keywords, three], ARITY),
    row(Callable[[], int], [positional_default, only_optional_keywords], [positional_only, only_keywords], KEYWORD),
    row(Callable[[int, int], int], [at_least_two], [positional_only, positional_default, any_keywords], ARITY),
    row(Callable[[int, int, int, int], int], [at_least_two, wrapping], [three], VARIADIC),
    row(Callable[[int], int], [wrapping], [at_least_two], VARIADIC),
    row(Callable[[int, int], None], [THING.two, THING.class_two, THING.static_two, THING], [One().draw], BOUND),
    row(Callable[[int, int], None], [CallableByClass.class_two, CallableByClass.static_two], [], BOUND),
    row(Callable[[Any, int, int], None], [CallableByClass.two], [THING.two, CallableByClass.class_two], BOUND),
    row(Callable[[int], Any], [Derived, Maker, Metaclassed], [CallableByClass, Shape], CLASS),
    row(Callable[[int, int], Shape], [Derived], [Maker], CLASS),
    row(Callable[[], Any], [Shape, Metaclassed, list], [Derived, Maker], CLASS),
    row(
        Callable[[int], int],
        [functools.partial(three, 1, 2)],
        [functools.partial(three), functools.partial(three, 1)],
        ARITY,
    ),
    row(Callable[[], int], [functools.partial(three, 1, b=2, c=3)], [functools.partial(three, 1, 2)], ARITY),
    row(Callable[[int], Any], [functools.partial(Derived, b=1)], [functools.partial(Derived, 1, 2)], ARITY),
    row(Callable[[Any], int], [len, abs, [].append, math.sqrt], [[].clear, isinstance], ARITY),
    row(Callable[[], Any], [[].clear, {}.keys, [].pop], [len, [].append, isinstance], ARITY),
    row(Callable[[Any, Any], Any], [isinstance, operator.add, max], [len, [].append, [].clear], ARITY),
    row(Callable[[str], str], [str.upper, "".join], ["".upper], "a method of a builtin class takes self first"),
    row(Callable[[int], int] | Callable[[], int], [positional_only, positional_default], [three, 1], ARITY),
    row(Callable[[int, str], int] | None, [None, isinstance], [len, 0], ARITY),
    row(Callable[..., Any], [positional_only, only_keywords, len, Shape, THING], ["x", Shape(), None], GRADUAL),
    row(Callable[P, Any], [three, len], [1], "a ParamSpec stands for any parameters (generics: ParamSpec)"),
    row(Callable[P, T], [three, Shape], ["x"], "a ParamSpec stands for any parameters (generics: ParamSpec)"),
    row(Callable[[T], T], [positional_only], [three, handles_none], ARITY),
    row(Callable[[Callable[[int], str]], int], [positional_only], [three], ARITY),
    row(tuple[Callable[[], Any], ...], [(), (handles_none,)], [handles_none], ARITY, deep=[(positional_only,)]),
    row(typing.Callable[[], Any], [handles_none], [positional_only], ARITY),
    row(type[Callable], [THING.two.__class__], [Shape], TYPE),  # type: ignore[type-arg]
]
if hasattr(typing, "TypeVarTuple"):
    Ts = typing.TypeVarTuple("Ts")
    UNPACKED = "an unpacked tuple among the parameters (generics: TypeVarTuple with Callable)"
    CALLABLES += [
        row(Callable[[*Ts], Any], [three, handles_none, len], [1], UNPACKED),
        row(Callable[[int, *Ts], Any], [three, positional_only, at_least_two], ["x"], UNPACKED),
    ]

PROTOCOLS: list[Row] = [
    row(HasSize, [Two(), One(), Many(), SizedProperty(), Dynamic()], [Shape(), Colored(), 1, None], MEMBERS),
    row(HasUnits, [Two(), One()], [Many(), 1], CLASS_VARIABLE),
    row(HasProperty, [Two(), One(), SizedProperty()], [Shape(), []], MEMBERS),
    row(Draws, [Two(), Renamed(), Many(), InInstance(), Implements()], [Shape(), 1, Two], METHOD),
    row(Draws, [Two()], [One(), Needs(), NeedsKeyword(), Colored()], METHOD),
    row(DrawsMaybe, [Many()], [Two(), Needs(), One()], METHOD),
    row(DrawsAny, [Many()], [Two(), One(), Colored()], METHOD),
    row(DrawsWith, [Colored(), Many()], [Two(), NeedsKeyword()], METHOD),
    row(Made, [Two(), One(), Two], [Renamed(), Many(), 1], METHOD),
    row(Plain, [Two(), One()], [Renamed(), Many()], METHOD),
    row(Handler, [handles, Many().draw, print], [handles_one, handles_none, 1, Shape()], CALLBACK),
    row(NamedHandler, [handles_one, handles], [handles_other, handles_none, positional_only], CALLBACK),
    row(Later, [Two()], [One(), 1], METHOD),
    row(DrawsAndSized, [Two(), Many()], [InInstance(), One(), 1], INHERITED),
    row(Implements, [Implements()], [Two()], EXPLICIT),
    row(Source[int], [Two(), Box()], [One(), 1], GENERIC),
    row(Source[T], [Two()], [One()], GENERIC),
    row(
        Closes,
        [One(), FILE],
        [Two(), 1],
        "isinstance looks at names alone (protocols: runtime_checkable)",
    ),
    row(Draws | None, [None, Two()], [One()], METHOD),
    row(list[Draws], [[], [Two()]], [Two()], METHOD, deep=[[One()], [1]]),
    row(dict[str, Handler], [{"a": handles}], [[]], CALLBACK, deep=[{"a": handles_none}]),
    row(type[HasSize], [Two, One], [], TYPE_OF_PROTOCOL),
    row(type[HasUnits], [Two], [Many, Shape, Two()], TYPE_OF_PROTOCOL),
    row(type[Draws], [Two, Implements], [Shape, Two()], TYPE_OF_PROTOCOL),
    row(Iterable[Draws], [[Two()], (Two(),)], [1], METHOD, deep=[[One()]]),
]

CLASSES: list[Row] = [
    row(type[Shape | int], [Shape, Circle, int, bool], [str, Shape(), None], TYPE_UNION),
    row(type[Shape] | type[int], [Circle, int], [str, 1], TYPE_UNION),
    row(type[typing.Union[Circle, Square]], [Circle, Square], [Shape, int], TYPE_UNION),  # noqa: UP007
    row(type[BoundShape], [Shape, Circle], [int, 1, Shape()], "type[T] with a bound (special types: type[])"),
    row(type[IntOrStr], [int, str, bool], [float, 1], "type[T] with constraints (special types: type[])"),
    row(
        type[list[int]],
        [list, list[int], list[str]],
        [dict, [1], 1],
        "aliases of a class are class objects too (generics: user-defined generic types)",
    ),
    row(type[typing.Any], [int, list[int]], [1, "int"], "type[Any] is any class object (special types: type[])"),
    row(type[type], [type, WithMeta], [int, Shape], TYPE),
    row(type[tuple[int, ...]], [tuple], [list, ()], TYPE),
    row(type[Callable[..., Any]], [type(len)], [int, len], TYPE),
    row(type[typing.IO[bytes]], [type(FILE)], [int], TYPE),
    row(list[type[Shape]], [[Shape, Circle]], [Shape], TYPE, deep=[[int], [Shape()]]),
    row(dict[str, type[int | str]], [{"a": int}], [int], TYPE_UNION, deep=[{"a": float}, {"a": 1}]),
    row(tuple[type[Shape], Literal["x"]], [(Circle, "x")], [(int, "x"), (Circle, "y"), (Circle(), "x")], TYPE),
    row(threading.Lock, [threading.Lock()], [threading.RLock(), None, 1], "typeshed: Lock is a class"),
    row(threading.RLock, [threading.RLock()], [threading.Lock(), None], "typeshed: RLock is a class"),
    row(list[threading.Lock], [[threading.Lock()]], [()], "typeshed: Lock is a class", deep=[[1]]),  # type: ignore[valid-type]
]

ROWS: list[Row] = [*CALLABLES, *PROTOCOLS, *CLASSES]
