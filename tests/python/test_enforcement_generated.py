"""Generated annotations and values: the checks agree with a reference written for this test."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from enforcement.drivers import deep, python, python_deep, typed
from enforcement.generated import compare

if TYPE_CHECKING:
    from collections.abc import Callable

PAIRS = 3000


def native(hint: Any, is_deep: bool) -> Callable[[Any], bool]:
    return (deep if is_deep else typed)("parameter", hint)


def in_python(hint: Any, is_deep: bool) -> Callable[[Any], bool]:
    return (python_deep if is_deep else python)("parameter", hint)


@pytest.mark.parametrize("make", [native, in_python])
def test_agrees_with_the_reference(make: Any) -> None:
    kept, broken, faults = compare(7, PAIRS, make)
    assert faults == []
    assert min(kept, broken) > PAIRS // 10
