"""Fixtures shared by the tests of the API."""

from __future__ import annotations

import importlib.util
import itertools
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

from castiron._mode import PURE, REASON

_numbers = itertools.count()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip in pure-Python mode what is said of the native part."""
    if PURE:
        for item in items:
            if item.get_closest_marker("native") is not None:
                item.add_marker(pytest.mark.skip(reason=str(REASON)))


@pytest.fixture(autouse=True, scope="session")
def interrupts_are_heard() -> None:
    """A shell starts background jobs with SIGINT ignored, and their children inherit it."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def module_of(tmp_path: Path) -> Iterator[Callable[[str], ModuleType]]:
    """Import a text as a module from a file of its own: pytest rewrites the assertions of its own modules."""
    made = []

    def make(text: str) -> ModuleType:
        name = f"generated_{next(_numbers)}"
        path = tmp_path / f"{name}.py"
        path.write_text(text, encoding="utf-8")
        spec = importlib.util.spec_from_file_location(name, path)
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        made.append(name)
        spec.loader.exec_module(module)
        return module

    yield make
    for name in made:
        del sys.modules[name]
