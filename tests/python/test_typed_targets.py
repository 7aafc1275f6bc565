"""What `typed` decorates: classes, dataclasses, and functions that other decorators have changed."""

import abc
import contextlib
import enum
import functools
import types
import typing
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Generic, NamedTuple, Protocol, TypeVar
from unittest.mock import Mock, patch

import pytest

from castiron import TypeCheckError, typed

T = TypeVar("T")


def fails(call: Callable[[], object], words: str = "must be") -> None:
    with pytest.raises(TypeCheckError, match=words):
        call()


def borrowed(n: int) -> int:
    return n


@typed
class Everything:
    loose = borrowed
    number: int = 0

    def __init__(self, number: int) -> None:
        self.number = number

    def method(self, n: int) -> int:
        return n

    @classmethod
    def made(cls, n: int) -> "Everything":
        return cls(n)

    @staticmethod
    def static(n: int) -> int:
        return n

    @property
    def value(self) -> int:
        return self.number

    @value.setter
    def value(self, value: int) -> None:
        self.number = value

    @functools.cached_property
    def cached(self) -> int:
        return str(self.number)  # type: ignore[return-value]

    @functools.lru_cache  # noqa: B019
    def remembered(self, n: int) -> int:
        return n

    @contextlib.contextmanager
    def opened(self, n: int) -> Iterator[int]:
        yield n

    @functools.singledispatchmethod
    def chosen(self, n: object) -> int:
        return "x"  # type: ignore[return-value]

    @typing.no_type_check
    def left_alone(self, n: int) -> int:
        return n

    class Inner:  # noqa: D106
        def method(self, n: int) -> int:
            return n


def test_class() -> None:
    made = Everything.made(3)
    assert (made.method(1), made.value, made.remembered(4), Everything.static(2)) == (1, 3, 4, 2)
    with made.opened(5) as value:
        assert value == 5
    for call in (
        lambda: Everything("x"),  # type: ignore[arg-type]
        lambda: made.method("x"),  # type: ignore[arg-type]
        lambda: Everything.made("x"),  # type: ignore[arg-type]
        lambda: Everything.static("x"),  # type: ignore[arg-type]
        lambda: setattr(made, "value", "x"),
        lambda: made.cached,
        lambda: made.remembered("x"),  # type: ignore[arg-type]
        lambda: made.opened("x"),  # type: ignore[arg-type]
        lambda: made.chosen(1),
        lambda: Everything.Inner().method("x"),  # type: ignore[arg-type]
    ):
        fails(call)
    assert Everything.loose("x") == borrowed("x") == "x"  # type: ignore[arg-type]
    assert made.left_alone("x") == "x"


def test_inherited_methods_belong_to_their_own_class() -> None:
    class Base:
        def method(self, n: int) -> int:
            return n

    @typed
    class Derived(Base):
        def other(self, n: int) -> int:
            return n

    fails(lambda: Derived().other("x"))  # type: ignore[arg-type]
    assert Derived().method("x") == "x"  # type: ignore[arg-type]


def test_subclasses_of_a_checked_class() -> None:
    class Derived(Everything):
        def method(self, n: object) -> object:  # type: ignore[override]
            return super().method(n)  # type: ignore[arg-type]

    assert Derived(1).method(2) == 2
    fails(lambda: Derived(1).method("x"))
    fails(lambda: Derived("x"))  # type: ignore[arg-type]


@pytest.mark.parametrize("options", [{}, {"slots": True}, {"frozen": True}, {"kw_only": True}])
def test_dataclass(options: dict[str, bool]) -> None:
    @typed
    @dataclass(**options)
    class Point:
        x: int
        y: "float" = 0.5
        tags: list[str] = field(default_factory=list)
        odd: int = None  # type: ignore[assignment]

        def scaled(self, by: int) -> "Point":
            return Point(x=self.x * by)

    point = Point(x=1)
    assert (point.x, point.y, point.tags, point.odd) == (1, 0.5, [], None)
    assert point.scaled(3) == Point(x=3)
    fails(lambda: Point(x="1"), r"Point.__init__\(\) argument 'x' must be int, not str: '1'")  # type: ignore[arg-type]
    fails(lambda: Point(x=1, y="2"))  # type: ignore[arg-type]
    fails(lambda: Point(x=1, tags=()))  # type: ignore[arg-type]
    fails(lambda: point.scaled("x"))  # type: ignore[arg-type]


def test_named_tuple() -> None:
    @typed
    class Pair(NamedTuple):
        one: int
        two: str = ""

        def both(self, more: int) -> str:
            return f"{self.one}{self.two}{more}"

    assert Pair(1).both(2) == "12"
    fails(lambda: Pair("x"))  # type: ignore[arg-type]
    fails(lambda: Pair(1).both("x"))  # type: ignore[arg-type]


def test_enum_protocol_and_generic() -> None:
    @typed
    class Colour(enum.Enum):
        RED = 1

        def mixed(self, other: "Colour") -> "Colour":
            return other

    @typed
    class Named(Protocol):
        def named(self, n: int) -> str:
            return str(n)

    class Own(Named): ...

    @typed
    class Box(Generic[T]):
        def __init__(self, item: T, count: int = 1) -> None:
            self.item = item

    assert Colour.RED.mixed(Colour.RED) is Colour.RED
    fails(lambda: Colour.RED.mixed(1))  # type: ignore[arg-type]
    fails(lambda: Own().named("x"))  # type: ignore[arg-type]
    assert Box("x").item == "x"
    fails(lambda: Box("x", "y"))  # type: ignore[arg-type]


def test_decorator_of_a_method_goes_before_that_of_the_class() -> None:
    @typed
    class Mixed:
        @typed(deep=True)
        def deep(self, values: list[int]) -> None: ...

        def shallow(self, values: list[int]) -> None: ...

    Mixed().shallow(["x"])  # type: ignore[list-item]
    fails(lambda: Mixed().deep(["x"]))  # type: ignore[list-item]


def test_metaclass() -> None:
    @typed
    class Meta(type):
        def __call__(cls, n: int) -> "Made":
            return super().__call__(n)

    class Made(metaclass=Meta):
        def __init__(self, n: int) -> None: ...

    assert type(Made(1)) is Made
    fails(lambda: Made("x"))  # type: ignore[arg-type]


def test_abstract_methods() -> None:
    class Shape(abc.ABC):
        @typed
        @abc.abstractmethod
        def above(self, n: int) -> int:
            return n

        @abc.abstractmethod
        @typed
        def below(self, n: int) -> int: ...

        @property
        @typed
        @abc.abstractmethod
        def between(self) -> int: ...

    assert Shape.__abstractmethods__ == {"above", "below", "between"}

    class Square(Shape):
        def above(self, n: int) -> int:
            return super().above(n)

        def below(self, n: int) -> int:
            return n

        between = 3  # type: ignore[assignment]

    assert Square().above(1) == 1
    fails(lambda: Square().above("x"))  # type: ignore[arg-type]


def test_overload() -> None:
    @typing.overload
    def f(n: int) -> str: ...
    @typing.overload
    def f(n: str) -> int: ...
    @typed
    def f(n: int | str) -> int | str:
        return str(n) if isinstance(n, int) else int(n)

    assert (f(1), f("1")) == ("1", 1)
    fails(lambda: f(b""))  # type: ignore[call-overload]


def logged(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return ["logged", function(*args, **kwargs)]

    return wrapper


def injecting(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def wrapper(*args: Any) -> Any:
        return function("injected", *args)

    return wrapper


def test_decorators_above_and_below() -> None:
    @typed
    @logged
    @injecting
    @logged
    def above(text: str, n: int) -> int:
        return n

    @logged
    @typed
    def below(n: int) -> int:
        return n

    assert above(1) == ["logged", ["logged", 1]]
    assert below(1) == ["logged", 1]
    fails(lambda: above("x"), "argument 'n'")
    fails(lambda: below("x"), "argument 'n'")


def test_wrapper_with_annotations_of_its_own() -> None:
    def inner(n: int) -> int:
        return n

    @typed
    @functools.wraps(inner, assigned=("__name__",))
    def wrapper(text: str) -> str:
        return str(inner(text))  # type: ignore[arg-type]

    assert wrapper("x") == "x"
    fails(lambda: wrapper(1), "argument 'text'")  # type: ignore[arg-type]


@pytest.mark.parametrize("above", [True, False])
def test_context_manager(above: bool) -> None:
    def opened(n: int) -> Iterator[int]:
        yield n if n else "x"  # type: ignore[misc]

    made: Any = typed(contextlib.contextmanager(opened)) if above else contextlib.contextmanager(typed(opened))
    with made(1) as value:
        assert value == 1
    fails(lambda: made("x"), "argument 'n'")
    fails(lambda: made(0).__enter__(), "yielded value")


@pytest.mark.parametrize("above", [True, False])
def test_lru_cache(above: bool) -> None:
    calls = []

    def slow(n: int) -> int:
        calls.append(n)
        return n

    cached: Any = typed(functools.lru_cache(maxsize=8)(slow)) if above else functools.lru_cache(maxsize=8)(typed(slow))
    assert (cached(1), cached(1), calls) == (1, 1, [1])
    assert cached.cache_info().maxsize == 8
    fails(lambda: cached("x"))


def test_singledispatch() -> None:
    @typed
    @functools.singledispatch
    def show(value: object, n: int = 0) -> str:
        return "object"

    @show.register
    @typed
    def _(value: int, n: int = 0) -> str:
        return n  # type: ignore[return-value]

    assert show("x") == "object"
    fails(lambda: show("x", "n"), "argument 'n'")  # type: ignore[arg-type]
    fails(lambda: show(1), "result must be str")


def test_wraps_over_a_checked_function() -> None:
    @typed
    def inner(n: int) -> int:
        return n

    @functools.wraps(inner)
    def wrapper(*args: Any) -> Any:
        return inner(*args)

    assert wrapper(1) == 1
    fails(lambda: wrapper("x"), "inner")
    assert typed(wrapper)(1) == 1


def test_wrappers_that_go_in_circles() -> None:
    def one(n: int) -> int:
        return n

    one.__wrapped__ = one  # type: ignore[attr-defined]
    with pytest.raises(TypeError, match="nest too deeply"):
        one = typed(one)


def test_mock_arguments() -> None:
    class Service:
        def ask(self, n: int) -> int:
            return n

    @typed
    def use(service: Service) -> int:
        return service.ask(3)

    mock = Mock(spec=Service)
    mock.ask.return_value = 7
    assert use(mock) == 7
    fails(lambda: use(Mock()))
    with patch.object(Service, "ask", return_value="x"):
        fails(lambda: use(Service()), "result must be int")


def test_monkeypatched_and_bound() -> None:
    @typed
    def method(self: object, n: int) -> int:
        return n

    class Plain:
        attached = method

    plain = Plain()
    bound = types.MethodType(method, plain)
    assert plain.attached(1) == bound(2) - 1 == 1
    fails(lambda: plain.attached("x"))  # type: ignore[arg-type]
    fails(lambda: bound("x"))


@pytest.mark.parametrize("value", [3, "f", object(), int, functools.partial(len)])
def test_refusals(value: Any) -> None:
    with pytest.raises(TypeError, match="typed takes a function"):
        value = typed(value)
