"""Finds the innermost part of a refused value that breaks its annotation.

In: a description, the value that broke it. Out: a `Fault`: where the part is, what is wanted there and what was found.
"""

from __future__ import annotations

from castiron._checks import (
    accepts,
    class_of,
    entries_of,
    items_of,
    lacking,
    mismatches,
    star_parts,
)
from castiron._descriptions import Member
from castiron._signatures import arity_fault
from castiron._words import class_name, close_match, literal_text, shown, text_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from castiron._checks import Call, Description

MAX_NAMES = 4


class Fault:
    """A part of a value that breaks the annotation.

    `path` leads to it from the value, `found` says what it is where its class does not, `note` why it does not do.
    """

    __slots__ = ("expected", "found", "note", "path", "value")

    def __init__(self, path: str, expected: str, value: object, found: str | None = None, note: str = "") -> None:
        self.path = path
        self.expected = expected
        self.value = value
        self.found = found
        self.note = note

    def words(self) -> str:
        """Say what is wanted, and what is there instead."""
        described = "None" if self.value is None else f"{self.kind()}: {shown(self.value)}"
        return f"must be {self.expected}, not {described}{self.note}"

    def kind(self) -> str:
        """Say what the value is."""
        if self.found is not None:
            return self.found
        if isinstance(self.value, type) and self.expected.startswith("type"):
            return f"type[{self.value.__qualname__}]"
        return class_name(type(self.value), self.expected)


def fault_in(described: Description, value: Any, call: Call, path: str = "") -> Fault:
    """Find what breaks the annotation.

    >>> from castiron._checks import Call
    >>> fault_in(("tuple", (("float",), ("float",))), (1, "x"), Call()).words()
    "must be float, not str: 'x'"
    """
    find = _FINDERS.get(described[0])
    found = find(described, value, call, path) if find is not None else None
    return found or Fault(path, text_of(described), value)


def _first(parts: Any, call: Call, path: str) -> Fault | None:
    for place, wanted, part in parts:
        if not accepts(wanted, part, call):
            return fault_in(wanted, part, call, f"{path}{place}")
    return None


def _tuple(described: Description, value: Any, call: Call, path: str) -> Fault | None:
    items = described[1]
    if not isinstance(value, tuple):
        return None
    if len(value) != len(items):
        return Fault(path, text_of(described), value, f"tuple of length {len(value)}")
    return _first(((f"[{at}]", items[at], part) for at, part in enumerate(value)), call, path)


def _star(described: Description, value: Any, call: Call, path: str) -> Fault | None:
    _, before, item, after = described
    if not isinstance(value, tuple):
        return None
    if len(value) < len(before) + len(after):
        return Fault(path, text_of(described), value, f"tuple of length {len(value)}")
    parts = star_parts(before, item, after, value)
    return _first(((f"[{at}]", wanted, part) for at, wanted, part in parts), call, path)


def _items(described: Description, value: Any, call: Call, path: str) -> Fault | None:
    _, whole, item = described
    if not accepts(whole, value, call):
        return fault_in(whole, value, call, path)
    return _first(((place, item, part) for place, part in items_of(value)), call, path)


def _entries(described: Description, value: Any, call: Call, path: str) -> Fault | None:
    _, whole, key, item = described
    if not accepts(whole, value, call):
        return fault_in(whole, value, call, path)
    for name, part in entries_of(value):
        if not accepts(key, name, call):
            return fault_in(key, name, call, f"{path} key")
        if not accepts(item, part, call):
            return fault_in(item, part, call, f"{path}[{shown(name)}]")
    return None


def _fields(described: Description, value: Any, call: Call, path: str) -> Fault | None:
    _, whole, fields = described
    if not accepts(whole, value, call):
        return fault_in(whole, value, call, path)
    names = type(value)._fields
    return _first(((f".{names[at]}", fields[at], part) for at, part in enumerate(value)), call, path)


def _union(described: Description, value: Any, call: Call, path: str) -> Fault | None:
    notes = []
    for member in described[1]:
        inner = fault_in(member, value, call, "")
        plain = Fault("", text_of(member), value)
        if inner.path or inner.note or (inner.found and inner.found != plain.kind()):
            place = f"{inner.path} " if inner.path else ""
            notes.append(f"as {text_of(member)}: {place}{inner.words()}")
    note = f" ({'; '.join(notes)})" if notes else ""
    return Fault(path, text_of(described), value, None, note)


def _literal(described: Description, value: Any, call: Call, path: str) -> Fault | None:
    note = ""
    if type(value) is str:
        names = [wanted for wanted in described[1] if type(wanted) is str]
        members = {wanted.name: wanted.text for wanted in described[1] if type(wanted) is Member}
        meant = close_match(value, [*names, *members])
        if meant is not None:
            note = f"; did you mean {members.get(meant) or repr(meant)}?"
    else:
        for wanted in described[1]:
            if type(wanted) is not Member and _equals(wanted, value):
                note = f"; {literal_text(wanted)} is of class {type(wanted).__qualname__}"
    return Fault(path, text_of(described), value, None, note)


def _equals(wanted: object, value: object) -> bool:
    return isinstance(value, (int, float, str, bytes)) and wanted == value


def _protocol(described: Description, value: Any, call: Call, path: str) -> Fault | None:
    missing = [name + "()" * (name in described[4]) for name in lacking(described, value)]
    if not missing:
        wrong = next(mismatches(described, value), None)
        return None if wrong is None else Fault(path, text_of(described), value, None, f"; its {wrong}")
    more = f" and {len(missing) - MAX_NAMES} more" if len(missing) > MAX_NAMES else ""
    return Fault(path, text_of(described), value, None, f"; it lacks {', '.join(missing[:MAX_NAMES])}{more}")


def _callable(described: Description, value: Any, call: Call, path: str) -> Fault | None:
    if not callable(value) or described[1] is None:
        return None
    fault = arity_fault(value, described[1], described[2])
    return Fault(path, text_of(described), value, None, f"; it {fault}") if fault else None


def _typeddict(described: Description, value: Any, call: Call, path: str) -> Fault | None:
    if type(value) is not dict:
        return None
    _, text, required, cell = described
    missing = [key for key in required if not dict.__contains__(value, key)]
    if missing:
        note = f"; it lacks the key{'s' * (len(missing) > 1)} {', '.join(map(repr, missing[:MAX_NAMES]))}"
        strange = [key for key in list(dict.keys(value)) if type(key) is str and key not in required]
        meant = close_match(missing[0], strange)
        if meant is not None:
            note += f": did you mean {missing[0]!r} by {meant!r}?"
        return Fault(path, text, value, None, note)
    hints, extra = cell if cell[0] is not None else ({}, None)
    for key, part in list(dict.items(value)):
        known = type(key) is str and key in hints
        wanted = hints[key] if known else extra
        if wanted is None or accepts(wanted, part, call):
            continue
        if not known and wanted[0] == "never":
            meant = close_match(key, list(hints)) if type(key) is str else None
            hint = f": did you mean {meant!r}?" if meant is not None else ""
            return Fault(path, text, value, None, f"; it has no key {shown(key)}{hint}")
        return fault_in(wanted, part, call, f"{path}[{shown(key)}]")
    return None


def _constrained(described: Description, value: Any, call: Call, path: str) -> Fault | None:
    _, number, choices, text = described
    possible = call.choices.get(number, -1)
    left = [choice for bit, choice in enumerate(choices) if possible >> bit & 1]
    note = f"; {text} is that in this call" if len(left) < len(choices) else ""
    return Fault(path, " | ".join([text_of(choice) for choice in left]), value, None, note)


def _self(described: Description, value: Any, call: Call, path: str) -> Fault | None:
    kind = call.self_class
    return None if kind is None else Fault(path, kind.__qualname__, value, None, "; Self is that in this call")


def _alias(described: Description, value: Any, call: Call, path: str) -> Fault | None:
    here = (id(described), id(value))
    if here in call.running or len(call.running) > 100:
        return None
    call.running.append(here)
    try:
        return fault_in(described[2][0], value, call, path)
    finally:
        call.running.pop()


def _pending(described: Description, value: Any, call: Call, path: str) -> Fault | None:
    found = described[1].look(call.function, call.first)
    return None if found is None else fault_in(found, value, call, path)


def _array(described: Description, value: Any, call: Call, path: str) -> Fault | None:
    _, reference, _, dimensions, text = described
    kind = class_of(reference)
    if kind is None or not isinstance(value, kind):
        return None
    if dimensions is not None and value.ndim != dimensions:
        return Fault(path, text, value, f"{value.ndim}-dimensional ndarray")
    return Fault(path, text, value, f"ndarray of {value.dtype}")


_FINDERS: dict[str, Callable[[Any, Any, Call, str], Fault | None]] = {
    "tuple": _tuple,
    "star": _star,
    "items": _items,
    "entries": _entries,
    "fields": _fields,
    "union": _union,
    "literal": _literal,
    "protocol": _protocol,
    "callable": _callable,
    "typeddict": _typeddict,
    "constrained": _constrained,
    "self": _self,
    "alias": _alias,
    "pending": _pending,
    "array": _array,
    "whole": lambda described, value, call, path: fault_in(described[1], value, call, path),
}
