"""What carries the checks is the interpreter's own code: whoever looks at it or moves it about finds it working."""

import bdb
import copyreg
import dis
import gc
import io
import os
import pickle
import subprocess
import sys
import threading
import types
from collections.abc import Callable, Iterator
from types import CodeType, FunctionType, ModuleType
from typing import Any

import pytest

from castiron import TypeCheckError, typed, unchecked

pytestmark = pytest.mark.native


def fails(call: Callable[[], object], words: str = "must be") -> None:
    with pytest.raises(TypeCheckError, match=words):
        call()


RECURSIONS = """
import sys
from castiron import typed
def decorated(f):
    return typed(f) if CHECKED else f
class C:
    @decorated
    def method(self, n: int, m: str = "") -> int:
        return 0 if n == 0 else self.method(n - 1, m)
    @decorated
    def __add__(self, n: int) -> int:
        return 0 if n == 0 else self.__add__(n - 1)
@decorated
def captured(n: int) -> int:
    def inner(): return n
    return 0 if n == 0 else captured(n - 1)
@decorated
def keywords(n: int, *rest: int, key: int = 0, **more: int) -> int:
    return 0 if n == 0 else keywords(n - 1, 1, 2, key=3, other=4)
@decorated
def generator(n: int) -> Iterator[int]:
    if n:
        yield from generator(n - 1)
    yield n
@decorated
def handling(n: int) -> int:
    try:
        return 0 if n == 0 else handling(n - 1)
    finally:
        n = 1
"""
DEPTHS = (
    "from collections.abc import Iterator\n"
    + RECURSIONS
    + """
def deepest(call, limit):
    low, high = 0, limit
    while low < high:
        middle = (low + high + 1) // 2
        try:
            call(middle)
            low = middle
        except RecursionError:
            high = middle - 1
    return low
limit = int(sys.argv[1])
sys.setrecursionlimit(limit)
calls = [C().method, C().__add__, captured, keywords, handling]
if limit < 5000:
    calls.append(lambda n: sum(generator(n)))
print([deepest(call, limit) for call in calls])
"""
)


@pytest.mark.parametrize("limit", [1000, 20_000, 100_000])
def test_every_kind_of_recursion_reaches_as_deep_as_without_checks(limit: int) -> None:
    depths = []
    for checked in (False, True):
        command = [sys.executable, "-c", f"CHECKED = {checked}\n{DEPTHS}", str(limit)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")
        depths.append(done.stdout)
    assert depths[0] == depths[1]
    assert all(depth > limit - 20 for depth in eval(depths[1])[:5])


@typed
def area(width: int, height: int = 1) -> int:
    size = width * height
    return size  # noqa: RET504


def test_replaced_code_checks() -> None:
    copied = FunctionType(area.__code__.replace(co_name="renamed", co_firstlineno=7), {}, "renamed", (1,))
    assert copied(2) == 2
    fails(lambda: copied("x"))
    assert copied.__code__.co_firstlineno == 7


def test_code_of_another_function() -> None:
    def other(width: Any, height: Any = 1) -> Any:
        return width

    other.__code__ = area.__code__
    assert other(2, 3) == 6
    fails(lambda: other("x"), "other|area")


def test_dis_and_positions() -> None:
    def plain(width: int, height: int = 1) -> int:
        size = width * height
        return size  # noqa: RET504

    expected = {place for place in plain.__code__.co_positions() if place[2] is not None}
    out = io.StringIO()
    dis.dis(typed(plain), file=out)
    assert out.getvalue().count("DELETE_SUBSCR") == 2
    assert {place for place in plain.__code__.co_positions() if place[2] is not None} == expected
    assert all(line >= plain.__code__.co_firstlineno for *_, line in plain.__code__.co_lines() if line)


class Debugger(bdb.Bdb):
    def __init__(self, stop: int) -> None:
        super().__init__()
        self.stop = stop
        self.seen: list[tuple[str, int, dict[str, object]]] = []

    def user_call(self, frame: types.FrameType, arguments: object) -> None:
        if frame.f_code.co_name == "area":
            self.set_step()

    def user_line(self, frame: types.FrameType) -> None:
        if frame.f_code.co_name == "area":
            self.seen.append(("line", frame.f_lineno - frame.f_code.co_firstlineno, dict(frame.f_locals)))
        self.set_step()

    def user_return(self, frame: types.FrameType, value: object) -> None:
        if frame.f_code.co_name == "area":
            self.seen.append(("return", 0, {"value": value}))


def test_calls_are_specialised_as_without_checks() -> None:
    def specialised(decorate: Callable[[Any], Any], spoil: Callable[[Any], None] = lambda function: None) -> set[str]:
        def callee(x: int) -> int:
            return x

        def caller() -> None:
            callee(1)

        callee = decorate(callee)
        spoil(callee)
        for _ in range(100):
            caller()
        return {found.opname for found in dis.get_instructions(caller, adaptive=True) if "CALL" in found.opname}

    def assign_defaults(function: Any) -> None:
        function.__defaults__ = (1,)

    assert specialised(typed) == specialised(lambda function: function)
    assert specialised(lambda function: typed(unchecked(typed(function)))) == specialised(lambda function: function)
    assert specialised(typed, assign_defaults) == specialised(lambda function: function, assign_defaults)


def test_debugger_steps_through_the_function_only() -> None:
    debugger = Debugger(0)
    debugger.runcall(area, 2, 3)
    first = 1  # the decorator's line is the first
    assert debugger.seen == [
        ("line", first + 1, {"width": 2, "height": 3}),
        ("line", first + 2, {"width": 2, "height": 3, "size": 6}),
        ("return", 0, {"value": 6}),
    ]


@pytest.mark.skipif(sys.version_info < (3, 12), reason="sys.monitoring is new in 3.12")
def test_monitoring_sees_what_it_sees_without_checks() -> None:
    text = "def f(x: int) -> int:\n    for i in range(x):\n        x += i\n    return x\n"
    seen: list[list[object]] = []
    monitoring = sys.monitoring  # type: ignore[attr-defined]
    events = monitoring.events
    for checked in (False, True):
        space: dict[str, Any] = {}
        exec(compile(text, "monitored", "exec"), space)
        function = typed(space["f"]) if checked else space["f"]
        log: list[object] = []
        monitoring.use_tool_id(3, "test")
        try:
            for event in (events.PY_START, events.PY_RETURN, events.LINE):
                monitoring.register_callback(
                    3, event, lambda code, *rest, log=log, event=event: log.append((event, code.co_name, rest[-1]))
                )
            monitoring.set_local_events(3, function.__code__, events.PY_START | events.PY_RETURN | events.LINE)
            assert function(3) == 6
        finally:
            monitoring.set_local_events(3, function.__code__, 0)
            monitoring.free_tool_id(3)
        seen.append([entry for entry in log if entry[0] != events.PY_START])  # type: ignore[index]
        assert len(log) > 5
    assert seen[0] == seen[1]


def test_coverage_of_lines_is_the_same() -> None:
    text = "def f(x: int, y: int = 0) -> int:\n    if x:\n        return x\n    return y\n"
    executable = []
    for checked in (False, True):
        space: dict[str, Any] = {}
        exec(compile(text, "covered", "exec"), space)
        function = typed(space["f"]) if checked else space["f"]
        executable.append(sorted({line for *_, line in function.__code__.co_lines() if line is not None}))
    assert executable[0] == executable[1]


class CodePickler(pickle.Pickler):
    """Pickles functions by value, as cloudpickle does."""

    dispatch_table = copyreg.dispatch_table.copy()

    def reducer_override(self, value: Any) -> Any:
        if isinstance(value, CodeType):
            names = (
                "argcount", "posonlyargcount", "kwonlyargcount", "nlocals", "stacksize", "flags", "code", "consts",
                "names", "varnames", "filename", "name", "qualname", "firstlineno", "linetable", "exceptiontable",
                "freevars", "cellvars",
            )  # fmt: skip
            return remade_code, tuple(getattr(value, f"co_{name}") for name in names)
        if isinstance(value, FunctionType) and value.__module__ == "__main__":
            return remade, (value.__code__, value.__annotations__, value.__qualname__, value.__defaults__)
        return NotImplemented


def remade_code(*fields: Any) -> CodeType:
    return CodeType(*fields)


def remade(code: CodeType, annotations: dict[str, object], qualname: str, defaults: Any) -> FunctionType:
    made = FunctionType(code, {"__builtins__": __builtins__}, code.co_name, defaults)
    made.__annotations__ = annotations
    made.__qualname__ = qualname
    return made


PICKLED: list[tuple[str, dict[str, Any], list[tuple[str, str | None]]]] = [
    ("def f(a: int) -> int: return a", {}, [("1", None), ("'x'", "argument 'a'")]),
    ("def f(a: int, b: str, *c: float) -> list: return c", {}, [("1, 2", "argument 'b'"), ("1, 'b', 2", "result")]),
    ("def f(a: list[int]) -> int: return a[0]", {"deep": True}, [("['x']", "argument 'a'.0. must"), ("[1]", None)]),
    ("def f(a: float) -> float: return a", {"strict": True}, [("1", "argument 'a'"), ("1.0", None)]),
    ("def f(a: int):\n  def g(): return a\n  return g", {}, [("'x'", "argument 'a'"), ("1", None)]),
]


@pytest.mark.parametrize(("text", "options", "calls"), PICKLED)
@pytest.mark.parametrize("times", [1, 2])
def test_pickled_functions_check(text: str, options: dict[str, Any], calls: list[Any], times: int) -> None:
    space: dict[str, Any] = {"__name__": "__main__"}
    exec(text, space)
    function = typed(space["f"], **options)
    for _ in range(times):
        data = io.BytesIO()
        CodePickler(data).dump(function)
        function = pickle.loads(data.getvalue())
        function.__module__ = "__main__"
    for _ in range(3):
        for arguments, words in calls:
            if words is None:
                eval(f"f({arguments})", {"f": function})
            else:
                fails(lambda arguments=arguments: eval(f"f({arguments})", {"f": function}), words)


def test_pickled_generators_and_warnings() -> None:
    space: dict[str, Any] = {"__name__": "__main__", "Iterator": Iterator}
    exec("def f(a: object) -> Iterator[int]:\n  yield a", space)
    data = io.BytesIO()
    CodePickler(data).dump(typed(space["f"], on_violation="warn"))
    function = pickle.loads(data.getvalue())
    with pytest.warns(UserWarning, match="yielded value must be int"):
        assert list(function("x")) == ["x"]


def test_module_reloaded(module_of: Callable[[str], ModuleType]) -> None:
    module = module_of("from castiron import typed\nclass C: ...\n@typed\ndef f(c: C) -> C: return c\n")
    old_class, old_function = module.C, module.f
    exec(module.__spec__.loader.get_code(module.__name__), vars(module))  # type: ignore[union-attr]
    assert module.C is not old_class
    assert module.f(module.C())
    assert old_function(old_class())
    fails(lambda: module.f(old_class()))
    fails(lambda: old_function(module.C()))


def test_class_redefined_later() -> None:
    space: dict[str, Any] = {"typed": typed}
    exec("class C: ...\n@typed\ndef f(c: 'C') -> 'C': return c\n@typed\ndef g(c: 'Later') -> None: ...", space)
    first = space["C"]()
    assert space["f"](first) is first
    space["g"](3)
    exec("class C: ...\nclass Later: ...", space)
    assert space["f"](first) is first
    fails(lambda: space["f"](space["C"]()))
    space["g"](space["Later"]())
    fails(lambda: [space["g"](3) for _ in range(10)])


class Angry(type):
    def __instancecheck__(cls, value: object) -> bool:
        raise cls.error  # type: ignore[attr-defined]


@pytest.mark.parametrize("error", [ZeroDivisionError(), KeyboardInterrupt(), StopIteration(3), RecursionError()])
def test_exceptions_of_instance_checks_pass_through(error: BaseException) -> None:
    class Odd(metaclass=Angry): ...

    Odd.error = error  # type: ignore[attr-defined]

    @typed
    def argument(value: Odd) -> None: ...

    @typed
    def several(one: int, value: Odd) -> None: ...

    @typed
    def result() -> Odd:
        return 3  # type: ignore[return-value]

    for call in (lambda: argument(1), lambda: several(1, 2), result):  # type: ignore[arg-type]
        with pytest.raises(type(error)) as caught:
            call()
        assert caught.value is error


def test_checks_that_call_the_checked_function() -> None:
    class Meta(type):
        depth = 0

        def __instancecheck__(cls, value: object) -> bool:
            Meta.depth += 1
            if Meta.depth < 50:
                return take(value) is value  # type: ignore[comparison-overlap, arg-type]
            return True

    class Recursive(metaclass=Meta): ...

    @typed
    def take(value: Recursive) -> object:
        return value

    assert take(3) == 3  # type: ignore[arg-type]
    assert Meta.depth == 50

    class Endless(type):
        def __instancecheck__(cls, value: object) -> bool:
            return endless(value)  # type: ignore[arg-type]

    class Never(metaclass=Endless): ...

    @typed
    def endless(value: Never) -> bool:
        return True

    with pytest.raises(RecursionError):
        endless(3)  # type: ignore[arg-type]


def test_code_replaced_while_it_is_checked() -> None:
    class Meta(type):
        def __instancecheck__(cls, value: object) -> bool:
            take.__code__ = (lambda value: "replaced").__code__
            gc.collect()
            return value == 1

    class Odd(metaclass=Meta): ...

    def make() -> Callable[[Any], object]:
        @typed
        def take(value: Odd) -> object:
            return "first"

        return take

    take = make()
    assert take(1) == "first"
    assert take("x") == "replaced"
    take = make()
    fails(lambda: take("x"))


def test_threads_decorate_and_call_at_once() -> None:
    def make() -> Callable[[Any], int]:
        def f(x: int) -> int:
            return x + 1

        return typed(f)

    problems: list[object] = []

    def work() -> None:
        for number in range(300):
            function = make()
            if function(number) != number + 1:
                problems.append(number)
            try:
                function("x")
                problems.append("passed")
            except TypeCheckError:
                pass

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []


def test_annotations_that_raise() -> None:
    class Hostile:
        def __getattr__(self, name: str) -> object:
            raise ZeroDivisionError(name)

        def __repr__(self) -> str:
            raise ZeroDivisionError("repr")

        def __eq__(self, other: object) -> bool:
            raise ZeroDivisionError("eq")

        def __hash__(self) -> int:
            raise ZeroDivisionError("hash")

    def f(a: Any, b: Any, c: int) -> Any:
        return a

    f.__annotations__.update(a=Hostile(), b="1 / 0", **{"return": "[].x"})
    checked = typed(f)
    assert checked(1, 2, 3) == 1
    fails(lambda: checked(1, 2, "x"), "argument 'c'")


@pytest.mark.parametrize("above", [True, False])
def test_pytest_fixtures(tmp_path: Any, above: bool) -> None:
    order = ("@typed\n@pytest.fixture" if above else "@pytest.fixture\n@typed") + "\n"
    (tmp_path / "test_fixture.py").write_text(
        "import pytest\nfrom collections.abc import Iterator\nfrom castiron import typed, TypeCheckError\n"
        f"{order}def number() -> int: return 3\n"
        f"{order}def wrong() -> int: return 'x'\n"
        f"{order}def doubled(number: int) -> Iterator[int]:\n    yield number * 2\n"
        "@typed\ndef test_good(number: int, doubled: int) -> None: assert (number, doubled) == (3, 6)\n"
        "def test_bad(request):\n    with pytest.raises(TypeCheckError): request.getfixturevalue('wrong')\n"
    )
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=tmp_path, env={**os.environ, "PYTEST_ADDOPTS": ""}
    )
    assert "2 passed" in done.stdout, done.stdout[-2000:]
