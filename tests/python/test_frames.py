"""Frames of compiled functions, for whoever looks from outside: greenlets, threads, faulthandler, tracemalloc, pdb."""

from __future__ import annotations

import faulthandler
import gc
import io
import os
import pdb  # noqa: T100 - what is tested is that it works
import subprocess
import sys
import threading
import traceback
import tracemalloc

import pytest

import castiron

TEXT = """
from castiron import jit

def call(n):
    return HOOK(n)

@jit
def inner(n: int) -> int:
    return call(n) + 1

@jit
def outer(n: int) -> int:
    x = inner(n)
    return x + 1

@jit
def many(n: int) -> int:
    total = 0
    for i in range(n):
        total += call(i)
    return total
"""


@pytest.fixture
def module(module_of):
    module = module_of(TEXT)
    module.HOOK = int
    assert module.outer(1) == 3
    assert castiron.is_compiled(module.inner)
    assert castiron.is_compiled(module.outer)
    return module


def names(frame):
    found = []
    while frame is not None:
        found.append(frame.f_code.co_name)
        frame = frame.f_back
    return found


def test_frames_of_a_suspended_greenlet(module):
    greenlet = pytest.importorskip("greenlet")
    main = greenlet.getcurrent()
    seen = []

    def pause(n):
        seen.append(names(sys._getframe()))
        return main.switch(n)

    module.HOOK = pause
    suspended = [greenlet.greenlet(module.outer) for _ in range(20)]
    assert [one.switch(number) for number, one in enumerate(suspended)] == list(range(20))
    assert all(found[:4] == ["pause", "call", "inner", "outer"] for found in seen)
    gc.collect()
    for one in suspended:
        assert names(one.gr_frame)[:4] == ["pause", "call", "inner", "outer"]
        assert traceback.extract_stack(one.gr_frame)[-3].name == "inner"
    module.HOOK = int
    assert module.many(2000) == 1999000
    assert [one.switch(100) for one in reversed(suspended)] == [102] * 20
    assert all(one.dead for one in suspended)


def test_a_greenlet_that_is_killed(module):
    greenlet = pytest.importorskip("greenlet")
    main = greenlet.getcurrent()
    module.HOOK = main.switch
    one = greenlet.greenlet(module.outer)
    one.switch(1)
    with pytest.raises(ZeroDivisionError) as caught:
        one.throw(ZeroDivisionError)
    assert [entry.name for entry in caught.traceback][-3:] == ["outer", "inner", "call"]
    other = greenlet.greenlet(module.outer)
    other.switch(1)
    del other
    gc.collect()


def test_frames_of_another_thread(module):
    inside, done = threading.Event(), threading.Event()

    def stand(n):
        inside.set()
        done.wait(60)
        return n

    module.HOOK = stand
    results = []
    thread = threading.Thread(target=lambda: results.append(module.outer(1)))
    thread.start()
    inside.wait(60)
    found = names(sys._current_frames()[thread.ident])
    done.set()
    thread.join()
    assert found[found.index("stand") :][:4] == ["stand", "call", "inner", "outer"]
    assert results == [3]


def test_faulthandler_names_compiled_functions(module, tmp_path):
    path = tmp_path / "dump"

    def dump(n):
        with path.open("w") as file:
            faulthandler.dump_traceback(file)
        return n

    module.HOOK = dump
    module.outer(1)
    lines = path.read_text().splitlines()
    functions = [line.rpartition(" in ")[2] for line in lines if " in " in line]
    start = functions.index("dump")
    assert functions[start : start + 4] == ["dump", "call", "inner", "outer"]


def test_allocations_are_traced_to_compiled_lines(module):
    kept = []
    module.HOOK = lambda n: kept.append(bytearray(1000)) or n
    tracemalloc.start(10)
    try:
        module.outer(1)
        found = tracemalloc.get_object_traceback(kept[0])
    finally:
        tracemalloc.stop()
    lines = [line.strip() for line in found.format()]
    assert "return call(n) + 1" in lines
    assert "x = inner(n)" in lines


def test_a_debugger_goes_up_and_down(module):
    def fail(n):
        raise KeyError(n)

    module.HOOK = fail
    with pytest.raises(KeyError) as caught:
        module.outer(1)
    out = io.StringIO()
    debugger = pdb.Pdb(stdin=io.StringIO("up\nup\nup\ndown\nwhere\nquit\n"), stdout=out)
    debugger.reset()
    debugger.interaction(None, caught.value.__traceback__)
    assert "outer()" in out.getvalue()
    assert "-> return call(n) + 1" in out.getvalue()


def test_frames_kept_by_the_thousand(module):
    kept = []
    module.HOOK = lambda n: kept.append(sys._getframe(2)) or n
    module.outer(1)
    code = module.inner.__code__
    kept.clear()
    before = sys.getrefcount(code)
    module.many(3000)
    for _ in range(1000):
        module.outer(1)
    gc.collect()
    assert {frame.f_code.co_name for frame in kept} == {"many", "inner"}
    assert {frame.f_back.f_code.co_name for frame in kept[3000:]} == {"outer"}
    assert sys.getrefcount(code) == before + 1000
    kept[-1].clear()
    kept.clear()
    gc.collect()
    assert sys.getrefcount(code) == before


def test_a_running_frame_can_not_be_cleared(module):
    def clear(n):
        with pytest.raises(RuntimeError):
            sys._getframe(1).f_back.clear()
        return n

    module.HOOK = clear
    assert module.outer(1) == 3


MONITORED = """
from castiron import jit

@jit
def step(n: int) -> int:
    return n + 1

@jit
def walk(n: int) -> int:
    total = 0
    for i in range(n):
        total = step(total)
    return total
"""


@pytest.mark.skipif(sys.version_info < (3, 12), reason="sys.monitoring came with CPython 3.12")
@pytest.mark.parametrize("event", ["PY_START", "LINE", "INSTRUCTION", "PY_RETURN", "JUMP"])
def test_compiled_code_steps_aside_for_monitoring(module_of, event):
    module = module_of(MONITORED)
    assert module.walk(3) == 3
    assert castiron.is_compiled(module.walk)
    monitoring, seen = sys.monitoring, set()
    monitoring.use_tool_id(3, "test")
    try:
        monitoring.register_callback(3, getattr(monitoring.events, event), lambda code, *_: seen.add(code.co_name))
        monitoring.set_events(3, getattr(monitoring.events, event))
        assert module.walk(3) == 3
    finally:
        monitoring.set_events(3, 0)
        monitoring.free_tool_id(3)
    assert "walk" in seen
    assert event == "JUMP" or "step" in seen
    seen.clear()
    assert module.walk(3) == 3
    assert not seen


@pytest.mark.skipif(sys.version_info < (3, 12), reason="sys.monitoring came with CPython 3.12")
@pytest.mark.parametrize("listened_to", ["walk", "step"])
def test_compiled_code_steps_aside_for_local_events(module_of, listened_to):
    module = module_of(MONITORED)
    assert module.walk(3) == 3
    assert castiron.is_compiled(module.walk)
    monitoring, seen = sys.monitoring, []
    code = getattr(module, listened_to).__code__
    monitoring.use_tool_id(3, "test")
    try:
        start = monitoring.events.PY_START
        monitoring.register_callback(3, start, lambda code, *_: seen.append(code.co_name))
        monitoring.set_local_events(3, code, start)
        assert module.walk(3) == 3
        assert seen == [listened_to] * (3 if listened_to == "step" else 1)
        monitoring.set_local_events(3, code, 0)
        seen.clear()
        assert module.walk(3) == 3
        assert not seen
    finally:
        monitoring.free_tool_id(3)
    before = castiron.stats()["native_calls"].get(f"{module.__name__}.walk", 0)
    assert module.walk(3) == 3
    assert castiron.stats()["native_calls"][f"{module.__name__}.walk"] == before + 1


def test_compiled_code_steps_aside_for_tracers_and_profilers(module_of):
    module = module_of(MONITORED)
    assert module.walk(3) == 3
    seen = []

    def trace(frame, event, arg):
        seen.append((event, frame.f_code.co_name))
        return trace

    old = sys.gettrace()
    sys.settrace(trace)
    try:
        module.walk(1)
    finally:
        sys.settrace(old)
    assert ("call", "step") in seen
    assert ("line", "walk") in seen
    assert ("return", "walk") in seen
    seen.clear()
    sys.setprofile(trace)
    try:
        module.walk(1)
    finally:
        sys.setprofile(None)
    assert ("call", "step") in seen
    assert ("return", "walk") in seen
    seen.clear()
    module.walk(1)
    assert not seen


LATE = """
import _testcapi
import sys
import castiron

def names(frame):
    return [frame.f_code.co_name, frame.f_back.f_code.co_name]

class Bad(Exception):
    def __init__(self):
        raise RuntimeError(names(sys._getframe(1)))

@castiron.jit
def catches(n: int) -> object:
    try:
        _testcapi.raise_exception(Bad, 0)
    except RuntimeError as error:
        return error.args[0], error.__traceback__
    return n

seen, shown = catches(1)
while shown.tb_next:
    shown = shown.tb_next
print(castiron.is_compiled(catches), *seen, *names(shown.tb_frame))
"""


def test_an_exception_that_is_made_where_it_is_caught_sees_the_catcher(tmp_path):
    pytest.importorskip("_testcapi")
    path = tmp_path / "late.py"
    path.write_text(LATE)
    environment = {**os.environ, "CASTIRON_FORCE": "native"}
    done = subprocess.run([sys.executable, path], env=environment, capture_output=True, text=True, timeout=60)
    assert done.stdout.split() == ["True", "catches", "<module>", "__init__", "catches"], done.stderr
