"""Annotations and values as text, for messages: as a person would write them, without module names."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

MAX_VALUE = 80


def hint_text(hint: Any) -> str:
    """Write an annotation.

    >>> hint_text(dict[str, list[int] | None])
    'dict[str, list[int] | None]'
    """
    if type(hint) is type:
        return "None" if hint is type(None) else hint.__qualname__
    try:
        return _text(hint)
    except RecursionError:
        raise
    except Exception:  # forms of foreign libraries may fail at any attribute
        return "an annotation"


def _text(hint: Any) -> str:
    if hint is None or hint is type(None):
        return "None"
    if hint is Ellipsis:
        return "..."
    if isinstance(hint, str):
        return str(hint)
    if isinstance(hint, list):
        return f"[{_texts(hint)}]"
    args = getattr(hint, "__args__", None)
    if isinstance(hint, type) and args is None:
        return hint.__qualname__
    kind = type(hint).__name__
    if kind == "ForwardRef":
        return str(hint.__forward_arg__)
    if kind == "_AnnotatedAlias":
        return _text(hint.__origin__)
    if type(args) is not tuple or "Literal" in kind:
        return _bare(hint)
    if "Union" in kind:
        return " | ".join([hint_text(arg) for arg in args])
    origin = _name_of(hint)
    if "Callable" in kind and args:
        return _callable_text(origin, args)
    return f"{origin}[{_texts(args) or '()'}]"


def _texts(hints: Any) -> str:
    return ", ".join([hint_text(hint) for hint in hints])


def _name_of(hint: Any) -> str:
    origin = hint.__origin__
    name = getattr(origin, "__qualname__", None) if isinstance(origin, type) else getattr(origin, "__name__", None)
    return str(name) if name else _bare(origin)


def _callable_text(origin: str, args: tuple[Any, ...]) -> str:
    first = args[0]
    if len(args) == 2 and (first is Ellipsis or type(first).__name__ in ("ParamSpec", "_ConcatenateGenericAlias")):
        return f"{origin}[{hint_text(first)}, {hint_text(args[1])}]"
    return f"{origin}[[{_texts(args[:-1])}], {hint_text(args[-1])}]"


def _bare(hint: object) -> str:
    """Give `repr` without the module of typing's own forms."""
    text = repr(hint).replace("typing_extensions.", "").replace("typing.", "")
    return text.lstrip("~+-")


def text_of(described: tuple[Any, ...]) -> str:
    """Write what a description wants.

    >>> text_of(("union", (("float",), ("class", type(None), "None"))))
    'float | None'
    """
    kind = described[0]
    if kind in ("class", "array", "dtype", "protocol", "callable", "typeddict", "file", "constrained"):
        return str(described[_TEXTS[kind]])
    if kind in ("int", "float", "complex"):
        return str(kind)
    if kind == "union":
        return " | ".join([text_of(member) for member in described[1]])
    if kind == "tuple":
        return f"tuple[{', '.join([text_of(item) for item in described[1]]) or '()'}]"
    if kind == "star":
        middle = f"*tuple[{text_of(described[2])}, ...]"
        before, after = ([text_of(item) for item in part] for part in (described[1], described[3]))
        return f"tuple[{', '.join([*before, middle, *after])}]"
    if kind == "literal" and type(described[1][0]).__name__.lower() == "sentinel":
        return shown(described[1][0])
    if kind == "literal":
        return f"Literal[{', '.join([literal_text(value) for value in described[1]])}]"
    if kind == "type":
        return f"type[{text_of(described[1])}]"
    if kind in ("items", "entries", "fields", "whole"):
        return text_of(described[1])
    if kind == "alias":
        return str(described[1])
    if kind == "pending":
        found = described[1].found
        return text_of(found[0]) if found is not None else str(described[1].text)
    return {"any": "Any", "never": "Never", "self": "Self"}[kind]


_TEXTS = {
    "class": 2,
    "array": 4,
    "dtype": 3,
    "protocol": 2,
    "callable": 3,
    "typeddict": 1,
    "file": 2,
    "constrained": 3,
}


def literal_text(value: Any) -> str:
    """Write a value of `Literal`: a member of an enumeration by its name."""
    return value.text if type(value).__name__ == "Member" else shown(value)


def shown(value: object) -> str:
    """Give a short `repr` that never fails.

    >>> shown("x" * 1000) == repr("x" * 1000)[:77] + "..."
    True
    """
    import reprlib

    shortener = reprlib.Repr()
    shortener.maxstring = shortener.maxother = shortener.maxlong = 2 * MAX_VALUE
    try:
        if isinstance(value, str) and type(value).__repr__ is str.__repr__:
            text = repr(value[:MAX_VALUE])[:-1] + "..." if len(value) > MAX_VALUE else repr(value)
        else:
            text = shortener.repr(value)
    except Exception:  # whatever a foreign __repr__ does, the message is about something else
        text = f"<{type(value).__qualname__} object>"
    text = text.replace("\n", " ")
    return text if len(text) <= MAX_VALUE else text[: MAX_VALUE - 3] + "..."


def class_name(kind: type, expected: str) -> str:
    """Name a class, with its module where the bare name is the very name that was expected."""
    name = kind.__qualname__
    return f"{kind.__module__}.{name}" if name == expected else name


def close_match(wrong: str, names: list[str]) -> str | None:
    """Give the one of the names that was probably meant.

    >>> close_match("gren", ["red", "green"])
    'green'
    """
    allowed = 1 if len(wrong) < 5 else 2
    best: str | None = None
    for name in names[:200]:
        if abs(len(name) - len(wrong)) > allowed or len(name) > 60:
            continue
        if name.lower() == wrong.lower():
            return name
        distance = _distance(wrong, name)
        if distance <= allowed and distance < min(len(name), len(wrong)):
            allowed, best = distance - 1, name
    return best


def _distance(a: str, b: str) -> int:
    """Count the letters to insert, drop, replace or swap with their neighbour."""
    before: list[int] = []
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        before, last, row = row, before, [i]
        for j, y in enumerate(b, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (x != y))
            if i > 1 and j > 1 and x == b[j - 2] and a[i - 2] == y:
                cost = min(cost, last[j - 2] + 1)
            row.append(cost)
    return row[-1]
