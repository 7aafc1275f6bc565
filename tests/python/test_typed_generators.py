"""Generators and asynchronous generators: what they yield, are sent and return is checked as it happens."""
# ruff: noqa: UP028

import asyncio
import inspect
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Generator, Iterable, Iterator
from typing import Annotated, Any

import pytest

from castiron import TypeCheckError, typed
from castiron._mode import PURE


def test_yields_sends_and_result() -> None:
    @typed
    def talk(n: int) -> Generator[int, str, bytes]:
        heard = yield n
        while heard != "stop":
            heard = yield len(heard)
        return b"end"

    talking = talk(1)
    assert (next(talking), talking.send("four"), talking.send("")) == (1, 4, 0)
    with pytest.raises(StopIteration) as stopped:
        talking.send("stop")
    assert stopped.value.value == b"end"

    talking = talk(1)
    next(talking)
    with pytest.raises(TypeCheckError, match=r"talk\(\) sent value must be str, not int: 3") as caught:
        talking.send(3)  # type: ignore[arg-type]
    assert (caught.value.parameter, caught.value.value) == (None, 3)
    assert list(talking) == []


@pytest.mark.parametrize(
    "annotation",
    [
        Generator[int, None, None], Iterator[int], Iterable[int], Annotated[Iterator[int], "note"],
        Iterator[int] | None, "Iterator[int]", "Generator[int]", "'Iterator[int]'",
    ],
)  # fmt: skip
def test_each_annotation_of_a_generator_checks_yields(annotation: Any) -> None:
    def numbers(values: list) -> Any:
        for value in values:
            yield value

    numbers.__annotations__["return"] = annotation
    numbers = typed(numbers)
    made = numbers([1, 2, "x", 3])
    assert (next(made), next(made)) == (1, 2)
    with pytest.raises(TypeCheckError, match=r"numbers\(\) yielded value must be int, not str: 'x'"):
        next(made)


@pytest.mark.parametrize("annotation", [Any, object, Iterator, Generator, Iterable[Any], Iterator[object]])
def test_annotations_that_say_nothing(annotation: Any) -> None:
    def numbers() -> Any:
        yield "x"
        return 3

    numbers.__annotations__["return"] = annotation
    numbers = typed(numbers)
    assert list(numbers()) == ["x"]


@pytest.mark.parametrize("annotation", [int, list[int], "str", AsyncIterator[int]])
def test_annotation_that_refuses_every_generator_fails_at_the_call(annotation: Any) -> None:
    def numbers() -> Any:
        yield 1

    numbers.__annotations__["return"] = annotation
    numbers = typed(numbers)
    with pytest.raises(TypeCheckError, match=r"numbers\(\) result must be .*, not generator"):
        numbers()


def test_result_of_a_generator() -> None:
    @typed
    def count(result: object) -> Generator[int, None, str]:
        yield 1
        return result  # type: ignore[return-value]

    @typed
    def falls_off() -> Generator[int, None, str]:
        yield 1

    def drive(made: Generator[int, None, str]) -> str:
        return (yield from made)  # type: ignore[misc]

    good = count("r")
    next(good)
    with pytest.raises(StopIteration, match="r"):
        next(good)
    for bad in (count(3), falls_off()):
        with pytest.raises(TypeCheckError, match="result must be str"):
            list(drive(bad))


def test_iterator_says_nothing_of_sends_and_result() -> None:
    @typed
    def numbers() -> Iterator[int]:
        got = yield 1
        assert got == "x"
        return "done"  # type: ignore[return-value]

    made = numbers()
    next(made)
    with pytest.raises(StopIteration, match="done"):
        made.send("x")  # type: ignore[attr-defined]


def test_none_may_always_be_sent() -> None:
    @typed
    def heard() -> Generator[int, str, None]:
        assert (yield 1) is None
        assert (yield 2) is None

    assert list(heard()) == [1, 2]


class Delegation:
    """What happens in a delegation: the values that pass through, and what the inner generator sees."""

    def __init__(self) -> None:
        self.log: list[object] = []

    def inner(self) -> Generator[object, object, object]:
        got = None
        while True:
            try:
                got = yield got
                if got == "return":
                    return "result"
            except ValueError as error:
                got = f"caught {error}"
            except GeneratorExit:
                self.log.append("closed")
                raise
            finally:
                self.log.append(got)


def delegating(inner: Any, checked: bool, around: bool) -> Any:
    if around:

        def outer() -> Generator[str | None, str, str]:
            try:
                result = yield from inner
                yield f"in {result}"
            except KeyError:
                yield "key"
                result = "r"
            return result

    else:

        def outer() -> Generator[str | None, str, str]:
            return (yield from inner)

    return typed(outer)() if checked else outer()


STEPS: list[tuple[str, Any]] = [
    ("send", None), ("send", "a"), ("throw", ValueError("v")), ("send", "b"), ("throw", KeyError("k")),
    ("send", None), ("send", None),
]  # fmt: skip


@pytest.mark.parametrize("around", [False, True])
@pytest.mark.parametrize("ending", [STEPS, [*STEPS[:4], ("send", "return"), ("send", None)], [*STEPS[:2], ("close",)]])
@pytest.mark.parametrize("kind", ["generator", "object"])
def test_delegation_does_what_it_does_without_checks(around: bool, ending: list[Any], kind: str) -> None:
    class Wrapped:
        def __init__(self, inner: Any) -> None:
            self.__next__ = inner.__next__
            self.send, self.throw, self.close = inner.send, inner.throw, inner.close

        def __iter__(self) -> Any:
            return self

        def __next__(self) -> Any:
            return self.send(None)

    def run(checked: bool) -> list[object]:
        state = Delegation()
        inner: Any = state.inner()
        outer = delegating(inner if kind == "generator" else Wrapped(inner), checked, around)
        seen: list[object] = []
        for method, *arguments in ending:
            try:
                seen.append(getattr(outer, method)(*arguments))
                if not PURE:
                    seen.append(outer.gi_yieldfrom is inner if kind == "generator" else outer.gi_yieldfrom is not None)
                seen.append(inspect.getgeneratorstate(outer))
            except BaseException as error:
                seen.append((type(error), str(error), getattr(error, "value", None)))
        outer.close()
        return [*seen, *state.log]

    assert run(True) == run(False)


def test_delegated_values_are_checked() -> None:
    def inner() -> Generator[object, object, None]:
        try:
            while True:
                yield "x"
        except TypeCheckError:
            seen.append("inner saw it")
            raise

    @typed
    def outer() -> Generator[int, str, None]:
        yield from inner()

    seen: list[str] = []
    made = outer()
    with pytest.raises(TypeCheckError, match="yielded value must be int"):
        next(made)
    assert PURE or seen == []
    assert list(made) == []

    @typed
    def sends() -> Generator[object, str, None]:
        yield from inner()

    made = sends()
    assert next(made) == "x"
    assert made.send("y") == "x"
    with pytest.raises(TypeCheckError, match="sent value must be str, not int: 3"):
        made.send(3)


def test_check_that_raises_stop_iteration_is_no_end_of_a_delegation() -> None:
    class Meta(type):
        def __instancecheck__(cls, value: object) -> bool:
            raise StopIteration("from the check")

    class Odd(metaclass=Meta): ...

    @typed
    def outer() -> Generator[Odd, None, None]:
        yield from [1]  # type: ignore[misc]

    with pytest.raises(RuntimeError, match="generator raised StopIteration"):
        list(outer())


def test_body_may_catch_a_wrong_yield_and_finally_runs() -> None:
    log = []

    @typed
    def careful() -> Iterator[int]:
        try:
            yield "x"  # type: ignore[misc]
        except TypeCheckError:
            yield 1
        finally:
            log.append("finally")

    assert list(careful()) == [1]
    assert log == ["finally"]


def test_values_meet_behind_a_yield() -> None:
    @typed
    def either(flag: bool) -> Generator[int, str, object]:
        return 3 if flag else (yield 2)

    def result(flag: bool) -> object:
        return (yield from either(flag))  # type: ignore[misc]

    with pytest.raises(StopIteration) as stopped:
        next(either(True))
    assert stopped.value.value == 3
    made = either(False)
    next(made)
    with pytest.raises(StopIteration, match="text"):
        made.send("text")


def test_nothing_is_consumed_or_copied() -> None:
    @typed
    def numbers(source: Iterator[int]) -> Iterator[int]:
        for number in source:
            yield number

    source = iter([1, 2, 3])
    made = numbers(source)
    assert inspect.isgenerator(made)
    assert inspect.isgeneratorfunction(numbers)
    assert next(made) == 1
    assert next(source) == 2
    assert list(made) == [3]


def test_async_generator() -> None:
    @typed
    async def talk(n: int) -> AsyncGenerator[int, str]:
        heard = yield n
        await asyncio.sleep(0)
        yield heard  # type: ignore[misc]

    async def main() -> None:
        talking = talk(3)
        assert inspect.isasyncgen(talking)
        assert await talking.asend(None) == 3  # type: ignore[arg-type]
        with pytest.raises(TypeCheckError, match=r"talk\(\) yielded value must be int, not str: 's'"):
            await talking.asend("s")
        talking = talk(3)
        await anext(talking)
        with pytest.raises(TypeCheckError, match=r"talk\(\) sent value must be str, not int: 5"):
            await talking.asend(5)  # type: ignore[arg-type]

    assert inspect.isasyncgenfunction(talk)
    asyncio.run(main())
    with pytest.raises(TypeCheckError, match="argument 'n'"):
        talk("x")  # type: ignore[arg-type]


@pytest.mark.parametrize("annotation", [AsyncIterator[int], AsyncIterable[int], "AsyncIterator[int]"])
def test_async_iterators(annotation: Any) -> None:
    async def numbers(*values: object) -> Any:
        for value in values:
            await asyncio.sleep(0)
            yield value

    numbers.__annotations__["return"] = annotation
    numbers = typed(numbers)

    async def collect(*values: object) -> list[object]:
        return [value async for value in numbers(*values)]

    assert asyncio.run(collect(1, 2)) == [1, 2]
    with pytest.raises(TypeCheckError, match="yielded value must be int"):
        asyncio.run(collect(1, "x"))


def test_wrong_annotation_of_an_async_generator_fails_at_the_call() -> None:
    @typed
    async def numbers() -> Iterator[int]:  # type: ignore[misc]
        yield 1

    with pytest.raises(TypeCheckError, match=r"result must be Iterator\[int\], not async_generator"):
        numbers()


def test_long_running_generator_is_specialised() -> None:
    @typed
    def inner(n: int) -> Iterator[int]:
        for number in range(n):
            yield number

    @typed
    def outer(n: int) -> Iterator[int]:
        yield from inner(n)
        for number in inner(n):
            yield number

    for _ in range(50):
        assert sum(outer(200)) == 2 * sum(range(200))
