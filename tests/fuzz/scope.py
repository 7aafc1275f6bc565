"""What generated code has at one point: variables, their types, functions that may be called."""

from __future__ import annotations

from dataclasses import dataclass, field

Type = str | tuple["Type", ...]
"""``int``, ``float``, ``bool``, ``None``, ``num`` (int or float or bool), ``maybe`` (int or None), ``list``, ``dict``,
``box`` (an object with attributes), ``thing`` (of any class), ``any``, a sequence (`items`), or a tuple of types."""

SPELLINGS = {
    "maybe": "int | None", "box": "Box", "any": "object", "thing": "object", "text": "str",
    "ints": "list[int]", "floats": "list[float]", "bools": "list[bool]", "octets": "bytes", "buffer": "bytearray",
    "grid": "list[list[int]]", "rows": "list[list[float]]",
}  # fmt: skip


def spelling(kind: Type) -> str:
    """The annotation of a type."""
    if isinstance(kind, str):
        return SPELLINGS.get(kind, kind)
    return f"tuple[{', '.join(map(spelling, kind))}]"


@dataclass
class Callee:
    """A function that generated code may call."""

    name: str
    parameters: list[tuple[str, Type]]
    result: Type
    cost: int = 1
    recursive: bool = False
    keyword_only: int = 0
    positional_only: int = 0
    defaults: int = 0


@dataclass
class Scope:
    """The variables of a function at one point: their types, and whether they are surely bound."""

    types: dict[str, Type] = field(default_factory=dict)
    unsure: set[str] = field(default_factory=set)

    def copy(self) -> Scope:
        return Scope(dict(self.types), set(self.unsure))

    def bind(self, name: str, kind: Type, *, sure: bool = True) -> None:
        """A variable gets a value; on a path that may not be taken it only may have it."""
        known = self.types.get(name)
        if sure or known is None:
            self.types[name] = kind
        elif known != kind:
            self.types[name] = join(known, kind)
        if sure:
            self.unsure.discard(name)
        elif known is None:
            self.unsure.add(name)

    def merge(self, other: Scope) -> Scope:
        """What holds after either of two paths."""
        merged = Scope()
        for name in [*self.types, *(name for name in other.types if name not in self.types)]:
            kinds = [scope.types[name] for scope in (self, other) if name in scope.types]
            merged.types[name] = kinds[0] if len(kinds) == 1 else join(*kinds)
            if len(kinds) == 1 or name in self.unsure or name in other.unsure:
                merged.unsure.add(name)
        return merged

    def of(self, *kinds: Type) -> list[str]:
        """Variables of one of these types."""
        return [name for name, kind in self.types.items() if kind in kinds]


def join(a: Type, b: Type) -> Type:
    """The type of a variable that has either type."""
    if a == b:
        return a
    return "num" if {a, b} <= {"int", "float", "bool", "num"} else "any"
