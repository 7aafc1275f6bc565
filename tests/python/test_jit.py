"""`jit` from the outside: what the compiled function is, what it refuses, what `explain` and `stats` say."""

from __future__ import annotations

import copy
import functools
import gc
import inspect
import pickle
import subprocess
import sys
import textwrap
import threading
import types
import typing
import weakref

import pytest

import castiron
from castiron import TypeCheckError, explain, is_compiled, jit, stats

ADD = "from castiron import jit\n\n@jit\ndef add(a: int, b: int = 2) -> int:\n    'Adds.'\n    return a + b\n"


def test_a_compiled_function_is_a_function(module_of):
    add = module_of(ADD).add
    assert add(1) == 3
    assert is_compiled(add)
    assert isinstance(add, types.FunctionType)
    assert inspect.isfunction(add)
    assert callable(add)
    assert add.__name__ == "add"
    assert add.__doc__ == "Adds."
    assert str(inspect.signature(add)) == "(a: int, b: int = 2) -> int"
    assert typing.get_type_hints(add) == {"a": int, "b": int, "return": int}
    assert repr(add).startswith("<function add at 0x")
    assert inspect.getsource(add).startswith("@jit\ndef add")


@pytest.mark.skipif(sys.version_info < (3, 12), reason="on 3.11 a compiled function is a native callable")
def test_the_function_itself_is_compiled(module_of):
    module = module_of(ADD.replace("@jit\n", "") + "same = jit(add) is add\n")
    assert module.same
    assert type(module.add) is types.FunctionType


def test_binding(module_of):
    module = module_of(
        """
        from castiron import jit
        class Box:
            size = 3
            @jit
            def scaled(self, n: int) -> int:
                return n * self.size
            @staticmethod
            @jit
            def double(n: int) -> int:
                return n * 2
            @jit
            @classmethod
            def name(cls, n: int) -> int:
                return n + cls.size
        """.replace("\n        ", "\n")
    )
    box = module.Box()
    assert box.scaled(5) == 15
    assert box.scaled.__self__ is box
    assert module.Box.scaled(box, 5) == 15
    assert box.double(4) == 8
    assert module.Box.name(4) == 7
    assert module.Box.scaled.__get__(box)(2) == 6
    assert module.Box.scaled.__get__(None, module.Box) is module.Box.scaled


def test_copies_pickles_and_weak_references(module_of):
    add = module_of(ADD).add
    assert pickle.loads(pickle.dumps(add)) is add
    assert copy.copy(add) is add
    assert copy.deepcopy(add) is add
    assert weakref.ref(add)() is add
    assert {add: 1}[add] == 1
    assert add == add


def test_attributes(module_of):
    add = module_of(ADD).add
    add.note = 5
    assert add.note == 5
    assert add.__dict__ == {"note": 5}
    del add.note
    with pytest.raises(AttributeError):
        add.note  # noqa: B018
    wrapper = functools.wraps(add)(lambda *args: add(*args))
    assert wrapper.__wrapped__ is add
    assert wrapper.__name__ == "add"
    assert add.__call__(1, 1) == 2
    with pytest.raises(TypeCheckError):
        add.__call__("1")


def test_a_new_code_object_is_honoured_and_ends_the_promise(module_of):
    add = module_of(ADD).add
    assert add(1) == 3

    def other(a, b=0):
        return [a, b]

    add.__code__ = other.__code__
    assert add(1) == [1, 2]
    assert add("x", "y") == ["x", "y"]
    assert not is_compiled(add)
    assert "__code__" in str(explain(add))


def test_new_defaults_are_honoured(module_of):
    add = module_of(ADD).add
    assert add(1) == 3
    add.__defaults__ = (10,)
    assert add(1) == 11
    add.__defaults__ = None
    with pytest.raises(TypeError, match=r"add\(\) missing 1 required positional argument: 'b'"):
        add(1)


def test_promises(module_of):
    module = module_of(ADD + "\n@jit\ndef wrong(n: int) -> int:\n    return n / 2\n")
    for _ in range(3):
        with pytest.raises(TypeCheckError, match=r"add\(\) argument 'a' must be int, not str: '1'"):
            module.add("1", 2)
        with pytest.raises(TypeCheckError, match=r"add\(\) argument 'b' must be int, not float: 0.5"):
            module.add(1, b=0.5)
        with pytest.raises(TypeCheckError, match=r"wrong\(\) result must be int, not float: 2.5"):
            module.wrong(5)
    assert module.add(True, True) == 2


def test_no_castiron_frame_in_the_traceback(module_of):
    add = module_of(ADD).add
    with pytest.raises(TypeCheckError) as caught:
        add("1")
    assert [frame.name for frame in caught.traceback] == ["test_no_castiron_frame_in_the_traceback"]


def test_a_strict_failure_class_exists():
    assert issubclass(castiron.InternalError, RuntimeError)
    assert issubclass(TypeCheckError, TypeError)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (len, "jit takes a function written in Python, not the built-in 'len'"),
        (int, "jit takes a function, or a class written in Python, not 'int'"),
        (functools.partial(len), "jit takes a function, not an object of type 'partial'"),
        (5, "jit takes a function, not an object of type 'int'"),
    ],
)
def test_what_is_no_function_is_refused(value, message):
    with pytest.raises(TypeError) as caught:
        jit(value)
    assert message in str(caught.value)


def test_eager_compiles_at_decoration(module_of):
    text = """
from castiron import jit

@jit(eager=True)
def fact(n: int) -> int:
    return 1 if n < 2 else n * fact(n - 1)
"""
    module = module_of(text)
    assert is_compiled(module.fact)
    assert module.fact(20) == 2432902008176640000
    assert module.fact(25) == 15511210043330985984000000


def test_disabled_takes_effect_at_the_next_call(module_of):
    module = module_of(ADD)
    assert module.add(1) == 3
    before = native_calls(module, "add")
    with castiron.disabled():
        assert module.add(1) == 3
        assert native_calls(module, "add") == before
        with pytest.raises(TypeCheckError):
            module.add("1")
    assert module.add(2) == 4
    assert native_calls(module, "add") > before


def native_calls(module, name):
    return stats()["native_calls"].get(f"{module.__name__}.{name}", 0)


def test_explain_of_a_compiled_function(module_of):
    text = "from castiron import jit\nLIMIT = 3\n\n@jit\ndef f(n: int) -> int:\n    return abs(n) * LIMIT\n"
    f = module_of(text).f
    assert f(-4) == 12
    explanation = explain(f)
    assert explanation.native
    assert explanation.reasons == ()
    assert set(explanation.bets) == {"LIMIT", "abs"}
    assert explanation.signature == "f(n: int) -> int"
    assert "native" in str(explanation)


def test_explain_of_any_function():
    explanation = explain(test_binding)
    assert not explanation.native
    assert explanation.reasons == ("it is not decorated with jit",)
    with pytest.raises(TypeError):
        explain(5)


def test_stats(module_of):
    f = module_of(ADD).add
    assert f(1) == 3
    assert f(True) == 3
    now = stats()
    assert now["compiled_functions"] >= 1
    assert now["slow_calls"] >= 1
    assert now["compile_seconds"] > 0
    assert now["code_bytes"] > 0
    assert now["ops"]["int.add_checked"] >= 1


def test_functions_die(module_of):
    module = module_of(
        """
from castiron import jit
def make():
    @jit
    def inner(n: int) -> int:
        return n + 1
    return inner
"""
    )
    inner = module.make()
    assert inner(1) == 2
    seen = weakref.ref(inner)
    del inner
    gc.collect()
    assert seen() is None


def test_modules_die(module_of):
    module = module_of(ADD)
    assert module.add(1) == 3
    seen = weakref.ref(module.add)
    module.__dict__.clear()
    del module
    gc.collect()
    assert seen() is None


def test_calls_from_many_threads(module_of):
    module = module_of(
        """
from castiron import jit
@jit
def fib(n: int) -> int:
    return n if n < 2 else fib(n - 1) + fib(n - 2)
"""
    )
    results = []
    start = threading.Barrier(4)

    def work():
        start.wait()
        results.extend(module.fib(n) for n in range(18))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == sorted([plain_fib(n) for n in range(18)] * 4)


def plain_fib(n):
    return n if n < 2 else plain_fib(n - 1) + plain_fib(n - 2)


def test_arguments_are_not_kept(module_of):
    module = module_of(
        """
from castiron import jit
@jit
def first(a, n: int):
    b = a
    for i in range(n):
        b = a
    return b
"""
    )
    thing = object()
    count = sys.getrefcount(thing)
    for _ in range(100):
        module.first(thing, 3)
        module.first(a=thing, n=True)
    assert sys.getrefcount(thing) == count


def test_import_is_light():
    text = """
        import sys
        before = set(sys.modules)
        import castiron
        heavy = {"inspect", "typing", "re", "dataclasses", "ast", "asyncio", "linecache", "tokenize"}
        print(sorted(heavy & (set(sys.modules) - before)))
    """
    command = [sys.executable, "-I", "-c", f"import sys; sys.path[:] = {sys.path!r}\n{textwrap.dedent(text)}"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_typed_above_and_below_jit(module_of):
    text = """
from castiron import jit, typed

@typed
@jit
def above(n: int) -> int:
    return n + 1

@jit
@typed
def below(n: int) -> int:
    return n + 1
"""
    module = module_of(text)
    for function in (module.above, module.below):
        assert function(1) == 2
        assert is_compiled(function)
        with pytest.raises(TypeCheckError):
            function("1")


def test_a_tracer_sees_the_frames(module_of):
    add = module_of(ADD).add
    assert add(1) == 3
    seen = []

    def tracer(frame, event, argument):
        seen.append((frame.f_code.co_name, event))
        return tracer

    previous = sys.gettrace()
    sys.settrace(tracer)
    try:
        assert add(2) == 4
    finally:
        sys.settrace(previous)
    assert ("add", "call") in seen
    assert ("add", "return") in seen


def test_an_interrupt_ends_an_endless_loop(tmp_path):
    path = tmp_path / "endless.py"
    path.write_text(
        "import signal\nfrom castiron import jit\n\n"
        "@jit\ndef spin(n: int) -> int:\n    while True:\n        n = n + 1 & 7\n\n"
        "signal.setitimer(signal.ITIMER_REAL, 0.3)\n"
        "signal.signal(signal.SIGALRM, signal.default_int_handler)\n"
        "try:\n    spin(1)\nexcept KeyboardInterrupt:\n    print('interrupted')\n"
    )
    done = subprocess.run([sys.executable, str(path)], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "interrupted\n"


def test_the_lock_is_handed_over(module_of):
    module = module_of(
        """
from castiron import jit
@jit
def spin(n: int) -> int:
    x = 1
    for i in range(n):
        x = x * 3 & 0xFFFF
    return x
"""
    )
    module.spin(1)
    ticks = []
    stop = threading.Event()

    def tick():
        while not stop.wait(0.001):
            ticks.append(1)

    thread = threading.Thread(target=tick)
    thread.start()
    module.spin(100_000_000)
    stop.set()
    thread.join()
    assert ticks


def test_an_earlier_caller_is_called_by_a_later_one(module_of):
    text = """
from castiron import jit
@jit
def inner(n: int) -> int:
    return n * n
@jit
def outer(n: int) -> int:
    total = 0
    for i in range(n):
        total += inner(i)
    return total
"""
    module = module_of(text)
    assert module.inner(2**40) == 2**80
    assert module.outer(10) == 285
    assert module.outer(2) == 1
    original = module.inner
    module.inner = lambda n: 1
    assert module.outer(10) == 10
    module.inner = original
    assert module.outer(10) == 285
    del original
    module.inner.__code__ = (lambda n: 2).__code__
    assert module.outer(10) == 20


def test_a_function_dies_before_its_caller(module_of):
    text = """
from castiron import jit
@jit
def inner(n: int) -> int:
    return n + 1
@jit
def outer(n: int) -> int:
    return inner(n) * 2
"""
    for first in ("inner", "outer"):
        module = module_of(text)
        assert getattr(module, first)(1) in (2, 4)
        assert module.outer(1) == 4
        del module.inner
        gc.collect()
        with pytest.raises(NameError):
            module.outer(1)
        module.inner = lambda n: n
        assert module.outer(1) == 2


def test_functions_of_one_def_share_their_code(module_of):
    text = """
from castiron import jit
def make(default):
    @jit
    def inner(n: int, k: int = default) -> int:
        return n + k
    return inner
"""
    make = module_of(text).make
    kept = [make(5)]
    assert kept[0](1) == 6
    before = stats()["compiled_functions"]
    for default in range(50):
        inner = make(default)
        assert is_compiled(inner)
        assert inner(1) == default + 1
        kept.append(inner)
    assert stats()["compiled_functions"] == before
    kept = kept[:2]
    gc.collect()
    assert kept[0](1) == 6
    with pytest.raises(TypeCheckError):
        kept[1]("1")


def test_disabled_blocks_nest(module_of):
    module = module_of(ADD)
    module.add(1)
    before = native_calls(module, "add")
    with castiron.disabled():
        with castiron.disabled():
            module.add(1)
        module.add(1)
    assert native_calls(module, "add") == before


def test_disabled_before_the_first_call(module_of):
    module = module_of(ADD)
    with castiron.disabled():
        assert module.add(1) == 3
        with pytest.raises(TypeCheckError):
            module.add("1")
        assert not is_compiled(module.add)
    assert module.add(1) == 3
    assert is_compiled(module.add)


def test_methods_that_classes_bind_by_name(module_of):
    text = """
from castiron import jit
class Point:
    @jit
    def __new__(cls, n: int):
        return n
    @jit
    def __init_subclass__(cls):
        cls.seen = 1
class Sub(Point):
    pass
"""
    module = module_of(text)
    assert module.Point(5) == 5
    assert module.Sub.seen == 1
