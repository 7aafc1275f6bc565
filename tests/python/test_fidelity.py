"""What the library does with functions it does with compiled ones, and says the same of them as of plain ones."""

from __future__ import annotations

import copy
import ctypes
import doctest
import functools
import gc
import importlib.util
import inspect
import itertools
import operator
import pickle
import signal
import sqlite3
import subprocess
import sys
import types
import typing
import weakref
from concurrent.futures import ThreadPoolExecutor
from unittest import mock

import pytest

import castiron

TEXT = '''
from castiron import jit

@jit
def area(width: int, height: int = 2, /, depth: int = 3, *, scale: float = 1.0) -> float:
    """The volume of a box.

    >>> area(2)
    12.0
    """
    return width * height * depth * scale

@jit
def negative(n: int) -> int:
    return -n

@jit
def less(a: int, b: int) -> int:
    return a - b

@jit
def fib(n: int) -> int:
    return n if n < 2 else fib(n - 1) + fib(n - 2)

@jit
def nothing(n: int) -> None:
    return None

class Point:
    def __init__(self, x):
        self.x = x

    @jit
    def moved(self, by: int) -> int:
        return self.x + by

    @staticmethod
    @jit
    def doubled(n: int) -> int:
        return n * 2

    @classmethod
    @jit
    def tripled(cls, n: int) -> int:
        return n * 3

    @property
    @jit
    def twice(self) -> int:
        return self.x * 2
'''
NAMES = ("area", "negative", "less", "fib", "nothing")


@pytest.fixture(scope="module")
def modules(tmp_path_factory):
    """The same text compiled and plain."""
    made = []
    folder = tmp_path_factory.mktemp("fidelity")
    for name, text in (("compiled", TEXT), ("plain", TEXT.replace("from castiron import jit", "def jit(f): return f"))):
        path = folder / f"fidelity_{name}.py"
        path.write_text(text)
        spec = importlib_spec(f"fidelity_{name}", path)
        made.append(spec)
    compiled, plain = made
    assert compiled.area(1) == 6.0
    for name in NAMES[1:]:
        getattr(compiled, name)(*range(1, 1 + getattr(plain, name).__code__.co_argcount))
        assert castiron.is_compiled(getattr(compiled, name))
    assert castiron.is_compiled(compiled.area)
    yield compiled, plain
    for module in made:
        del sys.modules[module.__name__]


def importlib_spec(name, path):
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def compiled(modules):
    return modules[0]


def named_alike(text, module):
    return str(text).replace(module.__name__, "module")


ABOUT_FUNCTIONS = {
    "signature": inspect.signature,
    "signature_of_strings": lambda f: str(inspect.signature(f, eval_str=True)),
    "fullargspec": inspect.getfullargspec,
    "source": inspect.getsource,
    "first_line": lambda f: inspect.getsourcelines(f)[1],
    "doc": inspect.getdoc,
    "comments": inspect.getcomments,
    "isfunction": inspect.isfunction,
    "isroutine": inspect.isroutine,
    "isgeneratorfunction": inspect.isgeneratorfunction,
    "iscoroutinefunction": inspect.iscoroutinefunction,
    "isbuiltin": inspect.isbuiltin,
    "ismethod": inspect.ismethod,
    "callable": callable,
    "unwrap": lambda f: inspect.unwrap(f) is f,
    "closurevars": lambda f: sorted(inspect.getclosurevars(f).builtins),
    "hints": typing.get_type_hints,
    "annotations": inspect.get_annotations,
    "isinstance": lambda f: isinstance(f, types.FunctionType),
    "isinstance_callable": lambda f: isinstance(f, typing.Callable),
    "class": lambda f: f.__class__,
    "attributes": lambda f: [f.__name__, f.__qualname__, f.__defaults__, f.__kwdefaults__, f.__closure__],
    "dir": lambda f: sorted(set(dir(f)) - {"__wrapped__"}),
    "code": lambda f: (f.__code__.co_name, f.__code__.co_varnames, f.__code__.co_firstlineno),
    "wraps": lambda f: functools.wraps(f)(lambda: None).__doc__,
    "wrapped": lambda f: inspect.signature(functools.wraps(f)(lambda *args: None)),
    "partial": lambda f: inspect.signature(functools.partial(f, 1)),
    "cache": lambda f: inspect.signature(functools.lru_cache(f)),
    "truth": bool,
    "equality": lambda f: (f == f, f != f, hash(f) == hash(f)),
    "methodtype": lambda f: types.MethodType(f, 3).__name__,
    "get": lambda f: type(f.__get__(3)),
    "get_class": lambda f: f.__get__(None, int) is f,
    "spec": lambda f: inspect.signature(mock.create_autospec(f)),
}


@pytest.mark.parametrize("question", ABOUT_FUNCTIONS)
@pytest.mark.parametrize("name", NAMES)
def test_says_the_same_of_a_compiled_function(modules, question, name):
    answers = [named_alike(ABOUT_FUNCTIONS[question](getattr(module, name)), module) for module in modules]
    assert answers[0] == answers[1]


WRONG_CALLS = [
    "()",
    "(1, 2, 3, 4)",
    "(1, width=2)",
    "(1, scales=2)",
    "(1, depth=2, depht=3)",
    "(1, **{'scale': 1.0, 'x': 2})",
]


@pytest.mark.parametrize("call", WRONG_CALLS)
def test_wrong_calls_raise_the_same(modules, call):
    messages = []
    for module in modules:
        with pytest.raises(TypeError) as caught:
            eval(f"area{call}", {"area": module.area})
        messages.append(str(caught.value))
    assert messages[0] == messages[1]


def test_functools(compiled):
    assert functools.partial(compiled.less, 10)(3) == 7
    assert functools.partial(compiled.area, 1, scale=2.0)(5) == 30.0
    cached = functools.lru_cache(compiled.fib)
    assert [cached(10), cached(10)] == [55, 55]
    assert cached.cache_info().hits == 1
    assert functools.reduce(compiled.less, [10, 1, 2]) == 7
    assert sorted([3, 1, 2], key=functools.cmp_to_key(compiled.less)) == [1, 2, 3]

    class Owner:
        x = 4
        method = compiled.Point.moved
        half = functools.partialmethod(compiled.Point.moved, 5)

        @functools.cached_property
        def cached(self):
            return compiled.negative(self.x)

    assert Owner().method(2) == 6
    assert Owner().half() == 9
    assert Owner().cached == -4

    @functools.singledispatch
    def act(value):
        return "other"

    assert act.register(int, compiled.negative) is compiled.negative
    assert (act(5), act("x")) == (-5, "other")


def test_methods_of_every_kind(modules):
    for module in modules:
        point = module.Point(5)
        assert [point.moved(1), module.Point.moved(point, 2), point.doubled(3), module.Point.tripled(4)] == [
            6,
            7,
            6,
            12,
        ]
        assert point.twice == 10
        assert point.moved.__self__ is point
        assert point.moved.__func__ is module.Point.__dict__["moved"]
        assert point.moved == point.moved
        assert inspect.ismethod(point.moved)
        assert str(inspect.signature(point.moved)) == "(by: int) -> int"


def test_pickle_and_copy(compiled):
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        assert pickle.loads(pickle.dumps(compiled.area, protocol)) is compiled.area
    assert copy.copy(compiled.area) is compiled.area
    assert copy.deepcopy([compiled.area])[0] is compiled.area
    bound = pickle.loads(pickle.dumps(functools.partial(compiled.less, 5)))
    assert bound(1) == 4


def test_cloudpickle(compiled):
    cloudpickle = pytest.importorskip("cloudpickle")
    assert cloudpickle.loads(cloudpickle.dumps(compiled.area)) is compiled.area
    cloudpickle.register_pickle_by_value(compiled)
    try:
        other = cloudpickle.loads(cloudpickle.dumps(compiled.negative))
    finally:
        cloudpickle.unregister_pickle_by_value(compiled)
    assert other is not compiled.negative
    assert other(5) == -5


def test_weak_references_and_collection(module_of):
    module = module_of(TEXT)
    module.fib(5)
    dead = []
    weakref.finalize(module.fib, dead.append, "fib")
    reference = weakref.ref(module.negative)
    assert reference() is module.negative
    assert module.negative in weakref.WeakSet([module.negative])
    del module.fib, module.negative
    gc.collect()
    assert dead == ["fib"]
    assert reference() is None


def test_mocks(modules):
    for module in modules:
        spec = mock.create_autospec(module.area)
        spec(1, 2, scale=3.0)
        with pytest.raises(TypeError):
            spec()
        spec.assert_called_once_with(1, 2, scale=3.0)
        with mock.patch.object(module, "negative", autospec=True) as fake:
            fake.return_value = 77
            assert module.negative(1) == 77
        assert module.negative(1) == -1
        with mock.patch(f"{module.__name__}.fib", side_effect=KeyError), pytest.raises(KeyError):
            module.fib(3)
        assert module.fib(10) == 55
        with mock.patch.object(module.Point, "moved", autospec=True, return_value=8) as fake:
            assert module.Point(1).moved(2) == 8
        assert module.Point(1).moved(2) == 3


def test_doctest(modules):
    for module in modules:
        finder = doctest.DocTestFinder()
        found = [test for test in finder.find(module) if test.examples]
        assert [test.name.rpartition(".")[2] for test in found] == ["area"]
        assert doctest.DocTestRunner(verbose=False).run(found[0]).failed == 0


def test_callbacks_from_c(compiled):
    values = [3, -1, 2**70, 0]
    assert sorted(values, key=compiled.negative) == sorted(values, reverse=True)
    assert list(map(compiled.negative, values)) == [-v for v in values]
    assert list(filter(compiled.negative, values)) == [v for v in values if v]
    assert max(values, key=compiled.negative) == -1
    assert list(map(compiled.less, values, values)) == [0] * 4
    assert list(itertools.starmap(compiled.less, [(5, 3), (1, 2)])) == [2, -1]
    assert list(itertools.accumulate([1, 2, 3], compiled.less)) == [1, -1, -4]
    assert list(itertools.takewhile(compiled.nothing, values)) == []
    assert operator.call(compiled.fib, 10) == 55
    assert list(iter(functools.partial(compiled.fib, 10), 55)) == []
    [*spread] = map(compiled.area, (1, 2))
    assert spread == [6.0, 12.0]


def test_sqlite_functions(compiled):
    connection = sqlite3.connect(":memory:")
    connection.create_function("neg", 1, compiled.negative)
    connection.create_collation("backwards", lambda a, b: compiled.less(len(b), len(a)))
    assert connection.execute("select neg(5)").fetchone() == (-5,)
    rows = connection.execute(
        "select v from (select 'a' v union all select 'bbb' union all select 'cc') order by v collate backwards"
    )
    assert [row[0] for row in rows] == ["bbb", "cc", "a"]
    with pytest.raises(sqlite3.OperationalError):
        connection.execute("select neg('x')").fetchone()
    connection.close()


def test_ctypes_callbacks(compiled):
    kind = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int)
    assert kind(compiled.negative)(5) == -5
    compare = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_int), ctypes.POINTER(ctypes.c_int))
    numbers = (ctypes.c_int * 5)(5, 3, 4, 1, 2)
    ctypes.CDLL(None).qsort(numbers, 5, ctypes.sizeof(ctypes.c_int), compare(lambda a, b: compiled.less(a[0], b[0])))
    assert list(numbers) == [1, 2, 3, 4, 5]


def test_signal_handlers_and_threads(module_of):
    module = module_of(
        "from castiron import jit\nSEEN = []\ndef note(n):\n    SEEN.append(n)\n    return n\n"
        "@jit\ndef handler(number: int, frame: object) -> None:\n    note(number)\n"
        "@jit\ndef square(n: int) -> int:\n    return n * n\n"
    )
    old = signal.signal(signal.SIGUSR1, module.handler)
    try:
        signal.raise_signal(signal.SIGUSR1)
        signal.raise_signal(signal.SIGUSR1)
    finally:
        signal.signal(signal.SIGUSR1, old)
    assert module.SEEN == [signal.SIGUSR1] * 2
    assert castiron.is_compiled(module.handler)
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(module.square, range(500))) == [n * n for n in range(500)]


def test_atexit(tmp_path):
    (tmp_path / "at_exit_module.py").write_text(
        "from castiron import jit\ndef say(n):\n    print('said', n)\n    return n\n"
        "@jit\ndef last(n: int) -> int:\n    return say(n) + 1\n"
    )
    text = (
        f"import sys, atexit, weakref; sys.path.insert(0, {str(tmp_path)!r})\nimport at_exit_module as m\n"
        "m.last(1)\natexit.register(m.last, 2)\nweakref.finalize(m.say, m.last, 3)\n"
        "class Late:\n    def __del__(self, last=m.last): last(4)\nlate = Late()\n"
    )
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert sorted(done.stdout.splitlines()) == ["said 1", "said 2", "said 3", "said 4"]


def test_attributes_are_the_functions_own(compiled):
    compiled.negative.note = "kept"
    assert compiled.negative.note == "kept"
    assert vars(compiled.negative)["note"] == "kept"
    del compiled.negative.note
    assert not hasattr(compiled.negative, "note")
    compiled.negative.__doc__ = "another"
    assert inspect.getdoc(compiled.negative) == "another"
    compiled.negative.__doc__ = None
    compiled.negative.__name__ = "renamed"
    assert compiled.negative.__name__ == "renamed"
    compiled.negative.__name__ = "negative"
    with pytest.raises(TypeError):
        compiled.negative.__name__ = 5
    with pytest.raises(TypeError):
        compiled.negative.__code__ = 5
