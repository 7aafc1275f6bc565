"""Decides, once, whether the native part is used: `REASON` says why not, and is None where it is.

Pure-Python mode enforces the same annotations with the same words and compiles nothing. `CASTIRON_PURE=1` asks for it;
it is chosen where the native part is not installed or does not know the interpreter.
"""

from __future__ import annotations

import os
import sys


def _reason() -> str | None:
    if os.environ.get("CASTIRON_PURE") == "1":
        return "CASTIRON_PURE=1 asks for pure Python"
    if sys.implementation.name != "cpython":
        return f"the native part runs on CPython, not on {sys.implementation.name}"
    if hasattr(sys, "gettotalrefcount"):
        return "the native part does not run on debug builds"
    if not getattr(sys, "_is_gil_enabled", lambda: True)() or "free-threading" in sys.version:
        return "the native part does not run without the GIL"
    try:
        import castiron._castiron  # noqa: F401 - asked for by its name
    except ImportError as error:
        if os.environ.get("CASTIRON_STRICT") == "1":
            raise
        return f"the native part can't be loaded: {error}"
    return None


REASON: str | None = _reason()
PURE: bool = REASON is not None
