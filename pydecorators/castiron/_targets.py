"""What can be enforced besides a function: what the decorators of functions and classes leave of one.

In: an object and what makes a function check. Out: the object that takes its place: the same, where the functions in it
check in place.

Invariants:
- Only functions that are defined where they are found are touched: a class' body does not check what it borrows.
- A function that stands for another one, whose annotations it shows, is left alone: the other one checks, for the
  annotations are said of its parameters.
- Whatever carries `__no_type_check__` is left alone.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CellType
    from typing import Any, TypeAlias

    Check: TypeAlias = Callable[[Any, tuple[type, ...]], Any]

_FUNCTION: Any = type(lambda: None)
_HEAP_TYPE = 1 << 9

#: Where a wrapper of pure-Python mode keeps the function that it checks.
ORIGINAL = "__castiron_original__"
_MAX_DEPTH = 100


class RefusalError(TypeError):
    """The object holds no function that could be enforced."""


def enforced(value: Any, check: Check, owners: tuple[type, ...] = (), depth: int = 0) -> Any:
    """Give what takes the place of the object when its functions check.

    `check` is given each function, and the classes that are being enforced whose bodies it stands in, innermost first.
    """
    if depth > _MAX_DEPTH:
        raise RefusalError("the decorated functions nest too deeply")
    if getattr(value, "__no_type_check__", None) is True:
        return value
    kind = type(value)
    if _is_wrapper(value) or _is_native(kind):
        return check(value, owners)
    if kind is _FUNCTION:
        return _function(value, check, owners, depth)
    if kind is classmethod or kind is staticmethod:
        made = enforced(value.__func__, check, owners, depth + 1)
        return value if made is value.__func__ else kind(made)
    if isinstance(value, (classmethod, staticmethod)):
        return _keeping(value, value.__func__, check, owners, depth)
    if isinstance(value, property):
        return _property(value, check, owners, depth)
    if isinstance(value, type):
        return _class(value, check, owners, depth)
    if _holds_function(value):
        made = enforced(value.func, check, owners, depth + 1)
        _replace_dispatched(getattr(value, "dispatcher", None), value.func, made)
        value.func = made
        return value
    wrapped = None if kind.__name__ == "method" else getattr(value, "__wrapped__", None)
    if wrapped is not None and callable(wrapped):
        return _keeping(value, wrapped, check, owners, depth)
    raise RefusalError(f"typed takes a function, not an object of type {kind.__qualname__!r}")


def _is_native(kind: type) -> bool:
    """Tell whether objects of the class run machine code in a function's place, on CPython 3.11."""
    return kind.__name__ == "native_function" and kind.__module__.partition(".")[0] == "castiron"


def _is_wrapper(value: Any) -> bool:
    """Tell whether pure-Python mode made the object around a function."""
    kind = type(value)
    return (kind is _FUNCTION or kind.__module__ == "castiron._pure") and ORIGINAL in value.__dict__


def _function(function: Any, check: Check, owners: tuple[type, ...], depth: int) -> Any:
    if not stands_for_another(function):
        return check(function, owners)
    return _keeping(function, function.__dict__["__wrapped__"], check, owners, depth)


def stands_for_another(function: Any) -> bool:
    """Tell whether the function has its annotations from one that it wraps: they are said of that one's parameters."""
    wrapped = function.__dict__.get("__wrapped__")
    return wrapped is not None and _shows_annotations_of(function, wrapped)


def _shows_annotations_of(function: Any, wrapped: object) -> bool:
    """Tell whether functools.wraps gave the function the other one's annotations."""
    own = function.__annotations__
    others = getattr(wrapped, "__annotations__", None)
    return own is others or (bool(own) and own == others)


def _keeping(holder: Any, wrapped: Any, check: Check, owners: tuple[type, ...], depth: int) -> Any:
    """Enforce what the object stands for; where that is replaced, put it into the object."""
    made = enforced(wrapped, check, owners, depth + 1)
    if made is wrapped:
        return holder
    cells: tuple[CellType, ...] = getattr(holder, "__closure__", None) or ()
    for cell in cells:
        if _content(cell) is wrapped:
            cell.cell_contents = made
            holder.__wrapped__ = made
    _replace_dispatched(holder, wrapped, made)
    parameters = getattr(holder, "cache_parameters", None)
    if parameters is not None:
        from functools import lru_cache

        return lru_cache(**parameters())(made)
    return holder


def _replace_dispatched(dispatcher: Any, function: Any, made: Any) -> None:
    """Have a function of functools.singledispatch call what takes the function's place."""
    for kind, registered in list(getattr(dispatcher, "registry", {}).items()):
        if registered is function and made is not function:
            dispatcher.register(kind, made)


def _content(cell: CellType) -> object:
    try:
        return cell.cell_contents
    except ValueError:  # the variable is not bound
        return None


def _holds_function(value: object) -> bool:
    names = ("cached_property", "partialmethod", "singledispatchmethod")
    return type(value).__name__ in names and type(value).__module__ == "functools"


def _property(value: property, check: Check, owners: tuple[type, ...], depth: int) -> property:
    accessors = (value.fget, value.fset, value.fdel)
    made = [_accessor(accessor, check, owners, depth) for accessor in accessors]
    if all(one is other for one, other in zip(made, accessors, strict=True)):
        return value
    return type(value)(made[0], made[1], made[2], value.__doc__)


def _accessor(accessor: Any, check: Check, owners: tuple[type, ...], depth: int) -> Any:
    return enforced(accessor, check, owners, depth + 1) if type(accessor) is _FUNCTION else accessor


def _class(kind: Any, check: Check, owners: tuple[type, ...], depth: int) -> Any:
    if not kind.__flags__ & _HEAP_TYPE:
        raise RefusalError(f"typed takes a function, or a class written in Python, not {kind.__qualname__!r}")
    for name, value in list(vars(kind).items()):
        if getattr(value, "__no_type_check__", None) is True or not is_defined_in(kind, value):
            continue
        made = enforced(value, check, (kind, *owners), depth + 1)
        if made is not value:
            # In pure-Python mode it is the metaclass that refuses.
            (type.__setattr__ if "__castiron_frozen__" in vars(kind) else setattr)(kind, name, made)
    return kind


def is_defined_in(kind: type, value: Any) -> bool:
    """Tell whether the class' body, or a decorator of the class, defined the function or class."""
    function = _behind(value)
    # Code that exec runs in a namespace without a name makes functions of no module.
    modules = (kind.__module__, f"namedtuple_{kind.__name__}", None)
    if function is None or function.__module__ not in modules:
        return False
    scope = function.__qualname__.rpartition(".")[0]
    return scope == kind.__qualname__ or (scope == kind.__name__ and issubclass(kind, tuple))


def _behind(value: Any) -> Any:
    """Give a function or class that the object of a class' body holds, None where there is none."""
    if isinstance(value, property):
        value = value.fget or value.fset or value.fdel
    elif isinstance(value, (classmethod, staticmethod)):
        value = value.__func__
    elif _holds_function(value):
        value = value.func
    if isinstance(value, type):
        return value if value.__flags__ & _HEAP_TYPE else None
    while type(value) is not _FUNCTION:
        value = getattr(value, "__wrapped__", None)
        if value is None:
            return None
    return value
