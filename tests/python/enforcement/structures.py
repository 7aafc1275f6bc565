"""Protocols, TypedDicts, callables, files, and forms that say nothing at run time."""

import collections.abc
import contextlib
import functools
import io
import json
import sys
import tempfile
import typing
from collections.abc import Awaitable, Callable
from typing import Any, Concatenate, Generic, Literal, NotRequired, ParamSpec, Protocol, Required, TypedDict, TypeVar
from typing import runtime_checkable as checkable

from enforcement.rows import Row, row
from enforcement.scalars import Circle, Shape

RUNTIME = "isinstance with a runtime-checkable protocol (protocols: runtime_checkable)"
MEMBERS = "a value implements a protocol that has its members (protocols: assignability)"
MODULES = "a module can implement a protocol (protocols: modules)"
KEYS = "required keys must be there, others may (typed dictionaries: totality)"
EXTRA = "keys that are not named may be there (typed dictionaries: assignability)"
VALUES = "values have the types of their keys (typed dictionaries)"
ARITY = "a callable accepts the parameters of the type (callables: assignability)"
OPEN = "an ellipsis means any parameters (callables: gradual signatures)"
CONCATENATE = "the first parameters are known (generics: Concatenate)"
FILE = "a file object, of text or of bytes (typing: IO)"

T = TypeVar("T")
P = ParamSpec("P")


@checkable
class Closable(Protocol):
    def close(self) -> None: ...


class Hidden(Protocol):
    def close(self) -> None: ...


class Sized2(Protocol):
    size: int

    def grow(self) -> None: ...


@checkable
class Named(Protocol):
    name: str


@checkable
class Both(Closable, Named, Protocol): ...


class Reader(Protocol[T]):
    def read(self) -> T: ...


@checkable
class RuntimeReader(Protocol[T]):
    def read(self) -> T: ...


class Dumps(Protocol):
    def dumps(self, value: Any) -> str: ...


class File:
    name = "x"

    def close(self) -> None: ...

    def read(self) -> str:
        return ""


class OnlyName:
    name = "x"


class InInstance:
    def __init__(self) -> None:
        self.name = "x"


class Nominal(Hidden):
    pass


class Grows:
    def __init__(self) -> None:
        self.size = 1

    def grow(self) -> None: ...


class NotCallable:
    close = None


class Movie(TypedDict):
    name: str
    year: int


class Partial(TypedDict, total=False):
    name: str
    year: int


class Mixed(TypedDict):
    name: str
    year: NotRequired[int]


class Mostly(TypedDict, total=False):
    name: Required[str]
    year: int


class Child(Movie):
    stars: int


class Nested(TypedDict):
    movie: Movie
    tags: list[str]


class Node(TypedDict):
    value: int
    next: "Node | None"


class Page(TypedDict, Generic[T]):
    items: list[T]


Functional = TypedDict("Functional", {"a-b": int, "class": str})


def none() -> None: ...
def one(a: int) -> int: ...  # type: ignore[empty-body]
def two(a: int, b: int) -> int: ...  # type: ignore[empty-body]
def optional(a: int, b: int = 0) -> int: ...  # type: ignore[empty-body]
def many(*args: int) -> int: ...  # type: ignore[empty-body]
def keyword(a: int, *, b: int) -> int: ...  # type: ignore[empty-body]
def keyword_default(a: int, *, b: int = 0) -> int: ...  # type: ignore[empty-body]
def everything(*args: Any, **kwargs: Any) -> Any: ...
async def coroutine(a: int) -> int: ...  # type: ignore[empty-body]


class Methods:
    def one(self, a: int) -> None: ...

    @classmethod
    def made(cls, a: int) -> None: ...

    @staticmethod
    def plain(a: int) -> None: ...

    def __call__(self, a: int) -> None: ...


class TakesOne:
    def __init__(self, a: int) -> None: ...


class TakesNone: ...


METHODS = Methods()
TEXT, BYTES = io.StringIO(), io.BytesIO()
TEMPORARY = tempfile.SpooledTemporaryFile(mode="w+")  # noqa: SIM115 - it lives as long as the table

ROWS: list[Row] = [
    # Protocols
    row(Closable, [TEXT, File(), contextlib.ExitStack()], [1, Shape(), OnlyName(), NotCallable()], RUNTIME),
    row(Named, [File(), OnlyName(), InInstance()], [1, Shape()], RUNTIME),
    row(Both, [File()], [OnlyName(), 1], RUNTIME),
    row(Hidden, [TEXT, File(), Nominal()], [1, Shape(), NotCallable()], MEMBERS),
    row(Sized2, [Grows()], [File(), 1, None], MEMBERS),
    row(Reader[str], [TEXT, File()], [1, Shape()], MEMBERS),
    row(RuntimeReader[str], [TEXT, File()], [1], RUNTIME),
    row(list[Closable], [[], [File()]], [()], RUNTIME, deep=[[1]]),
    row(Closable | None, [None, File()], [1], RUNTIME),
    row(Hidden | int, [1, File()], ["x", Shape()], MEMBERS),
    row(type[Hidden], [File, Nominal], [Shape, File()], MEMBERS),
    row(typing.SupportsInt, [1, 1.5], ["x", None], RUNTIME),
    row(typing.SupportsFloat, [1, 1.5], ["x"], RUNTIME),
    row(typing.SupportsIndex, [1, True], [1.5, "1"], RUNTIME),
    row(typing.SupportsAbs[int], [1, -1.5], ["x"], RUNTIME),
    row(typing.SupportsRound[int], [1.5], ["x"], RUNTIME),
    row(typing.SupportsBytes, [type("B", (), {"__bytes__": lambda self: b""})()], [1], RUNTIME),
    row(typing.SupportsComplex, [1j], ["x"], RUNTIME),
    row(Dumps, [json], [sys, 1], MODULES),
    # Typed dictionaries
    row(Movie, [{"name": "x", "year": 1}], [{}, {"name": "x"}, [], None, {1: 2}], KEYS, deep=[{"name": 1, "year": 1}]),
    row(Movie, [{"name": "x", "year": 1, "more": 0}], [{"nmae": "x", "year": 1}], EXTRA),
    row(Partial, [{}, {"name": "x"}], [[], None], KEYS, deep=[{"name": 1}, {"year": "x"}]),
    row(Mixed, [{"name": "x"}, {"name": "x", "year": 1}], [{}, {"year": 1}], KEYS, deep=[{"name": "x", "year": "x"}]),
    row(Mostly, [{"name": "x"}], [{}, {"year": 1}], KEYS, deep=[{"name": 1}]),
    row(Child, [{"name": "x", "year": 1, "stars": 1}], [{"name": "x", "year": 1}, {"stars": 1}], KEYS),
    row(
        Nested,
        [{"movie": {"name": "x", "year": 1}, "tags": ["x"]}],
        [{"movie": {}}],
        VALUES,
        deep=[{"movie": {}, "tags": []}, {"movie": {"name": "x", "year": 1}, "tags": [1]}],
    ),
    row(
        Node,
        [{"value": 1, "next": None}, {"value": 1, "next": {"value": 2, "next": None}}],
        [{"value": 1}],
        VALUES,
        deep=[{"value": 1, "next": 2}, {"value": 1, "next": {"value": "x", "next": None}}],
    ),
    row(Page[int], [{"items": [1]}], [{}, []], VALUES, deep=[{"items": ["x"]}, {"items": ()}]),
    row(Page[str], [{"items": ["x"]}], [{}], VALUES, deep=[{"items": [1]}]),
    row(Page, [{"items": [1, "x"]}], [{}], VALUES, deep=[{"items": 1}]),
    row(Functional, [{"a-b": 1, "class": "x"}], [{"a-b": 1}], KEYS, deep=[{"a-b": "x", "class": "x"}]),
    row(list[Movie], [[{"name": "x", "year": 1}]], [()], VALUES, deep=[[{}], [1], [{"name": 1, "year": 1}]]),
    row(Movie | None, [None, {"name": "x", "year": 1}], [{}], KEYS, deep=[{"name": 1, "year": 1}]),
    row(dict[str, Partial], [{"a": {}}], [[]], VALUES, deep=[{"a": []}, {"a": {"name": 1}}]),
    # Callables
    row(Callable, [len, one, Shape, METHODS], [1, None, "x"], OPEN),
    row(typing.Callable, [len], [1], OPEN),
    row(Callable[..., int], [len, none, keyword, Shape], ["x", None], OPEN),
    row(typing.Callable[..., Any], [len], [1], OPEN),
    row(Callable[P, int], [none, two], [1], OPEN),
    row(Callable[[], None], [none, many, everything, TakesNone, lambda: 0], [one, two, keyword, 1, TakesOne], ARITY),
    row(Callable[[int], int], [one, optional, many, keyword_default, len], [none, two, keyword, lambda: 0, 1], ARITY),
    row(Callable[[int, int], int], [two, optional, many, everything], [none, one, keyword], ARITY),
    row(Callable[[int, int, int], int], [many, everything], [two, optional], ARITY),
    row(Callable[[int], None], [METHODS.one, METHODS.made, METHODS.plain, METHODS], [none], ARITY),
    row(Callable[[], None], [functools.partial(one, 1)], [METHODS.one], ARITY),
    row(Callable[[Methods, int], None], [Methods.one], [METHODS.one, none], ARITY),
    row(Callable[[int], Shape], [TakesOne], [TakesNone], "a class has the signature of its constructor (constructors)"),
    row(Callable[[int], Awaitable[int]], [coroutine, one], [none], ARITY),
    row(Callable[[Callable[[], int]], int], [one], [none], ARITY),
    row(typing.Callable[[int], int], [one], [none], ARITY),
    row(Callable[Concatenate[int, P], int], [one, two, many], [none], CONCATENATE),
    row(Callable[Concatenate[int, str, P], int], [two, many], [one], CONCATENATE),
    row(Callable[[int], int] | None, [None, one], [none, 1], ARITY),
    row(list[Callable[[int], int]], [[one]], [()], ARITY, deep=[[none], [1]]),
    row(dict[str, Callable[..., Any]], [{"a": len}], [[]], OPEN, deep=[{"a": 1}]),
    # Files
    row(typing.IO, [TEXT, BYTES, TEMPORARY], [1, "x", None, Shape()], FILE),
    row(typing.IO[str], [TEXT, sys.stdout, TEMPORARY], [BYTES, 1], FILE),
    row(typing.IO[bytes], [BYTES], [TEXT, 1], FILE),
    row(typing.IO[Any], [TEXT, BYTES], [1], FILE),
    row(typing.TextIO, [TEXT], [BYTES, 1], FILE),
    row(typing.BinaryIO, [BYTES], [TEXT, b""], FILE),
    row(io.StringIO, [TEXT], [BYTES], FILE),
    row(io.IOBase, [TEXT, BYTES], [1], FILE),
    # Literals within structures
    row(dict[Literal["a", "b"], int], [{"a": 1}], [[]], VALUES, deep=[{"c": 1}]),
    row(tuple[Callable[[int], int], Shape], [(one, Circle())], [(none, Circle()), (one, 1)], ARITY),
]
if sys.version_info >= (3, 12):
    ROWS.append(row(collections.abc.Buffer, [b"", bytearray(), memoryview(b"")], ["x", 1], RUNTIME))
