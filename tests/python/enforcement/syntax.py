"""PEP 695 aliases and generics (3.12 and later), typing_extensions' twins and numpy's arrays where installed."""

import importlib
import sys
import typing
from typing import Any

from enforcement.rows import Row, row
from enforcement.scalars import Circle, Shape

TYPE_ALIAS = "an alias means its value (aliases: type statement)"
RECURSIVE = "an alias may refer to itself (aliases: recursive)"
TWIN = "typing_extensions means what typing means"
ARRAY = "the scalar type of an array's dtype (numpy.typing)"

_STATEMENTS = """
from typing import NamedTuple, TypedDict, Literal, Protocol
type Number = int | float
type Text = str
type Pair[T] = tuple[T, T]
type Items[T] = list[T]
type Entry[K, V] = dict[K, V]
type Maybe[T] = T | None
type Tree = int | tuple[Tree, Tree]
type Json = None | bool | int | float | str | list[Json] | dict[str, Json]
type Nested[T] = T | list[Nested[T]]
type Rest[*Ts] = tuple[int, *Ts]
type Again = Number
type Late = Defined
class Defined: ...
class Box[T]: ...
class Sub[T](Box[T]): ...
class Spot[T](NamedTuple):
    x: T
class Keys[T](TypedDict):
    x: T
class Reads[T](Protocol):
    def read(self) -> T: ...
class File:
    def read(self): ...
"""


def _new_syntax() -> list[Row]:
    if sys.version_info < (3, 12):
        return []
    space: dict[str, Any] = {"__name__": __name__}
    exec(_STATEMENTS, space)
    names = typing.cast(Any, type("Names", (), space))
    return [
        row(names.Number, [1, 1.5], ["x", None], TYPE_ALIAS),
        row(names.Text, ["x"], [1], TYPE_ALIAS),
        row(names.Again, [1, 1.5], ["x"], TYPE_ALIAS),
        row(names.Late, [names.Defined()], [1], TYPE_ALIAS),
        row(names.Number | None, [1, None], ["x"], TYPE_ALIAS),
        row(list[names.Number], [[1]], [()], TYPE_ALIAS, deep=[["x"]]),
        row(names.Pair[int], [(1, 2)], [(1,), (1, "x"), 1], TYPE_ALIAS),
        row(names.Pair[str], [("a", "b")], [(1, 2)], TYPE_ALIAS),
        row(names.Pair, [(1, "x")], [(1,)], TYPE_ALIAS),
        row(names.Items[int], [[1]], [()], TYPE_ALIAS, deep=[["x"]]),
        row(names.Entry[str, int], [{"a": 1}], [[]], TYPE_ALIAS, deep=[{1: 1}]),
        row(names.Maybe[int], [1, None], ["x"], TYPE_ALIAS),
        row(names.Maybe[names.Pair[int]], [None, (1, 2)], [(1, "x")], TYPE_ALIAS),
        row(names.Rest[str], [(1, "x")], [(1,), (1, 2)], TYPE_ALIAS),
        row(names.Rest[str, bytes], [(1, "x", b"")], [(1, "x")], TYPE_ALIAS),
        row(names.Tree, [1, (1, (2, 3))], ["x", (1,), (1, (2, "x"))], RECURSIVE),
        row(
            names.Json,
            [None, 1, "x", [1, [2, {"a": None}]], {"a": [1.5]}],
            [b"", (), 1j],
            RECURSIVE,
            deep=[[b""], {"a": [b""]}, {1: 1}, [[[()]]]],
        ),
        row(names.Nested[int], [1, [1, [2, []]]], ["x"], RECURSIVE, deep=[["x"], [[["x"]]]]),
        row(names.Box[int], [names.Box(), names.Sub()], [1], TYPE_ALIAS),
        row(names.Spot[int], [names.Spot(1)], [(1,)], TYPE_ALIAS, deep=[names.Spot("x")]),
        row(names.Keys[int], [{"x": 1}], [{}], TYPE_ALIAS, deep=[{"x": "x"}]),
        row(names.Reads[int], [names.File()], [1, Shape()], TYPE_ALIAS),
    ]


def _module(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


def _extensions() -> list[Row]:
    te = _module("typing_extensions")
    if te is None:
        return []

    class Movie(te.TypedDict):  # type: ignore[misc]
        name: te.Required[te.ReadOnly[str]]
        year: te.NotRequired[int]

    class Closed(te.TypedDict, closed=True):  # type: ignore[misc, call-arg]
        name: str

    @te.runtime_checkable
    class Closable(te.Protocol):  # type: ignore[misc]
        def close(self) -> None: ...

    class File:
        def close(self) -> None: ...

    class Spot(te.NamedTuple):  # type: ignore[misc]
        x: int

    alias = te.TypeAliasType("alias", int | str)
    t = te.TypeVar("t", bound=Shape)
    items = te.TypeAliasType("items", list[t], type_params=(t,))
    return [
        row(te.Literal[1, "a"], [1, "a"], [True, "b"], TWIN),
        row(te.Annotated[int, 1], [1], ["x"], TWIN),
        row(te.Optional[int], [1, None], ["x"], TWIN),
        row(te.Never, [], [1], TWIN),
        row(te.NoReturn, [], [1], TWIN),
        row(te.Any, [1], [], TWIN),
        row(te.Final[int], [1], ["x"], TWIN),
        row(te.LiteralString, ["x"], [1], TWIN),
        row(te.TypeGuard[int], [True], [1], TWIN),
        row(te.TypeIs[int], [True], [1], TWIN),
        row(Movie, [{"name": "x"}], [{}, {"year": 1}], TWIN, deep=[{"name": 1}, {"name": "x", "year": "x"}]),
        row(Closed, [{"name": "x"}], [{}], TWIN, deep=[{"name": "x", "more": 1}]),
        row(Closable, [File()], [1], TWIN),
        row(Spot, [Spot(1)], [(1,)], TWIN, deep=[Spot("x")]),
        row(alias, [1, "x"], [1.5], TWIN),
        row(items[Circle], [[Circle()]], [()], TWIN, deep=[[1]]),
        row(tuple[int, te.Unpack[tuple[str, ...]]], [(1, "x")], [()], TWIN, deep=[(1, 1)]),
        row(t, [Circle()], [1], TWIN),
        row(te.NewType("N", int), [1], ["x"], TWIN),
        row(te.Type[Shape], [Circle], [int], TWIN),
        row(te.List[int], [[1]], [()], TWIN, deep=[["x"]]),
        row(te.Buffer, [b"", bytearray()], ["x"], TWIN),
    ]


def _numpy() -> list[Row]:
    np = _module("numpy")
    if np is None:
        return []
    npt = importlib.import_module("numpy.typing")
    floats, ints = np.array([1.5]), np.array([1])
    return [
        row(np.ndarray, [floats, ints], [[1.5], 1.5], ARRAY),
        row(npt.NDArray[np.float64], [floats, floats.reshape(1, 1)], [ints, [1.5], None], ARRAY),
        row(npt.NDArray[np.floating], [floats, floats.astype("f4")], [ints], ARRAY),
        row(npt.NDArray[np.floating[Any]], [floats], [ints], ARRAY),
        row(npt.NDArray[np.integer], [ints], [floats], ARRAY),
        row(npt.NDArray[np.bool_], [np.array([True])], [ints], ARRAY),
        row(npt.NDArray[np.str_], [np.array(["x"])], [ints], ARRAY),
        row(npt.NDArray[Any], [floats, ints], [1], ARRAY),
        row(npt.NDArray[np.float64] | None, [None, floats], [ints], ARRAY),
        row(list[npt.NDArray[np.float64]], [[floats]], [()], ARRAY, deep=[[ints]]),
        row(
            np.ndarray[tuple[int, int], np.dtype[np.float64]], [np.ones((1, 1))], [floats, np.ones((1, 1), int)], ARRAY
        ),
        row(np.ndarray[Any, np.dtype[np.float64]], [floats], [ints], ARRAY),
        row(np.dtype[np.float64], [floats.dtype], [ints.dtype, "f8"], ARRAY),
        row(np.float64, [np.float64(1)], [1.5, np.float32(1)], "numpy's scalars are classes of their own"),
        row(float, [np.float64(1)], [np.float32(1), np.int64(1)], "np.float64 is a subclass of float"),
        row(int, [], [np.int64(1)], "np.int64 is no subclass of int"),
        row(np.floating, [np.float32(1)], [1.5], "numpy's scalars are classes of their own"),
    ]


ROWS: list[Row] = [*_new_syntax(), *_extensions(), *_numpy()]
