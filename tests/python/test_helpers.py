"""Helpers of the runtime library against the interpreter's own arithmetic."""

from __future__ import annotations

import itertools
import math
import operator
import random

import pytest

from castiron._castiron import call_helper

EDGES = [0, 1, 2, 3, 5, 7, 10, 63, 64, 2**31, 2**32, 2**52, 2**53, 2**53 + 1, 2**54 + 1, 2**62, 2**63 - 1]
INTS = sorted({sign * (edge + step) for edge in EDGES for step in (-1, 0, 1) for sign in (-1, 1)} | {-(2**63)})
INTS = [value for value in INTS if -(2**63) <= value < 2**63]
FLOATS = [0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 10.0, 1e-320, 5e-324, 2.2250738585072014e-308, 1e308, 2.0**53, 2.0**63, 1e300]
FLOATS += [math.inf, math.pi, 0.1, 0.3, 1 / 3, 1024.0, 1e16, 1.7976931348623157e308]
FLOATS = [sign * value for value in FLOATS for sign in (1.0, -1.0)] + [math.nan]


def random_ints(count: int) -> list[int]:
    source = random.Random(20)
    return [source.getrandbits(source.randrange(1, 64)) * source.choice((1, -1)) for _ in range(count)]


def random_floats(count: int) -> list[float]:
    source = random.Random(21)
    return [math.ldexp(source.uniform(-1, 1), source.randrange(-60, 60)) for _ in range(count)]


def int_pairs() -> list[tuple[int, int]]:
    return [*itertools.product(INTS, INTS), *zip(random_ints(5000), random_ints(10000)[5000:], strict=True)]


def float_pairs() -> list[tuple[float, float]]:
    pairs = itertools.product(FLOATS, FLOATS)
    return [*pairs, *zip(random_floats(5000), random_floats(10000)[5000:], strict=True)]


def same(a: object, b: object) -> bool:
    """Equal, of one type, bit for bit where they are floats."""
    if isinstance(a, float) and isinstance(b, float):
        return (a == b and math.copysign(1, a) == math.copysign(1, b)) or (a != a and b != b)
    return type(a) is type(b) and a == b


def fits(value: int) -> int | None:
    return value if -(2**63) <= value < 2**63 else None


def test_int_unbox() -> None:
    for value in [*INTS, *random_ints(1000)]:
        assert call_helper("int_unbox", (value,)) == value
    for value in (2**63, -(2**63) - 1, 2**64, -(2**64), 2**90, 10**100):
        assert call_helper("int_unbox", (value,)) is None


def test_int_true_division() -> None:
    for a, b in int_pairs():
        if b:
            assert same(call_helper("int_true_div", (a, b)), a / b), (a, b)


def test_int_power() -> None:
    for base in INTS:
        for exponent in [*range(70), 2**62, 2**63 - 1]:
            expected = fits(base**exponent) if exponent < 70 else base ** (2 - exponent % 2) if abs(base) < 2 else None
            assert call_helper("int_pow", (base, exponent)) == expected, (base, exponent)
        assert call_helper("int_pow", (base, -1)) is None


def test_int_against_float() -> None:
    for a in [*INTS, *random_ints(300)]:
        for b in [*FLOATS, *(float(near) for near in (a - 1, a, a + 1)), a + 0.5]:
            expected = 2 if b != b else (a > b) - (a < b)
            assert call_helper("int_compare_float", (a, b)) == expected, (a, b)


def test_range_length() -> None:
    ends = [*INTS[::3], *range(-12, 12)]
    for start, stop in itertools.product(ends, ends):
        for step in (1, -1, 2, -3, 7, 2**62, -(2**63), 2**63 - 1):
            found = range(start, stop, step)
            count = max(0, (stop - start + step - (1 if step > 0 else -1)) // step)
            assert (count < 2**63 and len(found) == count) or count >= 2**63
            assert call_helper("int_range_len", (start, stop, step)) == fits(count), (start, stop, step)


@pytest.mark.parametrize(("helper", "plain"), [("float_floor_div", operator.floordiv), ("float_mod", operator.mod)])
def test_float_division(helper: str, plain: object) -> None:
    for a, b in float_pairs():
        if b:
            assert same(call_helper(helper, (a, b)), plain(a, b)), (a, b)


def test_float_power() -> None:
    for a, b in [*float_pairs(), *itertools.product(FLOATS, map(float, range(-9, 9)))]:
        try:
            expected = a**b
        except (OverflowError, ZeroDivisionError):
            expected = None
        if isinstance(expected, complex):
            expected = None
        assert same(call_helper("float_pow", (a, b)), expected), (a, b)


ONE = ["sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh", "asinh", "acosh", "atanh"]
ONE += ["exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "cbrt", "erf", "erfc"]


@pytest.mark.parametrize("name", ONE)
def test_math_of_one_operand(name: str) -> None:
    for x in [*FLOATS, *random_floats(2000)]:
        try:
            expected = getattr(math, name)(x)
        except (ValueError, OverflowError):
            continue
        assert same(call_helper(name, (x,)), expected), x


@pytest.mark.parametrize("name", ["atan2", "fmod", "copysign", "pow"])
def test_math_of_two_operands(name: str) -> None:
    for x, y in float_pairs():
        try:
            expected = getattr(math, name)(x, y)
        except (ValueError, OverflowError):
            continue
        assert same(call_helper(name, (x, y)), expected), (x, y)


def test_unknown_helpers_are_refused() -> None:
    with pytest.raises(ValueError, match="no helper named 'nothing'"):
        call_helper("nothing", ())
