"""Runs descriptions of annotations in Python.

In: a description as `_forms` makes it, a value, and what is known of the call. Out: the verdict, equal to that of the
native plan, which asks here for the kinds that it does not know itself.

Invariants: nothing is consumed or changed; only builtin containers, and their subclasses that iterate as they do, are
looked into; a container that changes meanwhile does no harm.
"""

from __future__ import annotations

from _weakref import ref
from collections import OrderedDict, deque

from castiron._descriptions import Member
from castiron._signatures import FUNCTION, METHOD, SHOWN, arity_fault, member_fault

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any, TypeAlias

    Description: TypeAlias = tuple[Any, ...]

_ABSENT = object()


class Call:
    """What a check knows of the call that it belongs to."""

    __slots__ = ("choices", "first", "function", "running")

    def __init__(self, function: Any = None, first: object = None, choices: dict[int, int] | None = None) -> None:
        self.function = function
        #: The first argument, whose class `Self` is.
        self.first = first
        #: For each type variable with constraints, by number, a bit for each constraint that is still possible.
        self.choices = {} if choices is None else choices
        self.running: list[tuple[int, int]] = []

    @property
    def self_class(self) -> type | None:
        """What `Self` stands for."""
        return self.first if isinstance(self.first, type) else None if self.first is None else type(self.first)


def accepts(described: Description, value: Any, call: Call) -> bool:
    """Tell whether the value keeps the annotation."""
    return _ACCEPTS[described[0]](described, value, call)


def class_of(reference: Any) -> Any:
    """Give the class that a description refers to; None if it has died."""
    return reference() if type(reference) is ref else reference


def _class(described: Description, value: Any, call: Call) -> bool:
    kind = class_of(described[1])
    return kind is not None and isinstance(value, kind)


def _strict_int(described: Description, value: Any, call: Call) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _self(described: Description, value: Any, call: Call) -> bool:
    kind = call.self_class
    return kind is None or isinstance(value, kind)


def _union(described: Description, value: Any, call: Call) -> bool:
    late = []
    for member in described[1]:
        if mentions_variable(member):
            late.append(member)
        elif accepts(member, value, call):
            return True
    return any(accepts(member, value, call) for member in late)


def mentions_variable(described: Description) -> bool:
    """Tell whether checking against the description may decide what a type variable stands for."""
    kind = described[0]
    if kind == "constrained":
        return True
    if kind in ("union", "tuple"):
        return any(mentions_variable(part) for part in described[1])
    return kind in ("items", "entries", "type", "star", "fields") and any(
        mentions_variable(part) for part in described[1:] if type(part) is tuple and part and type(part[0]) is str
    )


def _tuple(described: Description, value: Any, call: Call) -> bool:
    items = described[1]
    return (
        isinstance(value, tuple)
        and tuple.__len__(value) == len(items)
        and all(map(accepts, items, tuple.__iter__(value), [call] * len(items)))
    )


def _star(described: Description, value: Any, call: Call) -> bool:
    _, before, item, after = described
    if not isinstance(value, tuple) or tuple.__len__(value) < len(before) + len(after):
        return False
    return all(accepts(wanted, part, call) for _, wanted, part in star_parts(before, item, after, value))


def star_parts(before: Any, item: Description, after: Any, value: Any) -> Iterator[tuple[int, Description, Any]]:
    """Pair the items of a tuple, and their positions, with what is wanted there."""
    end = tuple.__len__(value) - len(after)
    for position, part in enumerate(tuple.__iter__(value)):
        if position < len(before):
            yield position, before[position], part
        elif position < end:
            if item[0] != "any":
                yield position, item, part
        else:
            yield position, after[position - end], part


def _items(described: Description, value: Any, call: Call) -> bool:
    _, whole, item = described
    if not accepts(whole, value, call):
        return False
    return all(accepts(item, part, call) for _, part in items_of(value))


def items_of(value: Any) -> list[tuple[str, Any]]:
    """Give the elements of a builtin container and where they stand."""
    iterates = type(value).__iter__ if hasattr(type(value), "__iter__") else None
    for kind, place in _PLACES:
        if iterates is kind.__iter__ and isinstance(value, kind):
            parts = list(dict.keys(value)) if place == " key" else list(value)
            return [(place or f"[{position}]", part) for position, part in enumerate(parts)]
    return [(" item", part) for part in list(value)] if type(value) in _VIEWS else []


#: Containers and how their items are named in paths; by position where that says nothing.
_PLACES: list[tuple[Any, str]] = [
    *((kind, "") for kind in (list, tuple, deque, str, bytes, bytearray, range)),
    *((kind, " item") for kind in (set, frozenset)),
    *((kind, " key") for kind in (dict, OrderedDict)),
]
_EMPTY: dict[Any, Any] = {}
_VIEWS = (type(_EMPTY.keys()), type(_EMPTY.values()))
_ITEM_VIEW = type(_EMPTY.items())


def _entries(described: Description, value: Any, call: Call) -> bool:
    _, whole, key, item = described
    if not accepts(whole, value, call):
        return False
    return all(accepts(key, name, call) and accepts(item, part, call) for name, part in entries_of(value))


def entries_of(value: Any) -> list[tuple[Any, Any]]:
    """Give the keys and values of a builtin mapping."""
    iterates = type(value).__iter__ if hasattr(type(value), "__iter__") else None
    for kind in (dict, OrderedDict):
        if iterates is kind.__iter__ and isinstance(value, kind):
            return list(dict.items(value))
    return list(value) if type(value) is _ITEM_VIEW else []


def _literal(described: Description, value: Any, call: Call) -> bool:
    for wanted in described[1]:
        if type(wanted) is Member:
            if value is wanted.get() and value is not None:
                return True
        elif value is wanted or (type(value) is type(wanted) and value == wanted):
            return True
    return False


def _type(described: Description, value: Any, call: Call) -> bool:
    kind = class_behind(value)
    return kind is not None and covers(described[1], kind, call)


def class_behind(value: Any) -> Any:
    """Give the class that the value is, or is an alias of (`list[int]`); None where it is neither."""
    if isinstance(value, type):
        return value
    origin = value.__origin__ if type(value).__name__ in _ALIASES else None
    return origin if isinstance(origin, type) else None


#: The classes of aliases that stand for a class.
_ALIASES = ("GenericAlias", "_GenericAlias", "_SpecialGenericAlias")


def covers(described: Description, kind: type, call: Call) -> bool:
    """Tell whether instances of a class keep the annotation."""
    what = described[0]
    if what in ("class", "protocol", "array", "dtype"):
        wanted = class_of(described[1])
        if what == "protocol":
            return wanted is not None and (_is_nominal(kind, wanted) or not _lacks(described, wanted, kind))
        return wanted is not None and issubclass(kind, wanted)
    if what == "union":
        return any(covers(member, kind, call) for member in described[1])
    if what in ("items", "entries", "fields"):
        return covers(described[1], kind, call)
    if what == "self":
        wanted = call.self_class
        return wanted is None or issubclass(kind, wanted)
    if what == "constrained":
        return _choose(described, call, lambda choice: covers(choice, kind, call))
    if what == "alias":
        return covers(described[2][0], kind, call)
    if what == "pending":
        found = described[1].look(call.function, call.first)
        return found is None or covers(found, kind, call)
    if what == "callable":
        return any("__call__" in base.__dict__ for base in kind.__mro__)
    if what == "file":
        return _is_file(described[1], kind, kind)
    if what in _COVERED:
        return issubclass(kind, _COVERED[what])
    return bool(what == "any")


def _lacks(described: Description, wanted: Any, kind: type) -> bool:
    """Tell whether a class lacks a member of a protocol that is seen on the class itself."""
    return any(_is_on_class(wanted, name) for name in lacking(described, kind))


def _is_on_class(wanted: Any, name: str) -> bool:
    """Tell whether classes that implement the protocol have the member, not only their instances."""
    for base in wanted.__mro__:
        if name in base.__dict__:
            return True
        hint = getattr(base, "__annotations__", {}).get(name)
        if hint is not None:
            return "ClassVar" in (hint if isinstance(hint, str) else repr(hint))
    return True


_COVERED: dict[str, Any] = {
    "int": int,
    "float": (float, int),
    "complex": (complex, float, int),
    "tuple": tuple,
    "star": tuple,
    "typeddict": dict,
}


def _callable(described: Description, value: Any, call: Call) -> bool:
    return callable(value) and (described[1] is None or arity_fault(value, described[1], described[2]) is None)


def _protocol(described: Description, value: Any, call: Call) -> bool:
    kind = class_of(described[1])
    if kind is None:
        return False
    if described[5]:
        return isinstance(value, kind)
    if _is_nominal(type(value), kind):
        return True
    return not lacking(described, value) and not any(mismatches(described, value))


def mismatches(described: Description, value: Any) -> Iterator[str]:
    """Say for the methods of a protocol that the value has why they can't be called as the protocol's."""
    wanted = class_of(described[1])
    for name in described[3] if not described[5] else ():
        if name in described[4]:
            fault = member_fault(wanted, value, name)
            if fault is not None:
                yield f"{name}() {fault}"


def settles(described: Description, value: Any) -> bool:
    """Tell whether all instances of an accepted value's class pass like it, until the class changes."""
    kind = type(value)
    # This also gives the class a version, which it needs to be remembered.
    if object.__getattribute__(value, "__class__") is not kind or isinstance(value, type):
        return False
    if described[0] == "callable":
        return kind not in (FUNCTION, METHOD) and kind.__name__ not in SHOWN
    if described[0] == "class":
        return True
    wanted = class_of(described[1])
    if wanted is None or _is_nominal(kind, wanted):
        return wanted is not None
    if kind in (FUNCTION, METHOD) and not described[5]:
        return False
    for name in described[3]:
        found = next((base.__dict__[name] for base in kind.__mro__ if name in base.__dict__), None)
        if found is None:
            return False
    return True


def _is_nominal(kind: type, wanted: type) -> bool:
    return wanted in type.mro(kind) if kind is not type else False


def lacking(described: Description, value: Any) -> list[str]:
    """Name the members of a protocol that the value does not have."""
    names, methods = described[3:5]
    missing = []
    for name in names:
        found = _member(value, name)
        if found is _ABSENT or (found is None and name in methods):
            missing.append(name)
    return missing


def _member(value: Any, name: str) -> object:
    """Find a member without running a property."""
    for base in type(value).__mro__:
        if name in base.__dict__:
            return base.__dict__[name]
    return getattr(value, name, _ABSENT)


def _typeddict(described: Description, value: Any, call: Call) -> bool:
    # Values of a TypedDict are instances of dict itself.
    if type(value) is not dict or not all(dict.__contains__(value, key) for key in described[2]):
        return False
    cell = described[3]
    if cell[0] is None:
        return True
    hints, extra = cell
    for key, part in list(dict.items(value)):
        wanted = hints.get(key, extra) if type(key) is str else extra
        if wanted is not None and not accepts(wanted, part, call):
            return False
    return True


def _fields(described: Description, value: Any, call: Call) -> bool:
    _, whole, fields = described
    return accepts(whole, value, call) and _tuple(("tuple", fields), value, call)


def _constrained(described: Description, value: Any, call: Call) -> bool:
    return _choose(described, call, lambda choice: accepts(choice, value, call))


def _choose(described: Description, call: Call, fits: Callable[[Description], bool]) -> bool:
    """Keep those constraints of a type variable that fit this use too, unless none does."""
    number, choices = described[1:3]
    possible = call.choices.get(number, -1)
    fitting = sum(1 << bit for bit, choice in enumerate(choices) if possible >> bit & 1 and fits(choice))
    if fitting:
        call.choices[number] = fitting
    return bool(fitting)


def _alias(described: Description, value: Any, call: Call) -> bool:
    inner = described[2][0]
    # A value that contains itself is what it is found to be.
    here = (id(inner), id(value))
    if here in call.running:
        return True
    call.running.append(here)
    try:
        return accepts(inner, value, call)
    finally:
        call.running.pop()


def _pending(described: Description, value: Any, call: Call) -> bool:
    found = described[1].look(call.function, call.first)
    return found is None or accepts(found, value, call)


def _array(described: Description, value: Any, call: Call) -> bool:
    _, reference, scalar, dimensions, _ = described
    kind = class_of(reference)
    if kind is None or not isinstance(value, kind):
        return False
    fits = dimensions is None or bool(value.ndim == dimensions)
    return fits and (scalar[0] == "any" or covers(scalar, value.dtype.type, call))


def _dtype(described: Description, value: Any, call: Call) -> bool:
    kind = class_of(described[1])
    return kind is not None and isinstance(value, kind) and bool(covers(described[2], value.type, call))


def _file(described: Description, value: Any, call: Call) -> bool:
    """An object with the methods of files; where its class says whether it holds text or bytes, that too."""
    return not isinstance(value, type) and _is_file(described[1], type(value), value)


def _is_file(wanted: str | None, kind: type, value: object) -> bool:
    content = _content_of(kind)
    if content:
        return wanted is None or content == wanted
    return all(hasattr(value, name) for name in ("close", "read", "readline", "seek", "tell", "write"))


def _content_of(kind: type) -> str | None:
    """Say what files of a class hold, where the class shows it."""
    import io

    if issubclass(kind, io.TextIOBase):
        return "str"
    if issubclass(kind, (io.RawIOBase, io.BufferedIOBase)):
        return "bytes"
    for base in kind.__mro__:
        if base.__module__ == "typing" and base.__name__ in ("TextIO", "BinaryIO"):
            return "str" if base.__name__ == "TextIO" else "bytes"
        for hint in base.__dict__.get("__orig_bases__", ()):
            if getattr(getattr(hint, "__origin__", None), "__name__", None) == "IO":
                return {str: "str", bytes: "bytes"}.get(hint.__args__[0])
    return None


_ACCEPTS: dict[str, Callable[[Description, Any, Call], bool]] = {
    "any": lambda described, value, call: True,
    "never": lambda described, value, call: False,
    "class": _class,
    "int": _strict_int,
    "float": lambda described, value, call: isinstance(value, (float, int)),
    "complex": lambda described, value, call: isinstance(value, (complex, float, int)),
    "self": _self,
    "union": _union,
    "tuple": _tuple,
    "star": _star,
    "items": _items,
    "entries": _entries,
    "literal": _literal,
    "type": _type,
    "callable": _callable,
    "protocol": _protocol,
    "typeddict": _typeddict,
    "fields": _fields,
    "constrained": _constrained,
    "alias": _alias,
    "pending": _pending,
    "array": _array,
    "dtype": _dtype,
    "file": _file,
    "whole": lambda described, value, call: accepts(described[1], value, call),
}
