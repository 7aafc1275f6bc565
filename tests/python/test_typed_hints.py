"""How annotations become objects, whatever the form in which they are written."""

# ruff: noqa: UP045 - the old spelling is an annotation too

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Optional

import pytest

import castiron
from castiron import TypeCheckError, explain, typed
from castiron._hints import UNANNOTATED, Unresolved, resolve
from castiron._typed import plan_of

if TYPE_CHECKING:
    from nowhere import Ghost


class Known:
    pass


def refuses(call: Callable[[], object]) -> bool:
    try:
        call()
    except TypeCheckError:
        return True
    return False


def test_strings_are_evaluated() -> None:
    def f(a: int, b: list[Known], c: Known | None = None, *, d: Known | None) -> None: ...

    hints = resolve(f)
    assert hints.parameters == {"a": int, "b": list[Known], "c": Optional[Known], "d": Known | None}
    assert hints.result is None
    assert hints.unresolved == []


def test_objects_are_left_alone() -> None:
    def f(a):  # type: ignore[no-untyped-def]
        return a

    marker = object()
    f.__annotations__ = {"a": marker}
    hints = resolve(f)
    assert hints.parameters["a"] is marker
    assert hints.result is UNANNOTATED


def test_closure_names() -> None:
    class Local: ...

    def f(a: Local) -> None:
        Local()

    assert resolve(f).parameters == {"a": Local}


def test_local_names_where_it_is_decorated() -> None:
    class Local: ...

    @typed
    def f(a: Local) -> None: ...

    f(Local())
    assert refuses(lambda: f(1))  # type: ignore[arg-type]

    class Outer:
        class Inner: ...

        @typed
        def method(self, inner: Inner, local: Local) -> None: ...

    Outer().method(Outer.Inner(), Local())
    assert refuses(lambda: Outer().method(1, Local()))  # type: ignore[arg-type]
    assert refuses(lambda: Outer().method(Outer.Inner(), 1))  # type: ignore[arg-type]


@pytest.mark.parametrize(("annotation", "reason"), [
    ("Ghost", "name 'Ghost' is not defined"),
    ("1 / 0", "ZeroDivisionError: division by zero"),
    ("int[", "SyntaxError: "),
    ("'Ghost'", "name 'Ghost' is not defined"),
    ("int.nothing", "AttributeError: "),
])  # fmt: skip
def test_what_cannot_be_evaluated_is_unchecked_with_its_reason(annotation: str, reason: str) -> None:
    def f(a, b: int = 0):  # type: ignore[no-untyped-def]
        return a

    f.__annotations__["a"] = annotation
    ((name, unresolved),) = resolve(f).unresolved
    assert name == "a"
    assert isinstance(unresolved, Unresolved)
    assert unresolved.reason.startswith(reason)
    f = typed(f)
    for _ in range(20):
        assert f("anything") == "anything"
    assert refuses(lambda: f(1, "x"))
    plan = plan_of(f)
    assert plan is not None
    assert [(name, reason in gap) for name, gap in plan.gaps()] == [("a", True)]


def test_explain_names_what_is_unchecked() -> None:
    @typed
    def f(a: Ghost, b: int) -> Ghost:
        return a

    assert explain(f).unchecked == (
        "\"a\" is not checked in full: name 'Ghost' is not defined",
        "the result is not checked in full: name 'Ghost' is not defined",
    )
    assert explain(len).unchecked == ()


def test_name_that_is_only_imported_for_type_checkers() -> None:
    @typed
    def f(a: Ghost, b: list[Ghost], c: Ghost | None = None) -> Ghost:
        return a

    assert f(1, [], 2) == 1


def test_forward_reference_is_checked_from_the_first_call_on() -> None:
    space: dict[str, Any] = {"typed": typed}
    exec(
        "@typed\n"
        "def take(a: 'Later', b: 'list[Later] | None' = None) -> 'Later | None': return None if b == [] else a\n",
        space,
    )
    exec("class Later: pass", space)
    take, later = space["take"], space["Later"]()
    assert refuses(lambda: take(1))
    assert take(later, []) is None
    assert refuses(lambda: take(later, (1,)))
    assert plan_of(take).gaps() == []  # type: ignore[union-attr]


def test_forward_reference_to_the_class_itself() -> None:
    space: dict[str, Any] = {"typed": typed}
    exec(
        "class Node:\n"
        "    @typed\n"
        "    def link(self, other: 'Node | None', more: 'tuple[Node, ...]' = ()) -> 'Node': return self\n",
        space,
    )
    node = space["Node"]()
    assert node.link(node).link(None) is node
    assert refuses(lambda: node.link(1))


def test_reference_that_appears_late_is_found_in_the_long_run() -> None:
    space: dict[str, Any] = {"typed": typed}
    exec("@typed\ndef take(a: 'Later'): return a\n", space)
    for _ in range(10):
        assert space["take"](1) == 1
    exec("class Later: pass", space)
    assert any(refuses(lambda: space["take"](1)) for _ in range(10))


def test_closure_that_is_bound_later() -> None:
    def make() -> tuple[type, Callable[[Any], object]]:
        @typed
        def take(a: Later) -> object:
            return Later, a

        class Later: ...

        return Later, take

    (one, take_one), (two, take_two) = make(), make()
    take_one(one())
    take_two(two())
    assert refuses(lambda: take_one(two()))
    assert refuses(lambda: take_two(one()))


def test_neither_typing_nor_inspect_is_imported() -> None:
    source = (
        "import sys; before = set(sys.modules)\n"
        "import castiron\n"
        "@castiron.typed\n"
        "def f(a: int, b: 'str | None' = None, *c: list[int]) -> float: return a\n"
        "f(1)\n"
        "new = set(sys.modules) - before\n"
        "assert not new & {'typing', 'inspect', 're', 'dis', 'ast'}, sorted(new)\n"
    )
    # Without site, which imports much itself and is how an installed package is found.
    environment = {**os.environ, "PYTHONPATH": str(Path(castiron.__file__).parents[1])}
    command = [sys.executable, "-S", "-c", source]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert (done.returncode, done.stderr) == (0, "")
