"""`frozen`: fields, the seal, inheritance, memory; the plain dataclass is the oracle where it can be."""

from __future__ import annotations

import abc
import copy
import dataclasses
import gc
import pickle
import subprocess
import sys
import typing
import weakref
from dataclasses import FrozenInstanceError, InitVar, field
from unittest import mock

import pytest

from castiron import TypeCheckError, frozen
from castiron._mode import PURE

native = pytest.mark.skipif(PURE, reason="the native part seals")


@frozen
class Config:
    name: str
    ratio: float = 1.0
    tags: list[str] = field(default_factory=list)

    def doubled(self) -> float:
        return self.ratio * 2

    @property
    def title(self) -> str:
        return self.name.title()

    @classmethod
    def named(cls, name: str) -> Config:
        return cls(name)

    def own_class(self) -> type:
        return __class__  # type: ignore[name-defined]


@frozen(immutable=True, order=True)
class Version:
    major: int
    minor: int = 0


@frozen
class Node:
    value: int
    following: Node | None = None


# ---- fields


def test_values_are_passed_on_unconverted() -> None:
    config = Config("h", 1, ["a"])
    assert (config.ratio, type(config.ratio)) == (1, int)
    assert repr(config) == "Config(name='h', ratio=1, tags=['a'])"
    nan = float("nan")
    assert Config("h", nan).ratio is nan


def test_defaults_and_factories() -> None:
    one, other = Config("a"), Config("b")
    assert one.tags == []
    assert one.tags is not other.tags
    assert one.doubled() == 2.0
    assert one.title == "A"
    assert Config.named("c").name == "c"


@pytest.mark.parametrize(
    "call",
    [
        lambda c: c(),
        lambda c: c("a", 1.0, [], 4),
        lambda c: c("a", name="b"),
        lambda c: c("a", other=1),
        lambda c: c(ratio=1.0),
    ],
)
def test_wrong_calls_say_what_a_dataclass_says(call: typing.Callable[[typing.Any], object]) -> None:
    @dataclasses.dataclass(slots=True)
    class Plain:
        name: str
        ratio: float = 1.0
        tags: list[str] = field(default_factory=list)

    Plain.__init__.__qualname__ = "Config.__init__"
    with pytest.raises(TypeError) as expected:
        call(Plain)
    with pytest.raises(TypeError) as found:
        call(Config)
    assert str(found.value) == str(expected.value)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Config(3), "Config.name must be str, not int: 3"),  # type: ignore[arg-type]
        (lambda: Config("a", "b"), "Config.ratio must be float, not str: 'b'"),  # type: ignore[arg-type]
        (lambda: Config("a", tags=()), "Config.tags must be list[str], not tuple: ()"),  # type: ignore[arg-type]
        (lambda: Node(1, 2), "Node.following must be Node | None, not int: 2"),  # type: ignore[arg-type]
    ],
)
def test_a_bad_value_is_refused_by_the_constructor(make: typing.Callable[[], object], message: str) -> None:
    with pytest.raises(TypeCheckError) as error:
        make()
    assert str(error.value) == message


def test_a_bad_value_is_refused_by_an_assignment() -> None:
    config = Config("a")
    config.ratio = 2.5
    with pytest.raises(TypeCheckError, match=r"^Config.ratio must be float, not str: 'x'$") as error:
        config.ratio = "x"  # type: ignore[assignment]
    assert (error.value.function, error.value.parameter, error.value.value) == ("Config", "ratio", "x")
    assert config.ratio == 2.5
    with pytest.raises(AttributeError):
        config.other = 1  # type: ignore[attr-defined]
    with pytest.raises(FrozenInstanceError, match="cannot delete field 'ratio': Config is frozen"):
        del config.ratio


def test_a_default_that_is_used_is_not_checked() -> None:
    @frozen
    class Odd:
        x: int = None  # type: ignore[assignment]

    assert Odd().x is None
    with pytest.raises(TypeCheckError):
        Odd("x")  # type: ignore[arg-type]


def test_post_init_and_init_only_variables() -> None:
    @frozen
    class Circle:
        radius: float
        scale: InitVar[float] = 1.0
        area: float = field(init=False, default=0.0)
        kind: typing.ClassVar[str] = "round"

        def __post_init__(self, scale: float) -> None:
            self.area = 3.0 * self.radius**2 * scale

    assert Circle(2.0).area == 12.0
    assert Circle(2.0, 2.0).area == 24.0
    assert Circle.kind == "round"
    assert [f.name for f in dataclasses.fields(Circle)] == ["radius", "area"]
    assert dataclasses.fields(Circle)[1].default == 0.0

    @frozen
    class Counted:
        n: int

        def __post_init__(self) -> None:
            self.n += 1

    assert Counted(1).n == 2


def test_keyword_only_fields() -> None:
    @frozen(kw_only=True)
    class Options:
        a: int
        b: int = 2

    assert Options(a=1) == Options(b=2, a=1)
    with pytest.raises(TypeError, match="takes 1 positional argument but 2 were given"):
        Options(1)  # type: ignore[misc]


def test_an_immutable_class_is_written_once() -> None:
    version = Version(3, 11)
    assert hash(version) == hash(Version(3, 11))
    assert {version: 1}[Version(3, 11)] == 1
    assert sorted([Version(3, 12), version])[0] is version
    with pytest.raises(FrozenInstanceError, match="cannot assign to field 'major': Version is immutable"):
        version.major = 4  # type: ignore[misc]
    with pytest.raises(FrozenInstanceError):
        version.__init__(4)  # type: ignore[misc]
    with pytest.raises((AttributeError, TypeError)):
        object.__setattr__(version, "major", 4)
    assert version.major == 3


def test_dataclasses_functions() -> None:
    config = Config("a", 2.0, ["t"])
    assert dataclasses.is_dataclass(config)
    assert dataclasses.asdict(config) == {"name": "a", "ratio": 2.0, "tags": ["t"]}
    assert dataclasses.astuple(config) == ("a", 2.0, ["t"])
    assert dataclasses.replace(config, name="b") == Config("b", 2.0, ["t"])
    with pytest.raises(TypeCheckError):
        dataclasses.replace(config, name=1)
    assert Config.__match_args__ == ("name", "ratio", "tags")
    match config:
        case Config(name, ratio=2.0):
            assert name == "a"
        case _:
            pytest.fail("no match")
    if sys.version_info >= (3, 13):
        assert copy.replace(config, ratio=3) == Config("a", 3, ["t"])


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("value", [Config("a", 2.0, ["t"]), Version(3, 11), Node(1, Node(2))])
def test_pickle_and_copy(value: object, protocol: int) -> None:
    assert pickle.loads(pickle.dumps(value, protocol)) == value
    assert copy.copy(value) == value
    assert copy.deepcopy(value) == value


def test_what_pickle_restores_is_checked() -> None:
    forged = pickle.dumps(Version(7, 8), 0).replace(b"I7\n", b"F7.5\n")
    with pytest.raises(TypeCheckError, match=r"Version.major must be int, not float: 7.5"):
        pickle.loads(forged)
    made = Config.__new__(Config)
    with pytest.raises(TypeCheckError):
        made.ratio = "x"  # type: ignore[assignment]
    with pytest.raises(AttributeError):
        made.name  # noqa: B018


def test_above_a_dataclass() -> None:
    @frozen
    @dataclasses.dataclass(frozen=True, order=True)
    class Old:
        a: int
        b: list[int] = field(default_factory=list)

        def __repr__(self) -> str:
            return "by hand"

    assert Old(1) < Old(2)
    assert repr(Old(1)) == "by hand"
    with pytest.raises(FrozenInstanceError):
        Old(1).a = 2  # type: ignore[misc]
    with pytest.raises(TypeCheckError):
        Old("x")  # type: ignore[arg-type]


# ---- the seal

BREAKS: dict[str, typing.Callable[[], object]] = {
    "set": lambda: setattr(Config, "extra", 1),
    "set a method": lambda: setattr(Config, "doubled", lambda self: 0),
    "delete": lambda: delattr(Config, "doubled"),
    "the instance's class": lambda: setattr(Config("a"), "__class__", Version),
    "another instance's class": lambda: setattr(Plain(), "__class__", Config),
    "bases": lambda: setattr(Config, "__bases__", (Plain,)),
    "name": lambda: setattr(Config, "__name__", "Other"),
    "qualified name": lambda: setattr(Config, "__qualname__", "Other"),
    "doc": lambda: setattr(Config, "__doc__", "other"),
    "annotations": lambda: setattr(Config, "__annotations__", {}),
    "an annotation": lambda: Config.__annotations__.__setitem__("name", int),
    "annotations updated": lambda: Config.__annotations__.update(name=int),
    "annotations cleared": lambda: Config.__annotations__.clear(),
    "slots": lambda: setattr(Config, "__slots__", ()),
    "a method's code": lambda: setattr(Config.doubled, "__code__", (lambda self: 0).__code__),
    "a method's defaults": lambda: setattr(Config.doubled, "__defaults__", (1,)),
    "a method's keyword defaults": lambda: setattr(Config.doubled, "__kwdefaults__", {"a": 1}),
    "a class method's code": lambda: setattr(Config.named.__func__, "__code__", (lambda cls: 0).__code__),
    "a property's code": lambda: setattr(Config.title.fget, "__code__", (lambda self: 0).__code__),
    "a property's getter": lambda: setattr(Config.title, "fget", None),
    "init's code": lambda: setattr(Config.__init__, "__code__", (lambda self: None).__code__),
    "mock": lambda: mock.patch.object(Config, "doubled").start(),
    "init_subclass": lambda: setattr(Config, "__init_subclass__", None),
    "new": lambda: setattr(Config, "__new__", None),
    "init": lambda: setattr(Config, "__init__", None),
    "setattr": lambda: setattr(Config, "__setattr__", None),
    "reduce": lambda: setattr(Config, "__reduce__", None),
    "setstate": lambda: setattr(Config, "__setstate__", None),
    "dict": lambda: Config.__dict__.__setitem__("doubled", None),  # type: ignore[index]
    "instance dict": lambda: Config("a").__dict__,
    "object.__setattr__": lambda: object.__setattr__(Config("a"), "name", 1),
    "object.__delattr__": lambda: object.__delattr__(Config("a"), "name"),
    "the field's descriptor": lambda: Config.name.__set__(Config("a"), 1),  # type: ignore[attr-defined]
    "the field's deletion": lambda: Config.name.__delete__(Config("a")),  # type: ignore[attr-defined]
    "abstract methods": lambda: setattr(Config, "__abstractmethods__", {"f"}),
    "module": lambda: setattr(Config, "__module__", "other"),
    "match_args": lambda: setattr(Config, "__match_args__", ()),
    "fields": lambda: setattr(Config, "__dataclass_fields__", {}),
    "register": lambda: Registry.register(int),
}
BREAKS_OF_TYPE: dict[str, typing.Callable[[], object]] = {
    "type.__setattr__": lambda: type.__setattr__(Config, "extra", 1),
    "type.__delattr__": lambda: type.__delattr__(Config, "doubled"),
}


class Plain:
    pass


@frozen
class Registry(abc.ABC):
    a: int


@pytest.mark.parametrize("way", BREAKS)
def test_no_way_to_break_the_seal(way: str) -> None:
    before = dict(Config.__dict__)
    with pytest.raises((TypeError, AttributeError)) as error:
        BREAKS[way]()
    assert str(error.value)
    assert dict(Config.__dict__) == before
    assert Config("a", 2.0).doubled() == 4.0


@native
@pytest.mark.parametrize("way", BREAKS_OF_TYPE)
def test_type_itself_can_not_break_it(way: str) -> None:
    with pytest.raises(TypeError, match="immutable type 'Config'"):
        BREAKS_OF_TYPE[way]()


def test_other_functions_may_change() -> None:
    def free() -> int:
        return 1

    free.__code__ = (lambda: 2).__code__
    assert free() == 2


def test_abstract_base_classes_know_it() -> None:
    class Base(abc.ABC):
        @abc.abstractmethod
        def doubled(self) -> float: ...

    Base.register(Config)
    assert isinstance(Config("a"), Base)
    with pytest.raises(TypeError, match="is frozen: nothing can be registered"):
        Registry.register(int)


def test_annotations_can_be_read() -> None:
    import inspect

    assert inspect.get_annotations(Version) == {"major": "int", "minor": "int"}
    assert typing.get_type_hints(Version) == {"major": int, "minor": int}
    assert copy.deepcopy(Version.__annotations__) == Version.__annotations__


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (int, "frozen takes a class written in Python, not 'int'"),
        (len, "frozen takes a class, not an object of type 'builtin_function_or_method'"),
        (Config, "Config is frozen already"),
        (type("Slotted", (), {"__slots__": ("a", "__dict__")}), "its instances have no __dict__"),
    ],
)
def test_what_can_not_be_frozen(value: typing.Any, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        frozen(value)


# ---- inheritance


def test_frozen_from_frozen() -> None:
    @frozen
    class Extended(Config):
        level: int = 0

        def doubled(self) -> float:
            return super().doubled() + 1

    made = Extended("a", 2.0, level=3)
    assert made.doubled() == 5.0
    assert repr(made).endswith("Extended(name='a', ratio=2.0, tags=[], level=3)")
    with pytest.raises(TypeCheckError, match=r"Extended\.name must be str"):
        made.name = 1  # type: ignore[assignment]
    with pytest.raises(TypeCheckError, match=r"Extended\.level must be int"):
        made.level = "x"  # type: ignore[assignment]
    assert isinstance(made, Config)


def test_mutable_and_immutable_do_not_mix() -> None:
    with pytest.raises(TypeError, match="a mutable class can't inherit from an immutable one, Version"):

        @frozen
        class Wrong(Version):
            extra: int = 0


def test_ordinary_subclasses_keep_the_checks() -> None:
    class Child(Config):
        def __init__(self, name: str) -> None:
            super().__init__(name)
            self.extra = 1

    child = Child("a")
    child.free = 2  # type: ignore[attr-defined]
    assert child.__dict__ == {"extra": 1, "free": 2}
    with pytest.raises(TypeCheckError):
        child.name = 1  # type: ignore[assignment]
    Child.anything = 1  # type: ignore[attr-defined]
    assert pickle.loads(pickle.dumps(Loose("a"))).name == "a"


class Loose(Config):
    pass


def test_a_subclass_may_hide_a_field() -> None:
    class Hiding(Config):
        @property
        def ratio(self) -> float:  # type: ignore[override]
            return -1.0

        @ratio.setter
        def ratio(self, value: float) -> None:
            pass

    assert Hiding("a", 3.0).ratio == -1.0


def test_mixins_and_ordinary_bases() -> None:
    class Mixin:
        def greeting(self) -> str:
            return f"hi {self.name}"  # type: ignore[attr-defined]

    @frozen
    class Greeter(Mixin):
        name: str

        def again(self) -> str:
            return super().greeting()

    greeter = Greeter("x")
    assert (greeter.greeting(), greeter.again()) == ("hi x", "hi x")
    with pytest.raises(TypeCheckError):
        greeter.name = 1  # type: ignore[assignment]
    with pytest.raises(TypeError, match="immutable type 'Greeter'"):
        Greeter.extra = 1  # type: ignore[attr-defined]


def test_final() -> None:
    @frozen(final=True)
    class Last:
        a: int

    with pytest.raises(TypeError, match="type 'Last' is not an acceptable base type"):

        class Wrong(Last):
            pass


def test_generic_and_abstract() -> None:
    kind = typing.TypeVar("kind")

    @frozen
    class Box(typing.Generic[kind], abc.ABC):
        value: kind

        @abc.abstractmethod
        def show(self) -> str: ...

    @frozen
    class IntBox(Box[int]):
        def show(self) -> str:
            return str(self.value)

    with pytest.raises(TypeError, match="abstract"):
        Box(1)  # type: ignore[abstract]
    assert IntBox(3).show() == "3"


@native
def test_hooks_and_metaclass_run_once() -> None:
    calls: list[str] = []

    class Meta(type):
        def __new__(mcs, name: str, bases: tuple[type, ...], space: dict[str, object]) -> Meta:
            calls.append(f"new {name}")
            return super().__new__(mcs, name, bases, space)

    class Named:
        def __set_name__(self, owner: type, name: str) -> None:
            calls.append(f"set_name {name}")

    class Base(metaclass=Meta):
        __slots__ = ()

        def __init_subclass__(cls) -> None:
            calls.append(f"init_subclass {cls.__name__}")

    @frozen
    class Made(Base):
        a: int
        named: typing.ClassVar = Named()

    assert calls == ["new Base", "new Made", "set_name named", "init_subclass Made"]
    assert Base.__subclasses__() == [Made]
    assert Made(1).a == 1


def test_the_class_cell_is_the_class() -> None:
    assert Config("a").own_class() is Config


def test_a_class_that_writes_attributes_its_own_way() -> None:
    written: list[tuple[str, object]] = []

    @frozen
    class Logged:
        a: int

        def __setattr__(self, name: str, value: object) -> None:
            written.append((name, value))
            super().__setattr__(name, value)

    logged = Logged(1)
    logged.a = 2
    with pytest.raises(TypeCheckError):
        logged.a = "x"  # type: ignore[assignment]
    object.__setattr__(logged, "a", 3)
    assert logged.a == 3
    assert written == [("a", 1), ("a", 2), ("a", "x")]


# ---- memory


@native
def test_sizes() -> None:
    @frozen
    class Three:
        a: int
        b: float
        c: str

    @frozen(weakref=False)
    class Bare:
        a: int
        b: float
        c: str

    assert sys.getsizeof(Three(1, 2.0, "")) == 64
    assert sys.getsizeof(Bare(1, 2.0, "")) == 56
    kept = Three(1, 2.0, "")
    reference = weakref.ref(kept)
    assert reference() is kept
    del kept
    assert reference() is None
    with pytest.raises(TypeError, match="cannot create weak reference"):
        weakref.ref(Bare(1, 2.0, ""))


def test_cycles_are_collected_and_finalisers_run_once() -> None:
    died: list[int] = []

    @frozen
    class Last:
        n: int
        other: object = None

        def __del__(self) -> None:
            died.append(self.n)

    one = Last(1)
    one.other = one
    gone = weakref.ref(one)
    del one
    gc.collect()
    assert gone() is None
    Last(2)

    class Child(Last):
        pass

    Child(3)
    assert died == [1, 2, 3]


def test_a_finaliser_may_bring_its_object_back() -> None:
    kept: list[object] = []

    @frozen
    class Phoenix:
        n: int

        def __del__(self) -> None:
            kept.append(self)

    Phoenix(1)
    assert kept[0].n == 1  # type: ignore[attr-defined]
    kept.clear()


def test_long_chains_are_freed_without_recursion() -> None:
    head: Node | None = None
    for n in range(200_000):
        head = Node(n, head)
    del head


def test_classes_die() -> None:
    def make() -> weakref.ref[type]:
        @frozen
        class Mortal:
            a: int
            other: Mortal | None = None
            b: list[int] = field(default_factory=list)

            def me(self) -> type:
                return __class__  # type: ignore[name-defined]

        kept = Mortal(1)
        assert kept.me() is Mortal
        return weakref.ref(Mortal)

    made = [make() for _ in range(10)]
    gc.collect()
    assert [ref() for ref in made] == [None] * 10
    gc.collect()
    assert not [kind for kind in gc.get_objects() if isinstance(kind, type) and kind.__name__ == "Mortal"]


@native
def test_references_are_balanced() -> None:
    token = object()

    @frozen
    class Holder:
        a: object
        b: object = None

    before = sys.getrefcount(token)
    for _ in range(100):
        held = Holder(token)
        held.b = token
        held.b = None
        held = Holder(b=token, a=1)
        with pytest.raises(TypeError):
            Holder(token, token, token)  # type: ignore[call-arg]
    del held
    assert sys.getrefcount(token) == before


def test_dataclasses_is_imported_only_for_frozen() -> None:
    code = """
import sys
before = set(sys.modules)
import castiron
print("castiron._frozen" in sys.modules, "dataclasses" in set(sys.modules) - before)
castiron.frozen
print("castiron._frozen" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False", "True"]
