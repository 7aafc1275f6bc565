"""`typed` on everything that can be called, and what others see of a function with checks."""

import asyncio
import contextlib
import copy
import functools
import gc
import inspect
import marshal
import os
import pickle
import subprocess
import sys
import threading
import traceback
import types
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from castiron import TypeCheckError, typed


@typed
def area(radius: float, times: int = 1) -> float:
    return radius * times


def failure(call: Callable[[], object]) -> TypeCheckError:
    with pytest.raises(TypeCheckError) as caught:
        call()
    return caught.value


def test_message_and_attributes_of_an_argument() -> None:
    error = failure(lambda: area("3"))  # type: ignore[arg-type]
    assert str(error) == "area() argument 'radius' must be float, not str: '3'"
    assert (error.function, error.parameter, error.path) == ("area", "radius", "")
    assert (error.expected, error.value) == ("float", "3")
    assert isinstance(error, TypeError)
    assert type(error).__module__ == "castiron"


def test_message_and_attributes_of_a_result() -> None:
    @typed
    def wrong() -> tuple[int, tuple[str, int]]:
        return 1, (2, 3)  # type: ignore[return-value]

    error = failure(wrong)
    name = wrong.__qualname__
    assert str(error) == f"{name}() result[1][0] must be str, not int: 2"
    assert (error.parameter, error.path, error.expected, error.value) == (None, "[1][0]", "str", 2)


@pytest.mark.parametrize(
    ("value", "ending"),
    [
        (None, "not None"),
        ("x" * 1000, "not str: '" + "x" * 76 + "..."),
        ([1] * 1000, "not list: [1, 1, 1, 1, 1, 1, ...]"),
        ("a\nb", "not str: 'a\\nb'"),
    ],
)
def test_value_in_a_message_is_short(value: object, ending: str) -> None:
    @typed
    def check(value: bytes) -> None: ...

    assert str(failure(lambda: check(value))).endswith(ending)  # type: ignore[arg-type]


def test_int_too_long_for_a_message() -> None:
    @typed
    def check(value: bytes) -> None: ...

    assert len(str(failure(lambda: check(10**5000)))) < 200  # type: ignore[arg-type]


def test_value_whose_repr_fails() -> None:
    class Bad:
        def __repr__(self) -> str:
            raise ZeroDivisionError

    assert ": <" in str(failure(lambda: area(Bad())))  # type: ignore[arg-type]


def test_class_of_the_same_name_shows_its_module() -> None:
    class Shape: ...

    other = type("Shape", (), {"__qualname__": Shape.__qualname__, "__module__": "elsewhere"})

    @typed
    def draw(shape: Shape) -> None: ...

    assert f"not elsewhere.{Shape.__qualname__}: " in str(failure(lambda: draw(other())))


def test_exception_pickles_with_its_attributes() -> None:
    error = pickle.loads(pickle.dumps(failure(lambda: area("3"))))  # type: ignore[arg-type]
    assert (error.parameter, error.value) == ("radius", "3")


def test_every_kind_of_parameter() -> None:
    @typed
    def all_kinds(a: int, /, b: str, *rest: float, key: bytes, flag: bool = True, **named: int | None) -> int:
        return a

    assert all_kinds(1, "b", 1.5, 2, key=b"", flag=False, x=1, y=None) == 1
    for call, place in [
        (lambda: all_kinds("1", "b", key=b""), "argument 'a'"),
        (lambda: all_kinds(1, 2, key=b""), "argument 'b'"),
        (lambda: all_kinds(1, b=2, key=b""), "argument 'b'"),
        (lambda: all_kinds(1, "b", 1.5, "x", key=b""), "argument 'rest'[1]"),
        (lambda: all_kinds(1, "b", key=""), "argument 'key'"),
        (lambda: all_kinds(1, "b", key=b"", flag=1), "argument 'flag'"),
        (lambda: all_kinds(1, "b", key=b"", z="z"), "argument 'named'['z']"),
    ]:
        assert f"{place} must be" in str(failure(call))
    with pytest.raises(TypeError, match=r"missing 1 required positional argument: 'b'") as caught:
        all_kinds(1, key=b"")  # type: ignore[call-arg]
    assert type(caught.value) is TypeError


def test_first_wrong_argument_is_reported() -> None:
    @typed
    def three(a: int, b: int, c: int) -> None: ...

    assert failure(lambda: three(1, "b", "c")).parameter == "b"  # type: ignore[arg-type]
    assert failure(lambda: three("a", "b", "c")).parameter == "a"  # type: ignore[arg-type]


@pytest.mark.native
def test_default_that_is_used_is_not_checked() -> None:
    marker = object()

    @typed
    def f(a: int, b: int = None, *, c: str = marker, d: str = "") -> object:  # type: ignore[assignment]  # noqa: RUF013
        return b, c

    assert f(1) == (None, marker)
    assert f(1, None, c=marker) == (None, marker)  # type: ignore[arg-type]
    failure(lambda: f(1, c=None))  # type: ignore[arg-type]
    failure(lambda: f(None))  # type: ignore[arg-type]
    f.__defaults__ = ("new",)
    f.__kwdefaults__ = {"d": 5}
    assert f(1, c="")[0] == "new"
    failure(lambda: f(1, None, c=""))  # type: ignore[arg-type]


class Example:
    kept: object

    @typed
    def method(self, n: int) -> int:
        return n

    @classmethod
    @typed
    def class_below(cls, n: int) -> type:
        return cls

    @typed
    @classmethod
    def class_above(cls, n: int) -> type:
        return cls

    @staticmethod
    @typed
    def static_below(n: int) -> int:
        return n

    @typed
    @staticmethod
    def static_above(n: int) -> int:
        return n

    @property
    @typed
    def below(self) -> int:
        return self.kept  # type: ignore[return-value]

    @typed
    @property
    def above(self) -> int:
        return self.kept  # type: ignore[return-value]

    @above.setter
    @typed
    def above(self, value: int) -> None:
        self.kept = value

    @typed
    def __init__(self, kept: int = 0) -> None:
        self.kept = kept

    @typed
    def inherited(self, n: int) -> str:
        return f"base {n}"


class Derived(Example):
    @typed
    def inherited(self, n: int) -> str:
        return super().inherited(n) + " derived"

    @typed
    def captured(self, n: int) -> Callable[[], "Derived"]:
        return lambda: (self, super(Derived, self).inherited(n))[0]


def test_methods() -> None:
    example = Example(3)
    assert example.method(1) == 1
    assert Example.method(example, n=2) == 2
    assert "Example.method() argument 'n'" in str(failure(lambda: example.method("x")))  # type: ignore[arg-type]
    failure(lambda: Example("x"))  # type: ignore[arg-type]
    for name in ("class_below", "class_above"):
        assert getattr(Derived, name)(1) is Derived
        failure(lambda name=name: getattr(example, name)("x"))
    for name in ("static_below", "static_above"):
        assert getattr(example, name)(1) == 1
        failure(lambda name=name: getattr(Example, name)("x"))
    assert example.below == example.above == 3
    example.above = 4
    assert failure(lambda: setattr(example, "above", "x")).function == "Example.above"
    example.kept = "x"
    failure(lambda: example.below)
    failure(lambda: example.above)


def test_super_and_cells() -> None:
    derived = Derived()
    assert derived.inherited(1) == "base 1 derived"
    assert derived.captured(1)() is derived
    failure(lambda: derived.captured("x"))  # type: ignore[arg-type]


@pytest.mark.native
def test_typed_is_the_function_itself() -> None:
    def plain(a: int, b: "str" = "") -> int:
        """Say something."""
        return a

    before = plain.__code__
    signature = inspect.signature(plain)
    positions = set(before.co_positions())
    assert typed(plain) is plain
    assert type(plain) is types.FunctionType
    assert inspect.signature(plain) == signature
    code = plain.__code__
    for name in (
        "co_name",
        "co_qualname",
        "co_filename",
        "co_firstlineno",
        "co_varnames",
        "co_freevars",
        "co_cellvars",
        "co_flags",
        "co_names",
        "co_argcount",
        "co_nlocals",
    ):
        assert getattr(code, name) == getattr(before, name)
    assert {place for place in code.co_positions() if place[1:] != (place[0], None, None)} <= positions
    assert next(line for *_, line in before.co_lines()) == next(line for *_, line in code.co_lines())
    assert typed(plain).__code__ is code


@pytest.mark.native
def test_nothing_to_check_leaves_the_code_alone() -> None:
    def unannotated(a, b=1):  # type: ignore[no-untyped-def]
        return a

    def loose(a: Any, b: object) -> Any:
        return a

    for function in (unannotated, loose):
        code = function.__code__
        function = typed(function)
        assert function.__code__ is code


@pytest.mark.native
def test_closures_share_one_copy() -> None:
    def make(step: int) -> Callable[[int], int]:
        @typed
        def add(n: int) -> int:
            return n + step

        return add

    first, second = make(1), make(2)
    assert first.__code__ is second.__code__
    assert (first(1), second(1)) == (2, 3)
    failure(lambda: second("x"))  # type: ignore[arg-type]


def test_closures_with_local_classes_do_not_share() -> None:
    def make() -> tuple[type, Callable[[object], object]]:
        class Local: ...

        @typed
        def take(value: Local) -> Local:
            return value

        return Local, take

    (one, take_one), (two, take_two) = make(), make()
    take_one(one())
    take_two(two())
    failure(lambda: take_one(two()))
    failure(lambda: take_two(one()))


@pytest.mark.native
def test_copies_of_a_function_check() -> None:
    copied = types.FunctionType(area.__code__, {}, "copied", area.__defaults__)
    assert copied(1.5) == 1.5
    failure(lambda: copied("x"))
    assert copy.copy(area) is area
    assert functools.partial(area, 1.5)() == 1.5
    failure(functools.partial(area, "x"))


@pytest.mark.native
def test_assigning_code_ends_the_promise() -> None:
    def f(a: int) -> object:
        return a

    def g(a: int) -> object:
        return [a]

    f = typed(f)
    f.__code__ = g.__code__
    assert f("x") == ["x"]  # type: ignore[arg-type]


@pytest.mark.native
def test_woven_code_is_refused_by_marshal() -> None:
    with pytest.raises(ValueError, match="unmarshallable"):
        marshal.dumps(area.__code__)


@pytest.mark.native
def test_traceback_of_an_argument_ends_at_the_caller() -> None:
    error = failure(lambda: area("3"))  # type: ignore[arg-type]
    names = [frame.name for frame in traceback.extract_tb(error.__traceback__)]
    assert names[-1] == "<lambda>"
    assert "area" not in names


@pytest.mark.native
def test_traceback_of_a_result_ends_at_the_return() -> None:
    @typed
    def wrong(flag: bool) -> int:
        if flag:
            return 1
        return "x"  # type: ignore[return-value]

    last = traceback.extract_tb(failure(lambda: wrong(False)).__traceback__)[-1]
    assert (last.name, last.line) == ("wrong", 'return "x"  # type: ignore[return-value]')


def test_no_context_is_added() -> None:
    try:
        raise KeyError
    except KeyError:
        error = failure(lambda: area("3"))  # type: ignore[arg-type]
    assert isinstance(error.__context__, KeyError)
    assert failure(lambda: area("3")).__context__ is None  # type: ignore[arg-type]


def test_result_is_checked_after_finally_and_with() -> None:
    log: list[str] = []

    @contextlib.contextmanager
    def manager() -> Iterator[None]:
        try:
            yield
        finally:
            log.append("exit")

    @typed
    def f() -> int:
        try:
            with manager():
                return "x"  # type: ignore[return-value]
        except TypeError:
            log.append("caught")
            return 1
        finally:
            log.append("finally")

    failure(f)
    assert log == ["exit", "finally"]


def test_control_flow_runs_often_enough_to_be_specialised() -> None:
    @typed
    def f(values: list, mode: str) -> int | None:
        total = 0
        for value in values:
            try:
                match value:
                    case {"n": n}:
                        total += n
                    case [first, *_]:
                        total += first
                    case int() if value > 3:
                        continue
                    case _:
                        total += {int: 1, str: 2}[type(value)]
            except KeyError:
                if mode == "stop":
                    break
                total += 100
            else:
                total += sum(i for i in range(3) if i)
        else:
            return total
        while total:
            total -= 1
            if total == 1:
                return None
        return 0

    values = [1, "x", [5], {"n": 7}, 9, None, (2,)]
    expected = 0
    for _ in range(300):
        assert f(values, "go") == f(values, "go")
        assert f(values, "stop") is None
    expected = 1 + 2 + 5 + 7 + 2 + 100 + 3 * 5
    assert f(values, "go") == expected


def test_wide_jumps_and_many_constants() -> None:
    lines = ["def f(x: int, y: str) -> int:", "    total = 0", "    for i in range(3):"]
    for number in range(400):
        lines.append(f"        if x == {number + 1000}: return {number + 5000}")
        lines.append(f"        total += {number + 20000} * (i if x else {number + 90000})")
    lines.append("    return total")
    source = "\n".join(lines)
    plain: dict[str, Any] = {}
    checked: dict[str, Any] = {}
    exec(source, plain)
    exec(source, checked)
    checked["f"] = typed(checked["f"])
    for x in (0, 1, 1000, 1255, 1399):
        for _ in range(10):
            assert checked["f"](x, "") == plain["f"](x, "")
    failure(lambda: checked["f"](0, 0))


def test_generator() -> None:
    @typed
    def count(n: int) -> Iterator[int]:
        for i in range(n):  # noqa: UP028 - each of them on its own
            yield i
        return "done"

    assert inspect.isgeneratorfunction(count)
    generator = count(3)
    assert inspect.getgeneratorstate(generator) == "GEN_CREATED"
    assert list(generator) == [0, 1, 2]
    failure(lambda: count("x"))  # type: ignore[arg-type]

    @typed
    def captured(n: int) -> Iterator[Callable[[], int]]:
        yield lambda: n

    assert next(captured(5))() == 5
    failure(lambda: captured("x"))  # type: ignore[arg-type]


def test_coroutine() -> None:
    @typed
    async def double(n: int, wrong: bool = False) -> int:
        await asyncio.sleep(0)
        return "x" if wrong else n * 2  # type: ignore[return-value]

    assert inspect.iscoroutinefunction(double)
    assert asyncio.run(double(4)) == 8
    failure(lambda: double("x"))  # type: ignore[arg-type]
    failure(lambda: asyncio.run(double(1, True)))


def test_async_generator() -> None:
    @typed
    async def count(n: int) -> Any:
        for i in range(n):
            yield i

    async def collect() -> list[int]:
        return [i async for i in count(3)]

    assert asyncio.run(collect()) == [0, 1, 2]
    failure(lambda: count("x"))  # type: ignore[arg-type]


Event = tuple[str, str, int | None]


def events(call: Callable[[], object], *, profile: bool = False) -> list[Event]:
    seen: list[Event] = []

    def tracer(frame: types.FrameType, event: str, argument: object) -> object:
        seen.append((event, frame.f_code.co_name, frame.f_lineno))
        return tracer

    install = sys.setprofile if profile else sys.settrace
    # What other tests left behind must not be finalised while the tracer looks.
    gc.collect()
    gc.disable()
    install(tracer)  # type: ignore[arg-type]
    try:
        with contextlib.suppress(TypeError):
            call()
    finally:
        install(None)
        gc.enable()
    return [event for event in seen if event[1] not in {"<lambda>", "__exit__", "suppress", "events"}]


SUBJECTS = """
def simple(x: int) -> int:
    y = x
    return y
def one_line(x: int) -> int: return x
def looping(x: int) -> int:
    for i in range(x):
        if i == 2: continue
        try:
            [i][i]
        except IndexError:
            pass
    return x
def nothing(x: int) -> None:
    x
def captured(x: int) -> object:
    return lambda: x
def generator(x: int):
    yield x
    yield x
def run_generator(x: int) -> list:
    return list(generator(x))
"""


@pytest.mark.native
@pytest.mark.parametrize("profile", [False, True])
@pytest.mark.parametrize("name", ["simple", "one_line", "looping", "nothing", "captured", "run_generator"])
def test_tracers_see_what_they_see_without_checks(name: str, profile: bool) -> None:
    plain: dict[str, Any] = {}
    checked: dict[str, Any] = {}
    for space in (plain, checked):
        exec(compile(SUBJECTS, "subjects", "exec"), space)
    for function in list(checked.values()):
        if isinstance(function, types.FunctionType):
            function = typed(function)
    for _ in range(3):
        expected = events(lambda: plain[name](4), profile=profile)
        assert events(lambda: checked[name](4), profile=profile) == expected
    assert any(event[1] == name for event in expected)


@pytest.mark.native
@pytest.mark.parametrize("name", ["simple", "captured", "generator"])
def test_profiler_sees_a_return_for_each_call_when_a_check_fails(name: str) -> None:
    checked: dict[str, Any] = {}
    exec(compile(SUBJECTS, "subjects", "exec"), checked)
    checked[name] = typed(checked[name])
    for _ in range(3):
        seen = [event[0] for event in events(lambda: checked[name]("x"), profile=True) if event[1] == name]
        assert seen == ["call", "return"]


@pytest.mark.native
def test_debugger_may_jump() -> None:
    @typed
    def f(x: int) -> int:
        y = 1
        y = 2
        return y  # noqa: RET504

    first = f.__code__.co_firstlineno

    def tracer(frame: types.FrameType, event: str, argument: object) -> object:
        if event == "line" and frame.f_lineno == first + 3:
            frame.f_lineno = first + 4
        return tracer

    sys.settrace(tracer)
    try:
        assert f(1) == 1
    finally:
        sys.settrace(None)


@pytest.mark.native
def test_frames_look_as_they_do_without_checks() -> None:
    class Meta(type):
        def __instancecheck__(cls, value: object) -> bool:
            names.append(sys._getframe(1).f_code.co_name)
            return True

    class Asking(metaclass=Meta): ...

    names: list[str] = []

    @typed
    def f(x: Asking) -> str:
        return sys._getframe().f_code.co_name

    assert f(1) == "f"  # type: ignore[arg-type]
    assert names == ["test_frames_look_as_they_do_without_checks"]


@pytest.mark.native
@pytest.mark.parametrize("limit", [1000, 20_000, 100_000])
def test_recursion_reaches_as_deep_as_without_checks(limit: int) -> None:
    source = f"""
import sys, threading
from castiron import typed
def plain(x: int) -> int: return 0 if x == 0 else plain(x - 1)
@typed
def checked(x: int) -> int: return 0 if x == 0 else checked(x - 1)
sys.setrecursionlimit({limit})
def deepest(f):
    low, high = 0, {limit}
    while low < high:
        middle = (low + high + 1) // 2
        try:
            f(middle)
            low = middle
        except RecursionError:
            high = middle - 1
    return low
assert deepest(plain) == deepest(checked) > {limit} - 20, (deepest(plain), deepest(checked))
"""
    done = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.native
def test_functions_and_classes_die() -> None:
    def make() -> tuple[Any, ...]:
        class Local:
            @typed
            def method(self, other: "Local | None", n: int = 0) -> "Local":
                return self

            @typed
            def plain(self, other: type) -> None: ...

        @typed
        def take(value: Local, more: list[Local] | None = None) -> Local:
            return value

        instance = Local()
        take(instance).method(None).plain(Local)
        failure(lambda: take(1))  # type: ignore[arg-type]
        return weakref.ref(Local), weakref.ref(take.__code__), weakref.ref(take)

    references = [reference for _ in range(3) for reference in make()]
    gc.collect()
    assert [reference() for reference in references] == [None] * 9


def test_references_stay_balanced() -> None:
    value, wrong = object(), ["wrong"]

    @typed
    def f(a: int | None, b: object = None, *rest: tuple[int, int]) -> object:
        return b

    def run() -> None:
        f(None, value, (1, 2))
        with contextlib.suppress(TypeError):
            f(wrong)  # type: ignore[arg-type]
        with contextlib.suppress(TypeError):
            f(1, 2, wrong)  # type: ignore[arg-type]

    run()
    gc.collect()
    before = sys.getrefcount(value), sys.getrefcount(wrong), sys.getrefcount(f), sys.getrefcount(f.__code__)
    for _ in range(1000):
        run()
    gc.collect()
    assert (sys.getrefcount(value), sys.getrefcount(wrong), sys.getrefcount(f), sys.getrefcount(f.__code__)) == before


def test_threads() -> None:
    @typed
    def f(x: int) -> int:
        return x

    problems: list[object] = []

    def run() -> None:
        for i in range(5000):
            if f(i) != i:
                problems.append(i)
            if i % 50 == 0:
                try:
                    f("x")  # type: ignore[arg-type]
                    problems.append("passed")
                except TypeCheckError:
                    pass

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []


@pytest.mark.parametrize("value", [len, int, functools.partial(len), 3, "f", Example().method])
def test_what_is_no_function_is_refused(value: Any) -> None:
    with pytest.raises(TypeError, match="typed takes a function"):
        value = typed(value)


def test_switched_off() -> None:
    source = (
        "from castiron import typed\n"
        "def f(x: int) -> int: return x\n"
        "code = f.__code__\n"
        "assert typed(f) is f and f.__code__ is code and f('x') == 'x'\n"
    )
    environment = {**os.environ, "CASTIRON": "off"}
    done = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, check=False, env=environment)
    assert (done.returncode, done.stderr) == (0, "")
