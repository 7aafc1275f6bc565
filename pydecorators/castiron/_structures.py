"""Reads annotations that have parts: protocols, dicts and tuples with named items, tuples, callables, arrays.

In: the reader of a function's annotations, and an annotation or a class. Out: its description, whose kinds are listed
in `_descriptions`.
"""

from __future__ import annotations

from castiron._descriptions import ANY, NEVER, class_text, reference
from castiron._hints import Unresolved, value_of
from castiron._words import hint_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from castiron._descriptions import Description
    from castiron._forms import Reader

TYPING = ("typing", "typing_extensions")

#: What stands in a protocol's namespace without being a member.
NO_MEMBERS = frozenset({
    "__abstractmethods__", "__annotations__", "__dict__", "__doc__", "__init__", "__module__", "__new__", "__slots__",
    "__subclasshook__", "__weakref__", "__class_getitem__", "__match_args__", "__static_attributes__",
    "__firstlineno__", "__orig_bases__", "__orig_class__", "__parameters__", "__type_params__", "__protocol_attrs__",
    "__non_callable_proto_members__", "__callable_proto_members_only__", "__final__", "_is_protocol",
    "_is_runtime_protocol", "_MutableMapping__marker",
})  # fmt: skip


def protocol(reader: Reader, kind: Any, text: str) -> Description:
    """A protocol: `isinstance` where it may be asked, else the members."""
    names = sorted(_members_of(kind))
    data = {name for name in names if not callable(getattr(kind, name, None))}
    methods = frozenset(names) - data
    runtime = getattr(kind, "_is_runtime_protocol", False)
    return ("protocol", reference(kind), text, tuple(names), methods, runtime)


def typed_dict(reader: Reader, kind: Any, text: str) -> Description:
    """A dict with required keys; the values are looked at where all elements are."""
    found: Description = reader.in_class(kind, lambda: _typed_dict(reader, kind, text))
    return found


def _typed_dict(reader: Reader, kind: Any, text: str) -> Description:
    required = set(kind.__required_keys__)
    hints: dict[str, Any] = kind.__annotations__
    for key, hint in hints.items():
        needed = _requirement_of(reader, hint)
        if needed is not None:
            (required.add if needed else required.discard)(key)
    if not reader.deep:
        return ("typeddict", text, tuple(sorted(required)), [None])
    read = lambda: ("typeddict", text, tuple(sorted(required)), _values_of(reader, kind, hints))  # noqa: E731
    return reader.opening((id(kind), *map(id, reader.parameters.values())), text, read)


def _requirement_of(reader: Reader, hint: Any) -> bool | None:
    """Tell whether `Required` or `NotRequired` stands around a key's annotation; None where neither does."""
    if type(hint).__name__ == "ForwardRef" and "Required" in hint.__forward_arg__:
        text = hint.__forward_arg__
        hint = value_of(text, reader.module, None, reader.locals)
        if type(hint) is Unresolved:
            # What stands inside may be defined later; the form itself shows in the text.
            return {"Required": True, "NotRequired": False}.get(text.partition("[")[0].rpartition(".")[2].strip())
    while True:
        origin = getattr(hint, "__origin__", None)
        name = getattr(origin, "_name", None)
        if name in ("Required", "NotRequired"):
            return bool(name == "Required")
        if hasattr(hint, "__metadata__"):
            hint = origin
        elif name == "ReadOnly":
            hint = hint.__args__[0]
        else:
            return None


def _values_of(reader: Reader, kind: Any, hints: Mapping[str, Any]) -> list[Any]:
    """Describe the values of a TypedDict's keys, and those of keys that it does not name."""
    values = {key: reader.inside(hint) for key, hint in hints.items()}
    extra: Description | None = None
    if getattr(kind, "__closed__", None):
        extra = NEVER
    else:
        items = getattr(kind, "__extra_items__", None)
        if items is not None and type(items).__name__ not in ("NoExtraItems", "_NoExtraItemsType"):
            extra = reader.inside(items)
    return [values, extra]


def keywords(reader: Reader, kind: Any) -> Description:
    """`**kwargs: Unpack[TD]`: each value is checked as a parameter's is, and no other keyword fits."""
    origin = getattr(kind, "__origin__", kind)
    deep, reader.deep = reader.deep, True
    try:
        read = lambda: typed_dict(reader, origin, class_text(origin))  # noqa: E731
        if not deep:
            read = lambda: _shallow_values(reader, origin)  # noqa: E731
        described: Description = reader.substituting(origin, getattr(kind, "__args__", ()), read)
    finally:
        reader.deep = deep
    if described[0] != "typeddict":
        return described
    values, extra = described[3]
    return (*described[:3], [values, NEVER if extra is None else extra])


def _shallow_values(reader: Reader, kind: Any) -> Description:
    """A TypedDict whose values are looked at, but not what is in them."""
    reader.deep = False
    described = typed_dict(reader, kind, class_text(kind))
    values = reader.in_class(kind, lambda: _values_of(reader, kind, kind.__annotations__))
    return (*described[:3], values)


def named_tuple(reader: Reader, kind: Any, text: str) -> Description | None:
    """A named tuple with annotated fields."""
    hints = getattr(kind, "__annotations__", {})
    if not hints or not all(field in hints for field in kind._fields):
        return None
    fields = reader.in_class(kind, lambda: tuple(reader.inside(hints[field]) for field in kind._fields))
    return ("fields", ("class", reference(kind), text), fields)


def tuple_of(reader: Reader, args: tuple[Any, ...]) -> Description:
    """`tuple[...]`: fixed items, any number of one kind, or one unpacked tuple among fixed items."""
    if len(args) == 2 and args[1] is Ellipsis:
        whole: Description = ("class", tuple, f"tuple[{hint_text(args[0])}, ...]")
        item = reader.inside(args[0]) if reader.deep else ANY
        return whole if item[0] == "any" else ("items", whole, item)
    if args == ((),):
        return ("tuple", ())
    before: list[Description] = []
    middle: Description | None = None
    after: list[Description] = []
    for arg in args:
        into = before if middle is None else after
        if not is_unpacked(arg):
            into.append(reader.inside(arg))
            continue
        inner = unpacked(reader, arg)[1]
        if inner[0] == "tuple":
            into.extend(inner[1])
        elif middle is None:
            first, middle, last = inner[1:] if inner[0] == "star" else ((), _item_of(inner), ())
            before.extend(first)
            after.extend(last)
        else:
            after.clear()
            middle = ANY
    if middle is None:
        return ("tuple", tuple(before))
    return ("star", tuple(before), middle, tuple(after))


def unpacked(reader: Reader, hint: Any) -> Description:
    """`*tuple[...]`, `*Ts`, `Unpack[...]`: what is said of the whole of the arguments."""
    kind = type(hint).__name__
    if kind in ("_UnpackGenericAlias", "_UnpackAlias"):
        inner = hint.__args__[0]
        if type(inner).__name__ == "TypeVarTuple":
            hint = inner
        elif type(inner).__name__ == "_TypedDictMeta" or hasattr(inner, "__required_keys__"):
            return ("whole", keywords(reader, inner))
        else:
            return ("whole", reader.read(inner))
    if type(hint).__name__ == "TypeVarTuple" or not hasattr(hint, "__args__"):
        bound = reader.parameters.get(hint)
        return ("whole", tuple_of(reader, bound) if bound is not None else ("class", tuple, "tuple"))
    if hint.__origin__ is tuple:
        return ("whole", tuple_of(reader, hint.__args__))
    name = getattr(hint.__origin__, "__name__", "")
    if type(hint.__args__[0]).__name__ == "TypeVarTuple" or name != "tuple":
        return ("whole", ("class", tuple, "tuple"))
    return ("whole", reader.gap(hint, "an unpacked type is not checked"))


def callable_of(reader: Reader, hint: Any, args: tuple[Any, ...]) -> Description:
    """`Callable[[...], result]`."""
    text = hint_text(hint)
    kind = type(args[0]).__name__ if args else "ellipsis"
    if kind in ("ellipsis", "ParamSpec"):
        return ("callable", None, False, text)
    if kind == "_ConcatenateGenericAlias":
        return ("callable", len(args[0].__args__) - 1, True, text)
    parameters = args[:-1]
    if any(is_unpacked(parameter) for parameter in parameters):
        return ("callable", None, False, text)
    return ("callable", len(parameters), False, text)


def array(reader: Reader, hint: Any, origin: type, args: tuple[Any, ...]) -> Description:
    """An array: `ndarray[shape, dtype[scalar]]` and `dtype[scalar]`."""
    text = hint_text(hint)
    if origin.__name__ == "dtype":
        return ("dtype", reference(origin), reader.inside(args[0]), text)
    scalar, dimensions = ANY, None
    if len(args) > 1:
        inner = getattr(args[1], "__args__", None)
        name = getattr(getattr(args[1], "__origin__", None), "__name__", "")
        if name == "dtype" and inner:
            scalar = reader.inside(inner[0])
        elif type(args[1]).__name__ == "TypeVar":
            bound = reader.parameters.get(args[1])
            scalar = bound[2] if bound is not None and bound[0] == "dtype" else ANY
    shape = getattr(args[0], "__args__", None)
    if getattr(args[0], "__origin__", None) is tuple and shape is not None and Ellipsis not in shape:
        dimensions = None if any(is_unpacked(part) for part in shape) else len(shape)
    if scalar[0] == "any" and dimensions is None:
        return ("class", reference(origin), text)
    return ("array", reference(origin), scalar, dimensions, f"ndarray of {_scalar_text(scalar, text)}")


def lock(hint: Any) -> Description | None:
    """`threading.Lock` and `RLock`, which are functions before CPython 3.13 and meant as classes."""
    import sys

    threading = sys.modules.get("threading")
    for name in ("Lock", "RLock"):
        if threading is not None and hint is getattr(threading, name):
            return ("class", reference(type(hint())), name)
    return None


def _members_of(kind: Any) -> set[str]:
    """Name the members of a protocol, inherited ones included."""
    names: set[str] = set()
    for base in kind.__mro__[:-1]:
        if base.__name__ in ("Protocol", "Generic") and base.__module__ in TYPING:
            continue
        names.update(base.__dict__, getattr(base, "__annotations__", ()))
    return {name for name in names if name not in NO_MEMBERS and not name.startswith("_abc_")}


def _item_of(described: Description) -> Description:
    """Give what an unpacked tuple of any length holds."""
    found: Description = described[2] if described[0] == "items" else ANY
    return found


def _scalar_text(scalar: Description, text: str) -> str:
    return str(scalar[2]) if scalar[0] == "class" else text


def is_unpacked(hint: Any) -> bool:
    """Tell `*tuple[...]`, `*Ts` and `Unpack[...]`."""
    kind = type(hint).__name__
    return kind in ("TypeVarTuple", "_UnpackGenericAlias", "_UnpackAlias") or (
        kind in ("GenericAlias", "_GenericAlias") and getattr(hint, "__unpacked__", False) is True
    )
