"""`frozen`: a class that nobody can change after its declaration, with typed slots.

In: a class whose body annotates fields. Out: the same class, with what a dataclass generates, its fields in checked
slots, sealed. `dataclasses` reads the fields and generates the methods; how a class is sealed is decided by
`_castiron.seal`, or by `_pure_frozen` where the native part can't do it.

Invariants:
- Every write of a field is checked, whoever writes: the constructor, an assignment, pickle, copy.
- Nothing of the class changes once the decorator returns.
"""

from __future__ import annotations

import dataclasses
import inspect
import os
import sys
from dataclasses import MISSING, Field, FrozenInstanceError
from types import FunctionType, GetSetDescriptorType, MappingProxyType, MemberDescriptorType

from castiron._hints import Unresolved, evaluate_in, resolve
from castiron._mode import PURE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeVar, dataclass_transform, overload

    C = TypeVar("C", bound=type)
else:

    def overload(function):
        return function

    def dataclass_transform(**_):
        return lambda function: function


if TYPE_CHECKING or not PURE:
    from castiron import _castiron

_HEAP_TYPE = 1 << 9

#: What a dataclass generates, all of which `frozen` makes anew.
_GENERATED = (
    *("__init__", "__repr__", "__eq__", "__lt__", "__le__", "__gt__", "__ge__", "__hash__"),
    *("__setattr__", "__delattr__", "__getstate__", "__setstate__", "__replace__"),
)


@overload
def frozen(cls: C, /) -> C: ...
@overload
def frozen(  # noqa: F811
    *,
    immutable: bool = False,
    final: bool = False,
    eq: bool = True,
    order: bool = False,
    repr: bool = True,  # noqa: A002 - the name that a dataclass gives the option
    kw_only: bool = False,
    weakref: bool = True,
) -> Callable[[C], C]: ...
@dataclass_transform(field_specifiers=(dataclasses.field,))
def frozen(  # noqa: F811
    cls: Any = None,
    /,
    *,
    immutable: bool = False,
    final: bool = False,
    eq: bool = True,
    order: bool = False,
    repr: bool = True,  # noqa: A002 - the name that a dataclass gives the option
    kw_only: bool = False,
    weakref: bool = True,
) -> Any:
    """Seal a class: typed slots, a generated `__init__`, `__repr__` and `__eq__`, and no change after its declaration.

    With `immutable=True` fields are written once and the class hashes by value; with `final=True` it has no subclasses;
    the other options are those of a dataclass. Above a dataclass, what that generated is made anew and `frozen=True`
    means `immutable=True`.

    >>> @frozen
    ... class Point:
    ...     x: float
    ...     y: float = 0.0
    >>> p = Point(1.5)
    >>> p.y = 2.0
    >>> p
    Point(x=1.5, y=2.0)
    >>> p.x = "3"
    Traceback (most recent call last):
    castiron.TypeCheckError: Point.x must be float, not str: '3'
    """
    options = {"eq": eq, "order": order, "repr": repr, "kw_only": kw_only}
    if cls is None:
        return lambda decorated: _make(decorated, options, immutable=immutable, final=final, weakref=weakref)
    return _make(cls, options, immutable=immutable, final=final, weakref=weakref)


def _make(cls: Any, options: dict[str, bool], *, immutable: bool, final: bool, weakref: bool) -> Any:
    _refuse(cls)
    slots = _own_slots(cls)
    weakref = weakref or "__weakref__" in slots
    earlier = cls.__dict__.get("__dataclass_params__")
    if earlier is not None:
        immutable = immutable or earlier.frozen
        options = {
            **options,
            **{name: getattr(earlier, name) for name in ("eq", "order", "repr", "init", "unsafe_hash")},
        }
        options["match_args"] = "__match_args__" in cls.__dict__
        _undo_dataclass(cls)
    _check_inheritance(cls, immutable)
    own_init = "__init__" in cls.__dict__
    fields = _as_dataclass(cls, options, immutable)
    _say_how_it_travels(cls)
    fields += _other_slots(cls, slots, fields)
    if PURE or _castiron.cannot_seal(cls) is not None:
        from castiron._pure_frozen import seal

        return seal(cls, fields, immutable=immutable, final=final, weakref=weakref)
    _seal(cls, fields, immutable=immutable, final=final, weakref=weakref, own_init=own_init)
    return cls


def _refuse(cls: Any) -> None:
    """Raise for what can't be frozen, before anything is changed."""
    if not isinstance(cls, type):
        raise TypeError(f"frozen takes a class, not an object of type {type(cls).__qualname__!r}")
    name = cls.__qualname__
    if not cls.__flags__ & _HEAP_TYPE:
        raise TypeError(f"frozen takes a class written in Python, not {name!r}")
    if "__castiron_frozen__" in cls.__dict__:
        raise TypeError(f"{name} is frozen already")
    if "__slots__" in cls.__dict__ and type(cls.__dict__.get("__dict__")) is GetSetDescriptorType:
        raise TypeError(f"{name} can't be frozen: its instances have no __dict__, leave that out of __slots__")
    if type.__subclasses__(cls):
        raise TypeError(f"{name} can't be frozen: it has subclasses already")


def _check_inheritance(cls: Any, immutable: bool) -> None:
    for base in cls.__mro__[1:]:
        frozen_base = base.__dict__.get("__castiron_frozen__")
        if frozen_base is not None and frozen_base != immutable:
            kinds = ("an immutable", "a mutable") if immutable else ("a mutable", "an immutable")
            raise TypeError(
                f"{cls.__qualname__} can't be frozen: {kinds[0]} class can't inherit from {kinds[1]} one,"
                f" {base.__qualname__}"
            )


def _own_slots(cls: Any) -> list[str]:
    """Give the names of the slots that the class' own `__slots__` made."""
    found = [name for name, value in cls.__dict__.items() if _is_slot(value, cls)]
    if "__weakref__" in cls.__dict__ and "__slots__" in cls.__dict__:
        found.append("__weakref__")
    return found


def _is_slot(value: object, cls: Any) -> bool:
    return type(value) is MemberDescriptorType and value.__objclass__ is cls


def _other_slots(cls: Any, slots: list[str], fields: list[Field[Any]]) -> list[Field[Any]]:
    """Make a field, which no parameter sets and which takes any value, of each slot of the class that isn't one."""
    names = [name for name in slots if name != "__weakref__"]
    for base in cls.__mro__[1:]:
        if "__castiron_frozen__" in base.__dict__:
            names += [name for name in base.__slots__ if inspect.getattr_static(cls, name) is base.__dict__[name]]
    known = {field.name for field in fields}
    made = []
    for name in dict.fromkeys(names):
        if name not in known:
            other: Field[Any] = dataclasses.field(init=False)
            other.name, other.type = name, object
            made.append(other)
    return made


def _undo_dataclass(cls: Any) -> None:
    """Take back what `dataclass` did, so that it can be done again; hand-written methods stay."""
    real = {field.name for field in dataclasses.fields(cls)}
    real.update(_init_only(cls, real))
    for name in _GENERATED:
        found = cls.__dict__.get(name)
        if found is not None and (_is_generated(found) or name == "__hash__"):
            type.__delattr__(cls, name)
    annotations = own_annotations(cls)
    for name, field in cls.__dict__["__dataclass_fields__"].items():
        if name in annotations and name in real:
            type.__setattr__(cls, name, _copy_of(field))
    for name in ("__dataclass_fields__", "__dataclass_params__", "__match_args__"):
        if name in cls.__dict__:
            type.__delattr__(cls, name)


def _is_generated(method: Any) -> bool:
    """Tell whether `dataclass` made the method, or took it from its own module."""
    behind = getattr(method, "__wrapped__", method)
    code = getattr(behind, "__code__", None)
    return code is not None and (code.co_filename == "<string>" or behind.__module__ == dataclasses.__name__)


def _init_only(cls: Any, fields: set[str]) -> set[str]:
    """Give the names of the InitVars: parameters of the generated `__init__` that are no fields."""
    init = cls.__dict__.get("__init__")
    if init is None or not _is_generated(init):
        return set()
    code = init.__code__
    return set(code.co_varnames[1 : code.co_argcount + code.co_kwonlyargcount]) - fields


def _copy_of(field: Field[Any], **changes: Any) -> Any:
    names = ("default", "default_factory", "init", "repr", "hash", "compare", "metadata", "kw_only")
    return dataclasses.field(**{**{name: getattr(field, name) for name in names}, **changes})


def _as_dataclass(cls: Any, options: dict[str, bool], immutable: bool) -> list[Field[Any]]:
    """Have `dataclass` read the fields and generate the methods; give the fields."""
    _forget_inherited_descriptors(cls)
    constants = _defaults_without_parameter(cls)
    explicit_hash = cls.__dict__.get("__hash__") is not None
    by_value = options.get("unsafe_hash", False) or (immutable and options["eq"] and not explicit_hash)
    if by_value and not explicit_hash and "__hash__" in cls.__dict__:
        type.__delattr__(cls, "__hash__")  # None, which `__eq__` in the body put there
    dataclasses.dataclass(**{**options, "unsafe_hash": by_value})(cls)
    fields = list(dataclasses.fields(cls))
    for field in fields:
        if field.name in constants and field.name in own_annotations(cls):
            field.default, field.default_factory = constants[field.name], MISSING
    return fields


def _forget_inherited_descriptors(cls: Any) -> None:
    """Keep `dataclass` from taking a frozen base's descriptor of a field that is declared again for its default."""
    for name in own_annotations(cls):
        for base in cls.__mro__:
            if name in base.__dict__:
                if base is not cls and "__castiron_frozen__" in base.__dict__ and name in base.__slots__:
                    type.__setattr__(cls, name, dataclasses.field())
                break


def _defaults_without_parameter(cls: Any) -> dict[str, Any]:
    """Make factories of defaults that are no parameter's: in a class with slots `__init__` must set them."""
    constants = {}
    for name in own_annotations(cls):
        found = cls.__dict__.get(name)
        if isinstance(found, Field) and not found.init and found.default is not MISSING:
            value = constants[name] = found.default
            type.__setattr__(cls, name, _copy_of(found, default=MISSING, default_factory=lambda value=value: value))
    return constants


def _say_how_it_travels(cls: Any) -> None:
    """Let old pickle protocols work too: objects with slots need the second."""
    names = ("__reduce__", "__reduce_ex__", "__getstate__")
    if all(getattr(cls, name) is getattr(object, name) for name in names):
        type.__setattr__(cls, "__reduce_ex__", _reduce_ex)


def _reduce_ex(self: Any, protocol: Any, /) -> Any:
    return object.__reduce_ex__(self, max(protocol, 2))


_reduce_ex.__name__ = _reduce_ex.__qualname__ = "__reduce_ex__"


def _seal(cls: Any, fields: list[Field[Any]], *, immutable: bool, final: bool, weakref: bool, own_init: bool) -> None:
    function, annotations = checked_function(cls, fields)
    plan = _castiron.FunctionPlan(function, annotations)
    own = cls.__dict__
    own_setattr = _writes_its_own_way(cls)
    constructs = (
        not own_init
        and not own_setattr
        and not _init_only(cls, {field.name for field in fields})
        and cls.__new__ is object.__new__
        and type(cls).__call__ is type.__call__
        and "__init__" in own
        and _is_generated(own["__init__"])
    )
    order = {
        "fields": [_given(field) for field in fields],
        "immutable": immutable,
        "final": final,
        "weakref": weakref,
        "constructs": constructs,
        "post_init": hasattr(cls, "__post_init__"),
        "own_setattr": own_setattr,
        "unboxed": _works_compiled(cls),
        "parts": parts_of(cls),
        "refusals": (broken, assigned, deleted),
    }
    close(cls, fields, immutable=immutable)
    _castiron.seal(cls, function, plan, order)


def _works_compiled(cls: Any) -> bool:
    """Tell whether functions that `jit` compiles in the class' module work on it, as far as the text tells.

    Such a class holds numbers unboxed in its fields, which compiled code reads and writes fastest; Python reads
    references faster.
    """
    import castiron
    from castiron import _jit, _typed
    from castiron._source import prepare_text, read_text

    if _typed.MODE != "on":
        return False
    if os.environ.get("CASTIRON_FORCE"):
        return True
    module = sys.modules.get(cls.__module__)
    space = vars(module) if module is not None else {}
    path = space.get("__file__")
    if not isinstance(path, str):
        return False
    if not any(value is _jit.jit or value is castiron for value in list(space.values())):
        return False
    text = read_text(path)
    return isinstance(text, str) and prepare_text(path, text).compiles_with(cls.__name__)


def close(cls: Any, fields: list[Field[Any]], *, immutable: bool) -> None:
    """Write what the class says of itself from now on."""
    annotations = own_annotations(cls)
    for field in fields:
        if field.name in annotations and field.name in cls.__dict__:
            type.__delattr__(cls, field.name)
    inherited = {name for base in cls.__mro__[1:] for name in getattr(base, "__slots__", ())}
    type.__setattr__(cls, "__slots__", tuple(field.name for field in fields if field.name not in inherited))
    type.__setattr__(cls, "__annotations__", SealedAnnotations(annotations))
    type.__setattr__(cls, "__dataclass_fields__", MappingProxyType(cls.__dict__["__dataclass_fields__"]))
    type.__setattr__(cls, "__castiron_frozen__", immutable)


def checked_function(cls: Any, fields: list[Field[Any]]) -> tuple[Any, dict[str, object]]:
    """Give a function with a parameter for each field, and the fields' annotations as objects."""
    names = ", ".join(field.name for field in fields)
    module = sys.modules.get(cls.__module__)
    space = dict(vars(module)) if module is not None else {}
    made: dict[str, Any] = {}
    exec(f"def {cls.__name__}({names}): pass", {"__name__": cls.__module__}, made)
    template = made[cls.__name__]
    function = FunctionType(template.__code__, vars(module) if module is not None else space, cls.__name__)
    function.__qualname__ = cls.__qualname__
    function.__annotations__ = {field.name: field.type for field in fields}
    annotations = resolve(function).annotations
    return function, {name: _looked_up(hint, cls, fields) for name, hint in annotations.items()}


def _looked_up(hint: object, cls: Any, fields: list[Field[Any]]) -> object:
    """Look a name up once more where the base class stands that has the field, and in the class itself."""
    if type(hint) is not Unresolved:
        return hint
    for base in cls.__mro__:
        module = sys.modules.get(base.__module__)
        found = evaluate_in(hint.text, vars(module) if module else {}, {**vars(base), cls.__name__: cls})
        if type(found) is not Unresolved:
            return found
    return hint


def _given(field: Field[Any]) -> tuple[object, ...]:
    default = None if field.default is MISSING else (field.default,)
    factory = None if field.default_factory is MISSING else field.default_factory
    return field.name, field.init, bool(field.kw_only), default, factory


def _writes_its_own_way(cls: Any) -> bool:
    """Tell whether the class or a base defines in Python how attributes are written."""
    return any(type(getattr(cls, name)) is FunctionType for name in ("__setattr__", "__delattr__"))


def functions_of(cls: Any) -> list[FunctionType]:
    """Give the functions whose code the class relies on."""
    found = []
    for value in cls.__dict__.values():
        parts = (value.fget, value.fset, value.fdel) if isinstance(value, property) else (value,)
        for part in parts:
            function = part.__func__ if isinstance(part, (classmethod, staticmethod)) else part
            if not PURE:
                function = _castiron.python_function(function)
            if type(function) is FunctionType:
                found.append(function)
    return found


def parts_of(cls: Any) -> list[Any]:
    """Give what the class has in objects of their own, which sealing makes as immutable as the class."""
    functions = functions_of(cls)
    parts = [value for value in cls.__dict__.values() if isinstance(value, (property, classmethod, staticmethod))]
    cells = [cell for function in functions for cell in function.__closure__ or ()]
    return [*functions, *parts, *cells]


def own_annotations(cls: Any) -> dict[str, Any]:
    """Give the annotations of the class' own body."""
    found: dict[str, Any] = inspect.get_annotations(cls)
    return found


class SealedAnnotations(dict[str, object]):
    """The annotations of a frozen class, which nobody changes."""

    def _refuse(self, *_: object, **__: object) -> Any:
        raise TypeError("the annotations of a frozen class can't be changed")

    __setitem__ = __delitem__ = __ior__ = clear = pop = popitem = setdefault = update = _refuse

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle and copy as an ordinary dict."""
        return dict, (dict(self),)


def broken(cls: type, name: str, described: Any, value: object) -> TypeError:
    """Make the exception for a value that a field refuses."""
    from castiron._errors import field_violation

    return field_violation(cls, name, described, value)


def assigned(cls: type, name: str) -> AttributeError:
    """Make the exception for the second write of an immutable field."""
    return FrozenInstanceError(f"cannot assign to field {name!r}: {cls.__qualname__} is immutable")


def deleted(cls: type, name: str) -> AttributeError:
    """Make the exception for the deletion of a field."""
    return FrozenInstanceError(f"cannot delete field {name!r}: {cls.__qualname__} is frozen")
