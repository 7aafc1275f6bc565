"""What each annotation accepts and refuses, as a parameter and as a result."""

# ruff: noqa: UP006, UP007, UP019, UP045 - the old spellings are annotations too

import abc
import collections
import collections.abc
import contextlib
import dataclasses
import enum
import functools
import gc
import io
import numbers
import re
import sys
import typing
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Generic, Literal, NewType, Optional, Protocol, TypeVar, Union, runtime_checkable
from unittest import mock

import pytest

from castiron import TypeCheckError, typed


class Shape:
    pass


class Circle(Shape):
    pass


class Color(enum.Enum):
    RED = 1
    GREEN = 2


class Grade(enum.IntEnum):
    GOOD = 1


class Registered(abc.ABC):  # noqa: B024 - it only registers
    pass


Registered.register(Circle)


@runtime_checkable
class Closable(Protocol):
    def close(self) -> None: ...


class Hidden(Protocol):
    def close(self) -> None: ...


class Movie(typing.TypedDict):
    name: str


class Point(typing.NamedTuple):
    x: int


class Even(type):
    def __instancecheck__(cls, value: object) -> bool:
        return isinstance(value, int) and value % 2 == 0


class EvenNumber(metaclass=Even):
    pass


T = TypeVar("T")
Bound = TypeVar("Bound", bound=Shape)
Constrained = TypeVar("Constrained", int, str)
UserId = NewType("UserId", int)


class Box(Generic[T]):
    pass


UNSUITABLE = object()

TABLE: list[tuple[Any, list[object], list[object]]] = [
    (int, [0, -1, 10**30, True, Grade.GOOD], [1.0, "1", None, 1j, int]),
    (float, [0.5, 1, True, float("nan")], ["1", None, 1j]),
    (complex, [1j, 1.5, 1, False], ["1", None]),
    (bool, [True, False], [0, 1, None]),
    (str, ["", "x"], [b"x", 1, None]),
    (bytes, [b""], [bytearray(), "", memoryview(b"")]),
    (None, [None], [0, False, ""]),
    (type(None), [None], [0]),
    (object, [None, 1, object], []),
    (Any, [None, 1, object], []),
    (typing.NoReturn, [], [None, 1]),
    (typing.Never, [], [None]),
    (int | str, [1, "x", True], [1.0, None, b""]),
    (int | None, [1, None, True], ["x", 1.0]),
    (Optional[int], [1, None], ["x"]),
    (Union[int, str, None], [1, "x", None], [1.5]),
    (Union[float, str], [1, 1.5, "x"], [None, b""]),
    (Union[int, Any], [1, "x", None], []),
    (typing.Annotated[int, "metadata"], [1], ["1"]),
    (typing.Final[int], [1], ["1"]),
    (typing.ClassVar[int], [1], ["1"]),
    (dataclasses.InitVar[int], [1], ["1"]),
    (UserId, [1, UserId(2)], ["1"]),
    (T, [1, "x", None], []),
    (Bound, [Shape(), Circle()], [1, None]),
    (Constrained, [1, "x"], [1.5, None]),
    (typing.AnyStr, ["x", b"x"], [1]),
    (Shape, [Shape(), Circle()], [1, Shape, None]),
    (Registered, [Circle()], [Shape()]),
    (EvenNumber, [2, EvenNumber()], [3, "x"]),
    (Color, [Color.RED], [1, "RED"]),
    (list, [[], [1]], [(), None]),
    (list[int], [[], [1], ["x"]], [(), {}, None]),
    (typing.List[int], [[], ["x"]], [()]),
    (typing.List, [[]], [()]),
    (dict[str, int], [{}, {1: 2}, collections.OrderedDict()], [[], None]),
    (typing.Dict[str, int], [{}], [[]]),
    (set[int], [set()], [frozenset(), []]),
    (frozenset[int], [frozenset()], [set()]),
    (collections.deque[int], [collections.deque()], [[]]),
    (typing.Deque[int], [collections.deque()], [[]]),
    (tuple, [(), (1,)], [[]]),
    (tuple[int, str], [(1, "x"), (True, "")], [(1,), (1, 2), ("x", 1), (1, "x", 2), [1, "x"], None]),
    (tuple[int, ...], [(), (1, 2), ("x",)], [[], 1]),
    (tuple[()], [()], [(1,), []]),
    (tuple[tuple[int, int], None], [((1, 2), None)], [((1, "x"), None), (1, None), ((1, 2), 3)]),
    (tuple[Any, Any], [(1, 2)], [(1,)]),
    (typing.Tuple[int, str], [(1, "x")], [(1, 1)]),
    (typing.Tuple, [()], [[]]),
    (Point, [Point(1)], [(1,)]),
    (Literal[1, "x", None], [1, "x", None], [True, 1.0, 2, "y", [], {}]),
    (Literal[True], [True], [1, False]),
    (Literal[b"x"], [b"x"], ["x"]),
    (Literal[Color.RED], [Color.RED], [Color.GREEN, 1]),
    (Literal[1] | str, [1, "x"], [2]),
    (type, [int, Shape, Even], [1, None]),
    (type[Shape], [Shape, Circle], [int, Shape(), None]),
    (typing.Type[Shape], [Circle], [int]),
    (type[int | str], [int, bool, str], [float, 1]),
    (type[float], [float, int], [str]),
    (type[Any], [int], [1]),
    (type[Bound], [Circle], [int]),
    (Callable, [len, lambda: 0, Shape], [1, None]),
    (Callable[[int], str], [len, str], [1, None, Shape]),
    (Callable[..., int], [len], ["x"]),
    (typing.Callable[[int], int], [len], [1]),
    (typing.Callable, [len], [1]),
    (Closable, [io.StringIO(), contextlib.closing(io.StringIO()).thing], [1, Shape()]),
    (Hidden, [io.StringIO()], [1]),
    (Movie, [{"name": "x"}, {"name": 1}], [{}, [], None]),
    (Iterable[int], [[], (), "x", iter(())], [1, None]),
    (Sequence[str], ["x", [], ()], [set(), 1]),
    (Mapping[str, int], [{}, collections.ChainMap()], [[], 1]),
    (typing.Mapping, [{}], [[]]),
    (typing.Hashable, [1], [[]]),
    (typing.Sized, [[]], [1]),
    (numbers.Number, [1, 1j], ["x"]),
    (Box, [Box()], [1]),
    (Box[int], [Box()], [1]),
    (typing.IO[str], [sys.stdout], [1, io.BytesIO()]),
    (typing.TextIO, [sys.stdout], []),
    (typing.TypeGuard[int], [True], [1]),
    (typing.LiteralString, ["x"], [1]),
    (typing.Text, ["x"], [b"x"]),
    (typing.ForwardRef("int"), [1], ["x"]),
    (Optional["Shape"], [None, Circle()], [1]),
    (tuple["Shape", "int"], [(Circle(), 1)], [(1, 1), (Circle(), "x")]),
    (list["Nowhere"], [[]], [1]),  # noqa: F821 - never found
    (UNSUITABLE, [1, None], []),
    (3, [1, None], []),
    ([int], [1, None], []),
]


def _cases(column: int) -> list[Any]:
    return [
        # No repr of a value: it may hold an address, and test processes must agree on the names.
        pytest.param(row[0], value, id=re.sub(" at 0x[0-9a-f]+", "", f"{row[0]!r}-{number}"))
        for row in TABLE
        for number, value in enumerate(row[column])  # type: ignore[arg-type]
    ]


def parameter(annotation: object) -> Callable[[object], object]:
    def check(value):  # type: ignore[no-untyped-def]
        return value

    check.__annotations__["value"] = annotation
    return typed(check)


def result(annotation: object) -> Callable[[object], object]:
    def check(value):  # type: ignore[no-untyped-def]
        return value

    check.__annotations__["return"] = annotation
    return typed(check)


@pytest.mark.parametrize("make", [parameter, result])
@pytest.mark.parametrize(("annotation", "value"), _cases(1))
def test_good_value_passes(make: Any, annotation: object, value: object) -> None:
    check = make(annotation)
    for _ in range(3):
        assert check(value) is value


@pytest.mark.parametrize("make", [parameter, result])
@pytest.mark.parametrize(("annotation", "value"), _cases(2))
def test_bad_value_fails(make: Any, annotation: object, value: object) -> None:
    check = make(annotation)
    for _ in range(3):
        with pytest.raises(TypeCheckError) as caught:
            check(value)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("annotation", "text"),
    [
        (int, "int"),
        (None, "None"),
        (int | None, "int | None"),
        (Optional[Shape], "Shape | None"),
        (Union[int, str], "int | str"),
        (list[int], "list[int]"),
        (typing.List[Shape], "list[Shape]"),
        (dict[str, Union[int, None]], "dict[str, int | None]"),
        (tuple[int, ...], "tuple[int, ...]"),
        (tuple[int, tuple[()]], "tuple[int, tuple[()]]"),
        (Literal[1, "x", Color.RED], "Literal[1, 'x', Color.RED]"),
        (type[Shape], "type[Shape]"),
        (type[int | str], "type[int | str]"),
        (Callable[[int, str], None], "Callable[[int, str], None]"),
        (Callable[..., int], "Callable[..., int]"),
        (UserId, "int"),
        (Box[int], "Box[int]"),
        (typing.Never, "Never"),
    ],
)
def test_text_of_an_annotation(annotation: object, text: str) -> None:
    with pytest.raises(TypeCheckError) as caught:
        parameter(annotation)(UNSUITABLE)
    assert caught.value.expected == text


@pytest.mark.parametrize("spec", [int, float, complex, str, Shape])
def test_mock_with_a_spec_is_an_instance(spec: type) -> None:
    stand_in = mock.Mock(spec=spec)
    assert parameter(spec)(stand_in) is stand_in


def test_exception_in_instancecheck_is_not_changed() -> None:
    class Meta(type):
        def __instancecheck__(cls, value: object) -> bool:
            raise ZeroDivisionError("asked")

    class Strange(metaclass=Meta):
        pass

    with pytest.raises(ZeroDivisionError, match="asked"):
        parameter(Strange)(1)
    with pytest.raises(ZeroDivisionError, match="asked"):
        result(Strange | int)(1.5)


def test_class_that_died_is_not_confused_with_another() -> None:
    def check(value: object) -> object:
        return value

    local = type("Local", (), {})
    check.__annotations__["value"] = local
    check = typed(check)
    check(local())
    check.__annotations__.clear()
    del local
    gc.collect()
    for _ in range(100):
        with pytest.raises(TypeCheckError):
            check(type("Local", (), {})())


@pytest.mark.skipif(sys.version_info < (3, 12), reason="the syntax is new in 3.12")
def test_type_parameters_and_aliases() -> None:
    space: dict[str, Any] = {"typed": typed}
    exec(
        "type Number = int | float\n"
        "type Tree = int | tuple[Tree, Tree]\n"
        "type Endless = Endless | None\n"
        "type Broken = Nowhere\n"
        "type Pair[T] = tuple[T, T]\n"
        "@typed\n"
        "def bounded[T: int](value: T) -> T: return value\n"
        "@typed\n"
        "def quoted[T: int](value: 'T | None') -> 'T | None': return value\n"
        "@typed\n"
        "def number(value: Number): return value\n"
        "@typed\n"
        "def tree(value: Tree): return value\n"
        "@typed\n"
        "def endless(value: Endless): return value\n"
        "@typed\n"
        "def broken(value: Broken): return value\n"
        "@typed\n"
        "def pair(value: Pair[int]): return value\n",
        space,
    )
    for name, good, bad in [
        ("bounded", [1], ["x"]),
        ("quoted", [1, None], ["x"]),
        ("number", [1, 1.5], ["x"]),
        ("tree", [1, (1, (2, 3))], ["x", (1,), (1, (2, "x"))]),
        ("endless", [None], []),
        ("broken", [1], []),
        ("pair", [(1, 2)], [(1,), 1]),
    ]:
        for value in good:
            assert space[name](value) is value
        for value in bad:
            with pytest.raises(TypeCheckError):
                space[name](value)


class Plain(list):  # type: ignore[type-arg]
    pass


class Reversing(list):  # type: ignore[type-arg]
    def __iter__(self):  # type: ignore[no-untyped-def]
        return reversed(list(super().__iter__()))


@pytest.mark.parametrize(
    ("annotation", "good", "bad"),
    [
        (list[int], [[], [1, True], Plain([1]), Reversing(["x"])], [["x"], [1, 1.5], Plain(["x"]), ()]),
        (tuple[int, ...], [(), (1, 2)], [("x",), (1, None), []]),
        (dict[str, list[int]], [{}, {"a": [1]}], [{1: []}, {"a": ["x"]}, []]),
        (set[int], [set(), {1}], [{"x"}, {1, "x"}]),
        (frozenset[int], [frozenset({1})], [frozenset({"x"})]),
        (list[int] | None, [None, [1]], [["x"]]),
    ],
)
def test_deep(annotation: Any, good: list[object], bad: list[object]) -> None:
    def check(value):  # type: ignore[no-untyped-def]
        return value

    check.__annotations__["value"] = annotation
    check = typed(deep=True)(check)
    for value in good:
        assert check(value) is value
    for value in bad:
        with pytest.raises(TypeCheckError):
            check(value)


@pytest.mark.parametrize(
    ("annotation", "good", "bad"),
    [
        (int, [1, Grade.GOOD], [True, 1.0]),
        (float, [1.5], [1, True]),
        (complex, [1j], [1, 1.5]),
        (bool, [True], [1]),
        (int | None, [1, None], [False]),
    ],
)
def test_strict(annotation: Any, good: list[object], bad: list[object]) -> None:
    def check(value):  # type: ignore[no-untyped-def]
        return value

    check.__annotations__["value"] = annotation
    check = typed(strict=True)(check)
    for value in good:
        assert check(value) is value
    for value in bad:
        with pytest.raises(TypeCheckError):
            check(value)


class Painter(Protocol):
    def draw(self, x: int, y: int) -> None: ...


class Dot:
    def draw(self, x: int) -> None: ...


class Brush:
    def draw(self, x: int, y: int, *, color: str) -> None: ...


class Listener(Protocol):
    def __call__(self, event: str) -> None: ...


def test_words_about_what_callables_take() -> None:
    def of(annotation: Any, value: object) -> str:
        def f(x: annotation) -> None: ...  # type: ignore[valid-type]

        with pytest.raises(TypeCheckError) as raised:
            typed(f)(value)
        return str(raised.value).rpartition("; ")[2]

    assert of(Painter, Dot()) == "its draw() takes 1 positional argument"
    assert of(Painter, Brush()) == "its draw() wants the keyword argument 'color'"
    assert of(Listener, lambda other: None) == "its __call__() has a parameter 'other' in the place of 'event'"
    assert of(Callable[[], int], functools.partial(lambda a, *b: 0)) == "it takes at least 1 positional argument"
    assert of(Callable[[int, int], int], len) == "it takes 1 positional argument"
    assert of(Callable[[int], int], functools.partial(pow, 1, 2, 3)) == "it takes 0 positional arguments"
