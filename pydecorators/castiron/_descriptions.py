"""What descriptions of annotations are made of.

A description is a tuple; the first item names its kind:

    any · never · int (no bool) · float (or int) · complex (or float, int) · self (the class of the first argument)
    class, reference, text              an instance
    union, descriptions                 one of them
    tuple, descriptions                 a tuple of exactly these items
    star, before, item, after           a tuple with any number of items between fixed ones
    items, whole, item                  a container; its elements where they can be seen
    entries, whole, key, value          the same of a mapping
    literal, values                     equal and of the same class; of enumerations (reference, name, text) of a Member
    type, description                   a class whose instances it takes
    callable, count, more, text         takes `count` positional arguments (None: any); `more`: and perhaps others
    protocol, reference, text, names, methods, is_runtime
    typeddict, text, required, cell     cell: [None] or [{key: description}, extra description or None]
    fields, whole, descriptions         a named tuple
    constrained, number, descriptions, text
    alias, text, cell                   cell: [description], for what contains itself
    array, reference, scalar, dimensions, text · dtype, reference, scalar, text · file, kind, text
    pending, Pending                    a name that is not defined yet
    whole, description                  of *args or **kwargs: said of the tuple or dict itself

The native plan is compiled from descriptions, `_checks` runs them in Python and `_faults` says what breaks them.

Invariants:
- A description owns no class made by a class statement, no function and no module: such classes are weakly held.
"""

from __future__ import annotations

from _weakref import ref

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeAlias

    Description: TypeAlias = tuple[Any, ...]

HEAP = 1 << 9

ANY: Description = ("any",)
NEVER: Description = ("never",)
NONE: Description = ("class", type(None), "None")

#: Classes that are described the same wherever they stand.
PLAIN: dict[object, Description] = {
    kind: ("class", kind, kind.__name__) for kind in (int, str, bool, bytes, list, dict, tuple, set, frozenset, type)
}
PLAIN[float] = ("float",)
PLAIN[complex] = ("complex",)
PLAIN[object] = ANY
PLAIN[type(None)] = NONE


class Member:
    """A member of an enumeration, which it does not keep alive."""

    __slots__ = ("kind", "name", "text")

    def __init__(self, kind: type, name: str) -> None:
        self.kind = ref(kind)
        self.name = name
        self.text = f"{kind.__qualname__}.{name}"

    @staticmethod
    def of(value: Any) -> object:
        """Give what stands for the value in a description."""
        kind = type(value)
        name = getattr(value, "_name_", None)
        is_member = kind.__flags__ & HEAP and getattr(kind, "_member_map_", {}).get(name) is value
        return Member(kind, str(name)) if is_member else value

    def get(self) -> object:
        """Give the member; while its class lives it lives too."""
        kind: Any = self.kind()
        return None if kind is None else kind._member_map_.get(self.name)

    def __eq__(self, other: object) -> bool:
        return type(other) is Member and self.kind is other.kind and self.name == other.name

    def __hash__(self) -> int:
        return hash(self.name)


def reference(kind: type) -> object:
    """Give what stands for a class: itself if it lives for ever, else a weak reference."""
    return ref(kind) if kind.__flags__ & HEAP else kind


def class_text(kind: type) -> str:
    """Name a class as messages do."""
    return "None" if kind is type(None) else kind.__qualname__
