"""Sealing without the native part: a class made anew, with checked slots and a metaclass that refuses changes.

In: a class that `_frozen` has prepared, and its fields. Out: the class that takes its place.

It also serves where the native part can't change a class in place: where a base class keeps an instance dict or slots
of its own. What differs from the native seal: `__init_subclass__` and `__set_name__` run a second time, and
`type.__setattr__` gets around the metaclass.
"""

from __future__ import annotations

import sys
import weakref
from abc import ABCMeta
from dataclasses import MISSING
from types import FunctionType, GetSetDescriptorType, MemberDescriptorType

from castiron._checks import Call, accepts
from castiron._forms import read_all
from castiron._frozen import assigned, broken, checked_function, close, deleted, functions_of, own_annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dataclasses import Field
    from typing import Any


class CheckedSlot:
    """A field: what is written passes its check; an immutable one is written once."""

    __slots__ = ("__name__", "__objclass__", "default", "described", "function", "immutable", "member")

    def __init__(self, member: Any, field: Field[Any], described: Any, function: Any, immutable: bool) -> None:
        self.member = member
        self.__name__ = field.name
        self.__objclass__ = member.__objclass__
        self.default = field.default
        self.described = described
        self.function = function
        self.immutable = immutable

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        """Give the value, as the slot does."""
        return self if instance is None else self.member.__get__(instance, owner)

    def __set__(self, instance: Any, value: Any) -> None:
        """Write a value that passes the check."""
        kind = type(instance)
        if self.immutable and self._is_set(instance):
            raise assigned(kind, self.__name__)
        if value is not self.default and not self._accepts(value):
            raise broken(kind, self.__name__, self.described, value)
        self.member.__set__(instance, value)

    def __delete__(self, instance: Any) -> None:
        """Refuse."""
        raise deleted(type(instance), self.__name__)

    def _accepts(self, value: Any) -> bool:
        return self.described is None or accepts(self.described, value, Call(self.function, None, None))

    def _is_set(self, instance: Any) -> bool:
        try:
            self.member.__get__(instance)
        except AttributeError:
            return False
        return True


class _Sealing(type):
    """What a metaclass of sealed classes adds to the class' own."""

    def __new__(mcs, name: str, bases: tuple[Any, ...], namespace: dict[str, Any], **keywords: Any) -> Any:
        for base in bases:
            if base.__dict__.get("__castiron_final__"):
                raise TypeError(f"type {base.__name__!r} is not an acceptable base type")
        return super().__new__(mcs, name, bases, namespace, **keywords)

    def __setattr__(cls, name: str, value: Any) -> None:
        if "__castiron_sealed__" in cls.__dict__:
            raise TypeError(f"cannot set {name!r} attribute of immutable type {cls.__name__!r}")
        super().__setattr__(name, value)

    def __delattr__(cls, name: str) -> None:
        if "__castiron_sealed__" in cls.__dict__:
            raise TypeError(f"cannot set {name!r} attribute of immutable type {cls.__name__!r}")
        super().__delattr__(name)


_metaclasses: dict[type, type] = {}


def _sealing(metaclass: type) -> type:
    if issubclass(metaclass, _Sealing):
        return metaclass
    made = _metaclasses.get(metaclass)
    if made is None:
        made = _metaclasses[metaclass] = type(metaclass.__name__, (_Sealing, metaclass), {})
    return made


def seal(cls: Any, fields: list[Field[Any]], *, immutable: bool, final: bool, weakref: bool) -> Any:
    """Give the sealed class that takes the place of this one."""
    close(cls, fields, immutable=immutable)
    new = cls.__slots__
    namespace = {name: value for name, value in cls.__dict__.items() if not _is_made_by_type(cls, name, value)}
    takes_weakrefs = any(base.__weakrefoffset__ for base in cls.__bases__)
    namespace["__slots__"] = (*new, "__weakref__") if weakref and not takes_weakrefs else new
    namespace["__qualname__"] = cls.__qualname__
    if isinstance(cls, ABCMeta) and "register" not in namespace:
        namespace["register"] = classmethod(_register)
    metaclass = _sealing(type(cls))
    made: Any = metaclass(cls.__name__, cls.__bases__, namespace)
    _rename_class_in_cells(cls, made)
    function, annotations = checked_function(made, fields)
    described = read_all(function, annotations, False, False)
    for field in fields:
        if field.name in new or field.name in own_annotations(cls):
            member = _member(made, field.name)
            pair = described.get(field.name)
            slot = CheckedSlot(member, field, pair[0] if pair else None, function, immutable)
            type.__setattr__(made, field.name, slot)
    _guard(functions_of(made))
    type.__setattr__(made, "__slots__", new)
    type.__setattr__(made, "__castiron_final__", final)
    type.__setattr__(made, "__castiron_sealed__", True)
    return made


def _register(cls: Any, subclass: Any) -> Any:
    if "__castiron_sealed__" in cls.__dict__:
        raise TypeError(f"{cls.__name__} is frozen: nothing can be registered as its subclass")
    return type(cls).register(cls, subclass)


_guarded: weakref.WeakSet[Any] = weakref.WeakSet()
_hooks: list[object] = []


def _guard(functions: list[Any]) -> None:
    """Have an audit hook refuse to change the functions."""
    _guarded.update(functions)
    if not _hooks:
        _hooks.append(_refuse_change)
        sys.addaudithook(_refuse_change)


def _refuse_change(event: str, args: Any) -> None:
    if event in ("object.__setattr__", "object.__delattr__") and args[1] in (
        "__code__",
        "__defaults__",
        "__kwdefaults__",
    ):
        function = args[0]
        if type(function) is FunctionType and function in _guarded:
            raise TypeError(f"{function.__qualname__}.{args[1]} can't be set: its class is frozen")


def _is_made_by_type(cls: Any, name: str, value: object) -> bool:
    if type(value) is MemberDescriptorType:
        return value.__objclass__ is cls
    return name in ("__dict__", "__weakref__") and type(value) is GetSetDescriptorType


def _member(cls: Any, name: str) -> Any:
    """Give the slot of a field, of this class or of a sealed base that has it."""
    for base in cls.__mro__:
        found = base.__dict__.get(name, MISSING)
        if found is not MISSING:
            return found.member if type(found) is CheckedSlot else found
    raise AttributeError(name)


def _rename_class_in_cells(old: Any, new: Any) -> None:
    """Have `super()` and `__class__` mean the new class."""
    for value in list(new.__dict__.values()):
        parts = (value.fget, value.fset, value.fdel) if isinstance(value, property) else (value,)
        for part in parts:
            function = part.__func__ if isinstance(part, (classmethod, staticmethod)) else part
            while function is not None:
                if type(function) is FunctionType:
                    for cell in function.__closure__ or ():
                        _replace(cell, old, new)
                function = getattr(function, "__wrapped__", None)


def _replace(cell: Any, old: Any, new: Any) -> None:
    try:
        if cell.cell_contents is old:
            cell.cell_contents = new
    except ValueError:  # the variable is not bound
        return
