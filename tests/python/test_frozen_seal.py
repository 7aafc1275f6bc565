"""Ways to break a class: each goes through on a plain class, and raises on a frozen one and changes nothing.

The table is the test: a way is a function of a class that `make` has made, what it raises on the frozen one, and which
words say why. The plain dataclass is the oracle: a way that it refuses too would prove nothing, unless it says so.
"""

from __future__ import annotations

import _abc
import abc
import copy
import dataclasses
import gc
import inspect
import pickle
import sys
import types
import typing
from collections.abc import Callable
from dataclasses import dataclass, field
from unittest import mock

import pytest

from castiron import TypeCheckError, frozen
from castiron._mode import PURE

SCALE = 1.0


class Other:
    """An ordinary class of the same shape."""

    __slots__ = ("__weakref__", "name", "ratio", "tags")


class Meta(abc.ABCMeta):
    """A metaclass of the same shape."""


class Stranger:
    """What nobody registers."""


def make(decorator: Callable[..., typing.Any]) -> typing.Any:
    """Give a class with everything that has parts, made by the decorator."""
    factor = 2.0

    @decorator
    class Config(abc.ABC):
        """What it is for."""

        name: str
        ratio: float = 1.0
        tags: list[str] = field(default_factory=list)
        count: typing.ClassVar[int] = 0

        def doubled(self, times: int = 1, *, plus: float = 0.0) -> float:
            return self.ratio * factor * times + plus

        @property
        def title(self) -> str:
            return self.name.title()

        @classmethod
        def named(cls, name: str) -> typing.Any:
            return cls(name)

        @staticmethod
        def unit() -> float:
            return factor / 2

        def own_class(self) -> type:
            return __class__  # type: ignore[name-defined]

    return Config


class EvilEqual:
    """Gets at the dict behind a mapping proxy."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, dict) and bool(other.pop("doubled"))

    __hash__ = None  # type: ignore[assignment]


def plain(cls: typing.Any) -> typing.Any:
    """Make the oracle."""
    return dataclass(slots=True, weakref_slot=True)(cls)


def function(*names: str) -> types.FunctionType:
    """Give another function with these parameters."""
    made: dict[str, typing.Any] = {}
    exec(f"def f({', '.join(names)}): return None", made)
    return typing.cast("types.FunctionType", made["f"])


@dataclasses.dataclass(frozen=True)
class Way:
    """How to break a class, what that raises on a frozen one and which words it has."""

    run: Callable[[typing.Any], object]
    words: str
    raises: type[BaseException] = TypeError
    #: Whether a plain class lets it happen.
    possible: bool = True
    #: Whether the pure-Python mode refuses it too, and with which words.
    pure: bool | str = True


IMMUTABLE = "cannot set '.*' attribute of immutable type 'Config'"
GUARDED = "can't be set: its class is frozen"


def attribute(name: str, value: object = None, **options: typing.Any) -> Way:
    """Give the way to set an attribute of the class."""
    return Way(lambda c: setattr(c, name, value), IMMUTABLE, **options)


def refused_by_type(run: Callable[[typing.Any], object], **options: typing.Any) -> Way:
    """Give a way past the metaclass, which only the native seal sees."""
    return Way(run, IMMUTABLE, pure=False, **options)


def part(run: Callable[[typing.Any], object], words: str, pure: bool = False) -> Way:
    """Give a way to change what the class has in an object of its own."""
    return Way(run, words, pure=pure)


WAYS: dict[str, Way] = {
    # the class' attributes
    "a new attribute": attribute("extra", 1),
    "a method": attribute("doubled", function("self")),
    "a class method": attribute("named", None),
    "a static method": attribute("unit", None),
    "a property": attribute("title", None),
    "a class variable": attribute("count", 1),
    "a field": attribute("name", None),
    "a deleted method": Way(lambda c: delattr(c, "doubled"), IMMUTABLE),
    "a deleted field": Way(lambda c: delattr(c, "name"), IMMUTABLE),
    "__name__": attribute("__name__", "Other"),
    "__qualname__": attribute("__qualname__", "Other"),
    "__module__": attribute("__module__", "other"),
    "__doc__": attribute("__doc__", "other"),
    "__annotations__": attribute("__annotations__", {}),
    "__slots__": attribute("__slots__", ()),
    "__match_args__": attribute("__match_args__", ()),
    "__dataclass_fields__": attribute("__dataclass_fields__", {}),
    "__init__": attribute("__init__", function("self")),
    "__new__": attribute("__new__", None),
    "__eq__": attribute("__eq__", None),
    "__repr__": attribute("__repr__", None),
    "__hash__": attribute("__hash__", None),
    "__call__": attribute("__call__", None),
    "__setattr__": attribute("__setattr__", None),
    "__getattr__": attribute("__getattr__", None),
    "__getattribute__": attribute("__getattribute__", None),
    "__init_subclass__": attribute("__init_subclass__", None),
    "__subclasshook__": attribute("__subclasshook__", None),
    "__class_getitem__": attribute("__class_getitem__", None),
    "__reduce__": attribute("__reduce__", None),
    "__reduce_ex__": attribute("__reduce_ex__", None),
    "__getstate__": attribute("__getstate__", None),
    "__setstate__": attribute("__setstate__", None),
    "__del__": attribute("__del__", None),
    "__bases__": Way(lambda c: setattr(c, "__bases__", (Stranger,)), f"{IMMUTABLE}|.*layout differs", possible=False),
    "__class__": attribute("__class__", Meta),
    "__abstractmethods__": attribute("__abstractmethods__", frozenset({"f"})),
    "mock.patch.object": Way(lambda c: mock.patch.object(c, "doubled").start(), IMMUTABLE),
    "mock.patch.multiple": Way(lambda c: mock.patch.multiple(c, doubled=1, named=2).start(), IMMUTABLE),
    "abc.update_abstractmethods": Way(abc.update_abstractmethods, IMMUTABLE),
    "dataclass again": Way(lambda c: dataclass(c), IMMUTABLE),
    "frozen again": Way(lambda c: frozen(c), "Config is frozen already", pure=True),
    # past the metaclass
    "type.__setattr__": refused_by_type(lambda c: type.__setattr__(c, "extra", 1)),
    "type.__setattr__ of a method": refused_by_type(lambda c: type.__setattr__(c, "doubled", None)),
    "type.__delattr__": refused_by_type(lambda c: type.__delattr__(c, "doubled")),
    "type.__name__": refused_by_type(lambda c: set_by("__name__", c, "Other")),
    "type.__qualname__": refused_by_type(lambda c: set_by("__qualname__", c, "Other")),
    "type.__module__": refused_by_type(lambda c: set_by("__module__", c, "other")),
    "type.__doc__": refused_by_type(lambda c: set_by("__doc__", c, "other")),
    "type.__annotations__": refused_by_type(lambda c: set_by("__annotations__", c, {})),
    "type.__bases__": refused_by_type(lambda c: set_by("__bases__", c, (Stranger,)), possible=False),
    "type.__abstractmethods__": refused_by_type(lambda c: set_by("__abstractmethods__", c, {"f"})),
    "type.__abstractmethods__ deleted": refused_by_type(lambda c: type.__dict__["__abstractmethods__"].__delete__(c)),
    "object.__class__ of the class": refused_by_type(lambda c: object.__dict__["__class__"].__set__(c, Meta)),
    # what the class says of itself
    "an annotation": Way(lambda c: c.__annotations__.__setitem__("name", int), "annotations of a frozen class"),
    "annotations updated": Way(lambda c: c.__annotations__.update(name=int), "annotations of a frozen class"),
    "annotations merged": Way(lambda c: c.__annotations__.__ior__({"name": int}), "annotations of a frozen class"),
    "annotations cleared": Way(lambda c: c.__annotations__.clear(), "annotations of a frozen class"),
    "an annotation deleted": Way(lambda c: c.__annotations__.__delitem__("name"), "annotations of a frozen class"),
    "an annotation popped": Way(lambda c: c.__annotations__.pop("name"), "annotations of a frozen class"),
    "annotations with a default": Way(
        lambda c: c.__annotations__.setdefault("extra", int), "annotations of a frozen class"
    ),
    "the namespace": Way(
        lambda c: c.__dict__.__setitem__("doubled", None), "mappingproxy", AttributeError, possible=False
    ),
    "the fields": Way(lambda c: c.__dataclass_fields__.clear(), "mappingproxy", AttributeError),
    "a field of the fields": Way(
        lambda c: c.__dataclass_fields__.__setitem__("name", None), "mappingproxy", AttributeError
    ),
    "register": Way(lambda c: c.register(Stranger), "Config is frozen: nothing can be registered as its subclass"),
    "ABCMeta.register": part(
        lambda c: abc.ABCMeta.register(c, Stranger), "Config is frozen: nothing can be registered as its subclass"
    ),
    "_abc_register": part(
        lambda c: _abc._abc_register(c, Stranger), "Config is frozen: nothing can be registered as its subclass"
    ),
    # its parts
    "a method's code": part(lambda c: change_code(c.doubled), GUARDED, True),
    "a method's code without a closure": part(lambda c: change_code(c.__init__), GUARDED, True),
    "a method's defaults": part(lambda c: setattr(c.doubled, "__defaults__", (3,)), GUARDED, True),
    "a method's defaults deleted": part(lambda c: delattr(c.doubled, "__defaults__"), GUARDED, True),
    "a method's keyword defaults": part(lambda c: setattr(c.doubled, "__kwdefaults__", {"plus": 1.0}), GUARDED, True),
    "the constructor's defaults": part(lambda c: setattr(c.__init__, "__defaults__", (3.0,)), GUARDED, True),
    "a class method's code": part(lambda c: change_code(c.named.__func__), GUARDED, True),
    "a static method's code": part(lambda c: change_code(c.unit), GUARDED, True),
    "a property's code": part(lambda c: change_code(c.title.fget), GUARDED, True),
    "a property initialised again": part(lambda c: property.__init__(c.title, None), "its class is frozen"),
    "a property's __init__": part(lambda c: c.title.__init__(None), "its class is frozen"),
    "a class method initialised again": part(lambda c: c.__dict__["named"].__init__(len), "its class is frozen"),
    "a static method initialised again": part(lambda c: c.__dict__["unit"].__init__(len), "its class is frozen"),
    "a cell": part(
        lambda c: setattr(c.doubled.__closure__[0], "cell_contents", 3.0), "a method of a frozen class closes over"
    ),
    "a cell emptied": part(
        lambda c: delattr(c.doubled.__closure__[0], "cell_contents"), "a method of a frozen class closes over"
    ),
    "the cell of the class": part(
        lambda c: setattr(c.own_class.__closure__[0], "cell_contents", int),
        "a method of a frozen class closes over",
    ),
    "a property's getter": Way(
        lambda c: setattr(c.title, "fget", None), "readonly attribute", AttributeError, possible=False
    ),
    "a class method's function": Way(
        lambda c: setattr(c.__dict__["named"], "__func__", None), "readonly attribute", AttributeError, possible=False
    ),
    # its instances
    "an instance's class": Way(
        lambda c: setattr(c("a"), "__class__", Other), "__class__ assignment|layout differs", possible=False
    ),
    "another instance's class": Way(
        lambda c: setattr(Other(), "__class__", c), "__class__ assignment|layout differs", possible=False
    ),
    "object.__class__ of an instance": Way(
        lambda c: object.__dict__["__class__"].__set__(c("a"), Other),
        "__class__ assignment|layout differs",
        possible=False,
    ),
    "a new attribute of an instance": Way(
        lambda c: setattr(c("a"), "extra", 1), "object has no attribute 'extra'", AttributeError, possible=False
    ),
    "an instance's method": Way(
        lambda c: setattr(c("a"), "doubled", None), "read-only", AttributeError, possible=False
    ),
    "an instance's dict": Way(lambda c: c("a").__dict__, "__dict__", AttributeError, possible=False),
    "a bad value": Way(lambda c: setattr(c("a"), "name", 3), "Config.name must be str, not int: 3", TypeCheckError),
    "a bad argument": Way(lambda c: c("a", "b"), "Config.ratio must be float, not str: 'b'", TypeCheckError),
    "a bad argument by keyword": Way(lambda c: c(name=3), "Config.name must be str, not int: 3", TypeCheckError),
    "a deleted value": Way(lambda c: delattr(c("a"), "name"), "cannot delete field 'name'", AttributeError),
    "object.__setattr__": Way(
        lambda c: object.__setattr__(c("a"), "name", 3),
        "assign it as an attribute, or define __setattr__",
        pure="must be str",
    ),
    "object.__setattr__ of what passes": part(
        lambda c: object.__setattr__(c("a"), "name", "b"), "assign it as an attribute, or define __setattr__"
    ),
    "object.__delattr__": Way(
        lambda c: object.__delattr__(c("a"), "name"),
        "which object.__setattr__ and object.__delattr__ would not do",
        (TypeError, AttributeError),  # type: ignore[arg-type]
        pure="cannot delete",
    ),
    "super().__setattr__": Way(
        lambda c: super(c, c("a")).__setattr__("name", 3), "assign it as an attribute, or define", pure="must be str"
    ),
    "the field's descriptor": Way(
        lambda c: c.name.__set__(c("a"), 3),
        "readonly attribute",
        (TypeError, AttributeError),  # type: ignore[arg-type]
        pure="must be str",
    ),
    "the field's deletion": Way(
        lambda c: c.name.__delete__(c("a")), "readonly attribute", AttributeError, pure="cannot delete"
    ),
    "__init__ again with bad values": Way(
        lambda c: c("a").__init__(3), "Config.name must be str, not int: 3", TypeCheckError
    ),
    "a bad value from a forged pickle": Way(lambda c: unpickled(c), "must be str", TypeCheckError),
    "a bad value from a forged copy": Way(
        lambda c: copy._reconstruct(c("a"), None, c, ("a",), (None, {"name": 3})),  # type: ignore[attr-defined]
        "must be str",
        TypeCheckError,
    ),
    "a bad value by replace": Way(lambda c: dataclasses.replace(c("a"), name=3), "must be str", TypeCheckError),
}


def change_code(method: types.FunctionType) -> None:
    """Give the method other code."""
    method.__code__ = method.__code__.replace(co_name="other")


def set_by(name: str, cls: type, value: object) -> None:
    """Set an attribute through the descriptor that `type` has for it."""
    type.__dict__[name].__set__(cls, value)


def unpickled(cls: typing.Any) -> object:
    """Restore an instance from a pickle that says what no instance holds."""
    made = cls.__new__(cls)
    for name, value in {"name": 3, "ratio": 1.0}.items():
        setattr(made, name, value)
    return made


@pytest.mark.parametrize("name", WAYS)
def test_a_way_to_break_a_class(name: str) -> None:
    way = WAYS[name]
    if way.possible:
        way.run(make(plain))
    if PURE and way.pure is False:
        pytest.skip("needs the native part")
    cls = make(frozen)
    before, kept = dict(cls.__dict__), cls("b", 2.0, ["x"])
    words = way.pure if PURE and isinstance(way.pure, str) else way.words
    with pytest.raises(way.raises, match=words) as error:
        way.run(cls)
    assert str(error.value)
    assert dict(cls.__dict__) == before
    assert behaviour(cls, kept) == behaviour(make(frozen), None)


def behaviour(cls: typing.Any, kept: typing.Any) -> object:
    """What a program sees of the class."""
    made = kept if kept is not None else cls("b", 2.0, ["x"])
    shown = [field.name for field in dataclasses.fields(cls)], inspect.get_annotations(cls), cls.__doc__
    named = (cls.__name__, cls.__qualname__, cls.__module__, type(cls), cls.__bases__)
    values = (made.doubled(), made.doubled(2, plus=1.0), made.title, cls.named("c").name, cls.unit(), cls.count)
    return shown, named, values, repr(made), made == cls("b", 2.0, ["x"]), made.own_class() is cls


def test_the_table_is_long_enough() -> None:
    assert len(WAYS) >= 40
    assert sum(way.possible for way in WAYS.values()) >= 40


def test_what_stays_possible() -> None:
    cls = make(frozen)

    class Base(abc.ABC):
        @abc.abstractmethod
        def doubled(self) -> float: ...

    Base.register(cls)
    assert isinstance(cls("a"), Base)
    assert cls.doubled.__get__(cls("a"))() == 2.0
    cls.count.bit_length()
    cls("a").tags.append("x")

    def free(value: int = 1) -> int:
        return value

    free.__code__, free.__defaults__ = (lambda value: value + 1).__code__, (4,)
    assert free() == 5
    cell = types.CellType(1)
    cell.cell_contents = 2
    assert cell.cell_contents == 2
    held = property(len)
    held.__init__(repr)  # type: ignore[misc]
    assert held.fget is repr
    bound = classmethod(len)
    bound.__init__(repr)  # type: ignore[misc]
    assert bound.__func__ is repr


def test_subclasses_are_not_sealed() -> None:
    class Child(make(frozen)):  # type: ignore[misc]
        def again(self) -> int:
            return 1

    Child.extra = 1  # type: ignore[attr-defined]
    Child.again = lambda self: 2  # type: ignore[method-assign]
    child = Child("a")
    object.__setattr__(child, "free", 3)
    assert (child.again(), child.free, child.__dict__) == (2, 3, {"free": 3})
    object.__delattr__(child, "free")
    assert child.__dict__ == {}
    Child.register(Stranger)
    assert isinstance(Stranger(), Child)
    Child.__abstractmethods__ = frozenset({"f"})  # type: ignore[attr-defined]
    with pytest.raises(TypeError, match="abstract"):
        Child("a")


def test_pickle_and_copy_of_instances_work() -> None:
    assert pickle.loads(pickle.dumps(Sealed(1))) == copy.deepcopy(Sealed(1)) == Sealed(1)


@frozen
class Sealed:
    """For pickle, which finds classes by name."""

    a: int


@pytest.mark.skipif(PURE, reason="the native part seals")
def test_what_the_seal_guards_is_let_go_with_the_class() -> None:
    cls = make(frozen)
    method, cell, held = cls.doubled, cls.doubled.__closure__[0], cls.__dict__["title"]
    del cls
    for _ in range(3):
        gc.collect()
    cell.cell_contents = 5.0
    method.__defaults__ = (3,)
    held.__init__(len)
    assert (cell.cell_contents, method.__defaults__, held.fget) == (5.0, (3,), len)


@pytest.mark.skipif(sys.version_info < (3, 12), reason="type parameters came with 3.12")
def test_type_parameters_stay() -> None:
    space: dict[str, typing.Any] = {"frozen": frozen}
    exec("@frozen\nclass Box[T]:\n    value: T\n", space)
    with pytest.raises(TypeError, match="immutable type 'Box'"):
        space["Box"].__type_params__ = ()
    assert space["Box"][int](3).value == 3
