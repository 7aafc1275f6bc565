"""Nothing stale, nothing at a crawl: names patched, deleted, reloaded, rebound all the time, no watcher left."""

from __future__ import annotations

import importlib
import subprocess
import sys
import types
from pathlib import Path

import pytest

import castiron

ROOT = Path(__file__).resolve().parents[2]


def run(text: str, *args: str) -> str:
    command = [sys.executable, "-c", text, *args]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_random_patches_leave_nothing_stale():
    script = ROOT / "tests" / "acceptance" / "patch_stress.py"
    done = subprocess.run([sys.executable, script, "--steps", "8000"], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr


REBOUND = """
from castiron import jit

COUNTER = 0
RATIO = 0.5
SWITCH = False

@jit
def read(n: int) -> int:
    return n + COUNTER

@jit
def scale(x: float) -> float:
    return x * RATIO if SWITCH else x

@jit
def outer(n: int) -> int:
    return read(n) + 1

@jit
def loop(turns: int) -> int:
    total = 0
    for i in range(turns):
        total += COUNTER
        bump()
    return total

def bump():
    global COUNTER, RATIO, SWITCH
    COUNTER += 1
    RATIO += 1.0
    SWITCH = not SWITCH

def drive(turns):
    total = 0
    for i in range(turns):
        bump()
        total += read(i) + outer(i) + scale(1.0)
    return total
"""


def test_readers_of_a_global_that_is_rebound_all_the_time_keep_up(module_of):
    module = module_of(REBOUND)
    plain = module_of(REBOUND.replace("from castiron import jit", "def jit(f): return f"))
    module.drive(2000)
    plain.drive(2000)
    before = castiron.stats()
    assert module.drive(20_000) == plain.drive(20_000)
    after = castiron.stats()
    # Bets are lost a few times and then no more made: nothing is compiled again and again, nobody exits each time.
    assert after["compiled_functions"] - before["compiled_functions"] < 20
    assert after["resumptions"] - before["resumptions"] < 500
    assert (module.COUNTER, module.RATIO, module.SWITCH) == (plain.COUNTER, plain.RATIO, plain.SWITCH)
    assert module.loop(50_000) == plain.loop(50_000)


MADE_ANEW = """
from castiron import jit

K = 1

@jit
def f(n: int, pair: tuple[int, int]) -> int:
    if n <= 0:
        return 1
    n += K % 40
    return f(n - 1, n)
"""


def test_an_exception_survives_its_function_being_made_anew(module_of):
    module = module_of(MADE_ANEW)
    for turn in range(300):
        module.K = turn % 2
        with pytest.raises(castiron.TypeCheckError):
            module.f(3, (1, 2))


def test_code_is_made_anew_for_a_value_that_was_set_once(module_of):
    module = module_of(REBOUND)
    assert module.read(1) == 1
    module.COUNTER = 10
    assert [module.read(1) for _ in range(200)] == [11] * 200
    assert castiron.is_compiled(module.read)
    before = castiron.stats()["resumptions"]
    assert [module.read(2) for _ in range(200)] == [12] * 200
    assert castiron.stats()["resumptions"] == before


def test_callers_follow_a_function_that_is_made_anew(module_of):
    module = module_of(REBOUND)
    assert module.outer(1) == 2
    for value in (3, 4, 5, 6):
        module.COUNTER = value
        assert [module.outer(1) for _ in range(300)] == [value + 2] * 300
    before = castiron.stats()["resumptions"]
    assert [module.outer(2) for _ in range(100)] == [9] * 100
    assert castiron.stats()["resumptions"] == before


def test_reloading_a_module(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    text = (
        "from castiron import jit\nFACTOR = {}\n"
        "@jit\ndef f(n: int) -> int:\n    return n * FACTOR + helper(n)\n"
        "@jit\ndef helper(n: int) -> int:\n    return n + {}\n"
    )
    path = tmp_path / "reloaded_module.py"
    path.write_text(text.format(2, 100))
    import reloaded_module as module  # type: ignore[import-not-found]

    old = module.f
    assert old(5) == 10 + 105
    path.write_text(text.format(3, 2000) + "# another size\n")
    assert importlib.reload(module) is module
    assert module.f is not old
    assert module.f(5) == 15 + 2005
    assert old(5) == 15 + 2005
    assert castiron.is_compiled(module.f)
    del sys.modules["reloaded_module"]


def test_a_module_replaced_in_sys_modules_changes_nothing_until_it_is_imported_again(module_of, monkeypatch):
    module = module_of(
        "import math\nfrom castiron import jit\n@jit\ndef f(x: float) -> object:\n    return math.sqrt(x)\n"
        "def again():\n    global math\n    import math\n"
    )
    assert module.f(4.0) == 2.0
    other = types.ModuleType("math")
    other.sqrt = lambda x: ("other", x)
    monkeypatch.setitem(sys.modules, "math", other)
    assert module.f(4.0) == 2.0
    module.again()
    assert module.f(4.0) == ("other", 4.0)
    other.sqrt = abs
    assert module.f(-4.0) == 4.0
    monkeypatch.undo()
    module.again()
    assert module.f(4.0) == 2.0


WATCHERS_USED_UP = """
import ctypes, os, sys
callback = ctypes.PYFUNCTYPE(ctypes.c_int, ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)(lambda *_: 0)
taken = 0
try:
    while True:
        ctypes.pythonapi.{function}(callback)
        taken += 1
except RuntimeError:
    assert taken, "none was left to begin with"
sys.path.insert(0, sys.argv[1])
import used_up as module
print(module.run())
module.CONSTANT = 70
print(module.run())
del module.helper
try:
    module.run()
except NameError as error:
    print(error)
module.helper = lambda n: n + 1000
print(module.run())
import castiron
print(castiron.is_compiled(module.run), flush=True)
os._exit(0)  # the watchers must not be called when the interpreter ends
"""


@pytest.mark.skipif(sys.version_info < (3, 12), reason="CPython 3.11 has version tags instead of watchers")
@pytest.mark.parametrize(("function", "compiled"), [("PyDict_AddWatcher", True), ("PyFunction_AddWatcher", False)])
def test_no_watcher_left(function, compiled, tmp_path):
    (tmp_path / "used_up.py").write_text(
        "from castiron import jit\nCONSTANT = 7\n@jit\ndef helper(n: int) -> int:\n    return n + CONSTANT\n"
        "@jit\ndef run() -> int:\n    return helper(1) + CONSTANT + abs(-1)\n"
    )
    printed = run(WATCHERS_USED_UP.format(function=function), str(tmp_path)).splitlines()
    assert printed == ["16", "142", "name 'helper' is not defined", "1072", str(compiled)]


KEPT = """
import sys
from castiron import jit

VALUE = True

@jit
def read(x: float) -> float:
    return x + VALUE

for turn in range(50):
    read(1.0)
before = sys.getrefcount(True)
for turn in range(500):
    read(1.0)
print(sys.getrefcount(True) - before)
"""


def test_checked_guards_keep_no_references():
    """Each turn writes to the module's dict, so that the guard is checked."""
    assert abs(int(run(KEPT))) < 5
