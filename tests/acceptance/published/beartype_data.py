"""Runs beartype's published (hint, value) data through castiron.

`published_tests.py` puts this file beside beartype's own tests, whose fixtures hold the data, and reads what it prints:
a JSON line for each datum, with a key made of the hint's text and the value's place among the hint's values.
"""

from __future__ import annotations

import collections
import json
import os
import re
from typing import Any

import beartype_test.a00_unit.data.data_type  # noqa: F401 - hints in text name it
import pytest

import castiron


def keys(metas: Any) -> Any:
    """Pair the data with their keys."""
    seen: collections.Counter[str] = collections.Counter()
    for meta in metas:
        if not meta.is_supported:
            continue
        text = re.sub(r" at 0x[0-9a-f]+|beartype_test\.[\w.]*\.", "", repr(meta.hint))
        seen[text] += 1
        for number, pith in enumerate(meta.piths_meta):
            yield f"{text} /{seen[text]}.{number}", meta, pith


def verdict(hint: Any, value: object) -> str:
    """Say what becomes of a call with the value."""

    @castiron.typed(deep=True)
    def identity(pith: hint) -> hint:  # type: ignore[valid-type]
        return pith

    try:
        return "accepted" if identity(value) is value else "changed"
    except castiron.TypeCheckError as error:
        return f"refused: {error}"


def test_data(hints_piths_meta: Any, capfd: pytest.CaptureFixture[str]) -> None:
    from beartype._util.utilobjtest import is_object_context_manager
    from beartype_test.a00_unit.data.hint.cls.pith.data_clspith import PithUnsatisfiedMetadata

    with open(os.environ["PUBLISHED_OUT"], "w", encoding="utf-8") as out:
        for key, meta, pith in keys(hints_piths_meta):
            value = pith.pith() if pith.is_pith_factory else pith.pith
            opened = is_object_context_manager(value) and not pith.is_context_manager
            if opened:
                with value as inner:
                    got = verdict(meta.hint, inner)
            else:
                got = verdict(meta.hint, value)
            wanted = "refused" if isinstance(pith, PithUnsatisfiedMetadata) else "accepted"
            print(json.dumps({"key": key, "wanted": wanted, "got": got, "value": repr(value)[:200]}), file=out)
