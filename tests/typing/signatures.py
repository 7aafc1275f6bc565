"""What type checkers see of decorated functions: the signature that was decorated, nothing else.

mypy --strict and pyright read this file; it also runs. Each `ignore` names an error that must be there: both checkers
report ignores that are not needed.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar, assert_type, overload

from castiron import TypeCheckError, enforce, explain, frozen, is_compiled, jit, typed, unchecked

T = TypeVar("T")


@typed
def plain(n: int, *, name: str = "") -> list[str]:
    return [name] * n


@typed(deep=True, strict=True, on_violation="raise")
def with_options(values: list[int]) -> int:
    return sum(values)


@jit
def compiled(n: int, m: float = 1.0) -> float:
    return n * m


@jit(eager=True)
def eager(n: int) -> int:
    return n


@typed
def generic(value: T, *more: T) -> T:
    return value


@typed
async def later(n: int) -> str:
    return str(n)


@typed
def yielding(n: int) -> Iterator[int]:
    yield n


@typed
async def yielding_later(n: int) -> AsyncIterator[int]:
    yield n


@typed
@contextmanager
def opened(n: int) -> Generator[str]:
    yield str(n)


@unchecked
def free(n: int) -> int:
    return n


@overload
def overloaded(n: int) -> int: ...
@overload
def overloaded(n: str) -> str: ...
@typed
def overloaded(n: int | str) -> int | str:
    return n


@typed
class Shape:
    @typed
    def __init__(self, side: int) -> None:
        self.side = side

    @typed
    def scaled(self, by: int) -> "Shape":
        return Shape(self.side * by)

    @classmethod
    @typed
    def unit(cls) -> "Shape":
        return cls(1)

    @typed
    @classmethod
    def double(cls) -> "Shape":
        return cls(2)

    @typed
    @staticmethod
    def sides(n: int) -> int:
        return n

    @property
    @typed
    def area(self) -> int:
        return self.side**2

    @cached_property
    @typed
    def cached(self) -> int:
        return self.side


@typed
@dataclass
class Point:
    x: int
    y: float = 0.0


@frozen
class Sealed:
    """A frozen class has the signature of the dataclass, its methods keep theirs."""

    width: int
    height: float = 1.0

    @typed
    def area(self, scale: int) -> float:
        return self.width * self.height * scale

    @jit
    def doubled(self) -> int:
        return self.width * 2


@frozen(immutable=True, order=True, kw_only=True)
class SealedVersion:
    """Options keep the signature too."""

    major: int
    minor: int = 0


def check_types() -> None:
    function: Callable[[int], int] = eager
    assert_type(plain(1, name="x"), list[str])
    assert_type(with_options([1]), int)
    assert_type(compiled(1), float)
    assert_type(function(1), int)
    assert_type(generic("x", "y"), str)
    assert_type(generic(1), int)
    assert_type(list(yielding(1)), list[int])
    assert_type(free(1), int)
    assert_type(overloaded(1), int)
    assert_type(overloaded("x"), str)
    assert_type(Shape(1), Shape)
    assert_type(Shape(1).scaled(2), Shape)
    assert_type(Shape.unit(), Shape)
    assert_type(Shape.double(), Shape)
    assert_type(Shape.sides(1), int)
    assert_type(Shape(1).area, int)
    assert_type(Shape(1).cached, int)
    assert_type(Point(1, 2.0).y, float)
    sealed = Sealed(1)
    assert_type(sealed, Sealed)
    assert_type(sealed.width, int)
    assert_type(sealed.height, float)
    assert_type(sealed.area(2), float)
    assert_type(sealed.doubled(), int)
    assert_type(SealedVersion(major=1).minor, int)
    assert_type(is_compiled(plain), bool)
    assert_type(explain(compiled).reasons, tuple[str, ...])
    with opened(1) as value:
        assert_type(value, str)
    coroutine: Coroutine[Any, Any, str] = later(1)
    awaitable: Awaitable[str] = coroutine
    coroutine.close()
    iterator: AsyncIterator[int] = yielding_later(1)
    del awaitable, iterator


def check_errors() -> None:
    plain("x")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    plain(1, "x")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    compiled("x")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    eager(n="x")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Shape("x")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Shape(1).scaled("x")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Shape.sides("x")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Point("x")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Sealed("1")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Sealed(1, 2.0, 3)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    SealedVersion(1)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    Sealed(1).width = "1"  # type: ignore[assignment]  # pyright: ignore[reportAttributeAccessIssue]
    Sealed(1).area("2")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    typed(3)  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]
    enforce(1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def check_at_run_time() -> None:
    check_types()
    try:
        plain("x")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    except TypeCheckError as error:
        assert_type(error.function, str)
        assert_type(error.parameter, str | None)
    else:
        raise AssertionError("the check passed")


if __name__ == "__main__":
    check_at_run_time()
