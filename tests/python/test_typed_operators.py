"""A second operand that breaks its annotation makes an operator's method return NotImplemented."""

import contextlib
import sys
from collections.abc import Callable
from types import FrameType, ModuleType
from typing import Any

import pytest

from castiron import TypeCheckError, typed

NAMES = [
    *(f"__{name}__" for name in ("lt", "le", "eq", "ne", "gt", "ge")),
    *(
        f"__{prefix}{name}__"
        for prefix in ("", "r", "i")
        for name in ("add", "sub", "mul", "matmul", "truediv", "floordiv", "mod", "pow", "lshift", "and", "xor", "or")
    ),
    "__divmod__",
    "__rdivmod__",
]


def method(name: str) -> Callable[..., Any]:
    space: dict[str, Any] = {}
    exec(f"class C:\n def {name}(self, other: int) -> int: return other", space)
    return typed(space["C"].__dict__[name])


@pytest.mark.parametrize("name", NAMES)
def test_each_operator_declines(name: str) -> None:
    operator = method(name)
    assert operator(None, 3) == 3
    assert operator(None, "x") is NotImplemented


@pytest.mark.parametrize("name", ["__contains__", "__getitem__", "__call__", "add", "__idivmod__", "__req__"])
def test_other_methods_fail(name: str) -> None:
    with pytest.raises(TypeCheckError):
        method(name)(None, "x")


def test_functions_outside_classes_fail() -> None:
    @typed
    def __eq__(self: object, other: int) -> bool:  # noqa: N807
        return True

    with pytest.raises(TypeCheckError):
        __eq__(1, "x")  # type: ignore[arg-type]


class Money:
    @typed
    def __init__(self, amount: int) -> None:
        self.amount = amount

    @typed
    def __add__(self, other: "Money") -> "Money":
        return Money(self.amount + other.amount)

    @typed
    def __eq__(self, other: "Money") -> bool:  # type: ignore[override]
        return self.amount == other.amount

    @typed
    def __lt__(self, other: "Money") -> bool:
        return NotImplemented

    @typed
    def __mul__(self, other: int) -> "Money":
        return "wrong"  # type: ignore[return-value]

    @typed
    def __pow__(self, other: int, modulus: int = 0) -> "Money":
        return self

    __hash__ = None  # type: ignore[assignment]


class Reflecting:
    def __radd__(self, other: object) -> str:
        return "reflected"


def test_in_a_class() -> None:
    one = Money(1)
    assert one == Money(1)
    assert one != 1
    assert 1 in [one, 1]
    assert (one + Money(2)).amount == 3
    assert one + Reflecting() == "reflected"  # type: ignore[operator]
    with pytest.raises(TypeError, match=r"unsupported operand type\(s\) for \+: 'Money' and 'int'") as caught:
        one + 1  # type: ignore[operator]
    assert type(caught.value) is TypeError
    assert caught.value.__context__ is None


def test_not_implemented_is_never_a_wrong_result() -> None:
    with pytest.raises(TypeError, match="'<' not supported"):
        Money(1) < Money(2)  # noqa: B015
    with pytest.raises(TypeCheckError, match=r"Money.__mul__\(\) result must be Money"):
        Money(1) * 2
    with pytest.raises(TypeCheckError, match=r"Money.__pow__\(\) argument 'modulus'"):
        pow(Money(1), 2, "x")  # type: ignore[call-overload]

    @typed
    def plain() -> int:
        return NotImplemented

    with pytest.raises(TypeCheckError):
        plain()


def test_what_a_check_raises_is_not_swallowed() -> None:
    class Meta(type):
        def __instancecheck__(cls, value: object) -> bool:
            raise ZeroDivisionError

    class Odd(metaclass=Meta): ...

    class Left:
        @typed
        def __add__(self, other: Odd) -> int:
            return 1

    with pytest.raises(ZeroDivisionError):
        Left() + 1  # type: ignore[operator]


def test_operand_that_is_captured() -> None:
    class Left:
        @typed
        def __add__(self, other: int) -> Callable[[], int]:
            return lambda: other

    assert (Left() + 2)() == 2
    with pytest.raises(TypeError, match="unsupported operand"):
        Left() + "x"  # type: ignore[operator]


@pytest.mark.native
@pytest.mark.parametrize("profile", [False, True])
def test_tracers_see_a_call_that_returns(profile: bool) -> None:
    seen = []

    def tracer(frame: FrameType, event: str, argument: object) -> object:
        if frame.f_code.co_name == "__add__":
            seen.append((event, argument))
        return tracer

    install = sys.setprofile if profile else sys.settrace
    install(tracer)  # type: ignore[arg-type]
    try:
        with contextlib.suppress(TypeError):
            Money(1) + 1  # type: ignore[operator]
    finally:
        install(None)
    assert [event for event, _ in seen if event != "line"] == ["call", "return"]
    assert seen[-1][1] is NotImplemented


SOURCE = """
from castiron import jit
class Mass:
    @jit
    def __add__(self, other: int) -> int:
        return other + 1
    @jit
    def __eq__(self, other: float) -> bool:
        return other > 1.0
    __hash__ = None
class Other:
    def __radd__(self, left):
        return "reflected"
mass, other = Mass(), Other()
"""


@pytest.mark.native
def test_compiled_methods_decline(module_of: Callable[[str], ModuleType]) -> None:
    module = module_of(SOURCE)
    mass = module.mass
    for _ in range(3):
        assert mass + 1 == 2
        assert mass + module.other == "reflected"
        assert mass == 2.0
        assert mass != "x"
        assert "x" in [mass, "x"]
        with pytest.raises(TypeError, match="unsupported operand"):
            mass + None
