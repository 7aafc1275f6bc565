"""Fields of frozen classes: what the plain dataclass of the same body does, and what differs on purpose."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import pickle
import typing
from collections.abc import Callable
from dataclasses import InitVar, dataclass, field

import pytest

from castiron import TypeCheckError, frozen

Decorator = Callable[[typing.Any], typing.Any]


def outcome(run: Callable[[], object]) -> object:
    """What a program sees of a call: the value, or the exception."""
    try:
        return run()
    except Exception as error:
        return type(error), str(error)


# ---- bodies that both decorators take; each gives the class and the calls that are compared


class Bodies:
    """Class bodies by name: a function of a decorator, and expressions over the class `C`."""

    found: typing.ClassVar[dict[str, tuple[Callable[[Decorator], typing.Any], list[str]]]] = {}

    @classmethod
    def add(cls, *calls: str) -> Callable[[typing.Any], typing.Any]:
        """Add a body."""

        def added(make: Callable[[Decorator], typing.Any]) -> Callable[[Decorator], typing.Any]:
            cls.found[make.__name__] = (make, list(calls))
            return make

        return added


@Bodies.add(
    "C(1)", "C(1, 2)", "C()", "C(1, 2, 3)", "C(a=1)", "C(1, a=1)", "C(b=2, a=1)", "C(1) == C(1, 5)", "C(1) == 3"
)
def defaults(decorator: Decorator) -> typing.Any:
    @decorator
    class C:
        a: int
        b: int = 5

    return C


@Bodies.add("C()", "C().items is C().items", "C([1])", "C(items=[2])")
def factory(decorator: Decorator) -> typing.Any:
    @decorator
    class C:
        items: list[int] = field(default_factory=list)

    return C


@Bodies.add("C(1)", "C(1, 2)", "C(1) == C(2)", "repr(C(1))", "C(1).shown", "C(3).derived", "C.__match_args__")
def field_options(decorator: Decorator) -> typing.Any:
    @decorator
    class C:
        hidden: int = field(repr=False, compare=False)
        shown: int = 7
        derived: int = field(init=False, default=4)
        made: list[int] = field(init=False, default_factory=list, repr=False)

    return C


@Bodies.add("C(1, b=2)", "C(1, 2)", "C(b=2, a=1)", "C(1)", "C(1, b=2, c=3)", "C.__match_args__", "C(1, b=2).c")
def keyword_only(decorator: Decorator) -> typing.Any:
    @decorator
    class C:
        a: int
        b: int = field(kw_only=True)
        _: dataclasses.KW_ONLY
        c: int = 9

    return C


@Bodies.add("C(2.0)", "C(2.0, 3.0)", "C(2.0).area", "C(2.0, scale=2.0).area", "C.kind", "C(1.0, 2.0, 3.0)", "C.scale")
def init_only(decorator: Decorator) -> typing.Any:
    @decorator
    class C:
        radius: float
        scale: InitVar[float] = 1.0
        area: float = field(init=False, default=0.0)
        kind: typing.ClassVar[str] = "round"

        def __post_init__(self, scale: float) -> None:
            self.area = self.radius * scale

    return C


@Bodies.add("C(1).n", "C(-1)", "C(3) == C(3)", "C(1).log")
def post_init(decorator: Decorator) -> typing.Any:
    @decorator
    class C:
        n: int
        log: list[str] = field(default_factory=list)

        def __post_init__(self) -> None:
            if self.n < 0:
                raise ValueError(f"{self.n} is negative")
            self.log.append("made")
            self.n += 1

    return C


@Bodies.add(
    "C(1)", "C(1).b", "repr(C(1))", "C(1) == C(1)", "C(1) != C(2)", "hash(C(1)) == hash(C(1))", "C()", "C(1).same()"
)
def methods_of_its_own(decorator: Decorator) -> typing.Any:
    @decorator
    class C:
        a: int
        b: int = 0

        def __init__(self, a: int) -> None:
            self.a = a
            self.b = a + 1

        def __repr__(self) -> str:
            return f"<C {self.a}>"

        def __eq__(self, other: object) -> bool:
            return isinstance(other, type(self)) and self.a == other.a

        def __hash__(self) -> int:
            return hash(self.a)

        def same(self) -> bool:
            return type(self) is __class__  # type: ignore[name-defined]

    return C


@Bodies.add("C(1).missing", "C(1).a", "C(1).twice", "getattr(C(1), 'other')", "hasattr(C(1), 'lost')")
def getattr_and_properties(decorator: Decorator) -> typing.Any:
    @decorator
    class C:
        a: int

        def __getattr__(self, name: str) -> str:
            if name == "lost":
                raise AttributeError(name)
            return f"no {name}"

        @property
        def twice(self) -> int:
            return 2 * self.a

    return C


@Bodies.add(
    "C(1, 2.0)",
    "C(True, 3)",
    "C(1, float('nan')) == C(1, float('nan'))",
    "C(2**100, -0.0)",
    "C(1, 2).b",
    "type(C(1, 2).b)",
)
def numbers(decorator: Decorator) -> typing.Any:
    @decorator
    class C:
        a: int
        b: float

    return C


@Bodies.add("C(1)", "C(1, C(2))", "C(1, C(2)).next.value", "C(1) == C(1, C(2))", "repr(C(1, C(2, C(3))))")
def recursive(decorator: Decorator) -> typing.Any:
    @decorator
    class C:
        value: int
        next: C | None = None  # type: ignore[name-defined]

    return C


@Bodies.add("C()", "C() == C()", "repr(C())", "C(1)", "C.__match_args__")
def nothing(decorator: Decorator) -> typing.Any:
    @decorator
    class C:
        pass

    return C


@Bodies.add(
    "C(1, 2)", "C(1, 2).total()", "C(1)", "C(1, 2, 3)", "repr(C(1, 2))", "C(1, 2) == C(1, 2)", "C.__mro__[1].__name__"
)
def inherited(decorator: Decorator) -> typing.Any:
    @decorator
    class B:
        a: int

        def total(self) -> int:
            return self.a

    @decorator
    class C(B):
        b: int = 0

        def total(self) -> int:
            return super().total() + self.b

    return C


@Bodies.add("C(1)", "C(1, 'x')", "C(1, 'x').a", "repr(C('x', 2))", "C.__match_args__")
def a_field_declared_again(decorator: Decorator) -> typing.Any:
    @decorator
    class B:
        a: int
        b: typing.Any = 0

    @decorator
    class C(B):
        a: typing.Any  # type: ignore[assignment]

    return C


def shape(cls: typing.Any) -> object:
    """What a class says of its fields."""
    names = ("name", "init", "repr", "compare", "hash", "kw_only")
    fields = [tuple(getattr(field, name) for name in names) for field in dataclasses.fields(cls)]
    signature = str(inspect.signature(cls)).replace("dataclasses.", "")
    return fields, signature, cls.__match_args__, dataclasses.is_dataclass(cls), inspect.get_annotations(cls)


@pytest.mark.parametrize("name", Bodies.found)
@pytest.mark.parametrize("options", [{}, {"order": True}, {"repr": False}, {"eq": False}])
def test_a_frozen_class_does_what_the_dataclass_does(name: str, options: dict[str, bool]) -> None:
    make, calls = Bodies.found[name]
    plain = make(lambda cls: dataclass(**options)(cls))
    ours = make(lambda cls: frozen(**options)(cls))
    assert shape(ours) == shape(plain)
    for call in [*calls, "C.__hash__ is None", "C.__doc__", "C.__name__", "C.__qualname__", "C.__module__"]:
        found, expected = (outcome(lambda cls=cls: eval(call, {"C": cls})) for cls in (ours, plain))  # noqa: B023
        same = repr(found).partition(" object at ")[0] == repr(expected).partition(" object at ")[0]
        assert same, call


@pytest.mark.parametrize(
    "above", [{}, {"slots": True}, {"frozen": True}, {"frozen": True, "slots": True}, {"order": True}]
)
def test_above_a_dataclass(above: dict[str, bool]) -> None:
    @frozen
    @dataclass(**above)  # type: ignore[call-overload]
    class C:
        a: int
        b: list[int] = field(default_factory=list, repr=False)
        scale: InitVar[int] = field(default=2, kw_only=True)
        kind: typing.ClassVar[str] = "k"
        c: int = field(init=False, compare=False)

        def __post_init__(self, scale: int) -> None:
            self.c = self.a * scale

        def __str__(self) -> str:
            return f"{__class__.__name__} {self.a}"  # type: ignore[name-defined]

    made = C(3, [1], scale=5)
    assert (made.c, C(3).c, C.kind, str(made), repr(made)) == (15, 6, "k", "C 3", f"{C.__qualname__}(a=3, c=15)")
    assert [field.name for field in dataclasses.fields(C)] == ["a", "b", "c"]
    for bad in (lambda: C("x"), lambda: C(1, 2), lambda: setattr(C(1), "c", "x")):
        with pytest.raises((TypeCheckError, AttributeError)):
            bad()
    assert (C(1) < C(2)) if above.get("order") else not hasattr(C, "__lt__") or C.__lt__ is object.__lt__
    if above.get("frozen"):
        with pytest.raises(dataclasses.FrozenInstanceError):
            made.a = 4
    else:
        made.a = 4
        assert made.a == 4
        with pytest.raises(TypeCheckError):
            made.a = "x"
    assert copy.copy(made) == made


def test_above_a_dataclass_without_init_or_match_args() -> None:
    @frozen
    @dataclass(init=False, match_args=False, unsafe_hash=True)
    class C:
        a: int = 3

    assert "__match_args__" not in C.__dict__
    assert "__init__" not in C.__dict__
    made = C()
    made.a = 3
    assert hash(made) == hash((3,))
    with pytest.raises(TypeError):
        C(1)  # type: ignore[call-arg]


def test_a_field_declared_again_below_a_class_that_writes_its_own_way() -> None:
    @frozen
    class B:
        a: int

        def __setattr__(self, name: str, value: object) -> None:
            super().__setattr__(name, value)

    @frozen
    class C(B):
        a: str  # type: ignore[assignment]

    assert str(inspect.signature(C)) == "(a: 'str') -> None"
    assert C("x").a == "x"
    with pytest.raises(TypeCheckError, match=r"C\.a must be str, not int: 1"):
        C(1)  # type: ignore[arg-type]


@frozen
class Slotted:
    """For pickle; `cached` is no field."""

    __slots__ = ("a", "cached")
    a: int


@frozen
class MoreSlotted(Slotted):
    """Inherits what is no field."""

    b: int = 0


@pytest.mark.parametrize("make", [Slotted, MoreSlotted])
def test_slots_of_its_own(make: typing.Any) -> None:
    made = make(1)
    with pytest.raises(AttributeError):
        made.cached  # noqa: B018
    made.cached = ["anything"]
    made.cached = [made]
    assert made.cached == [made]
    with pytest.raises(AttributeError):
        made.other = 1
    with pytest.raises(TypeCheckError):
        made.a = "x"
    assert [field.name for field in dataclasses.fields(make)] == ["a"] + ["b"] * (make is MoreSlotted)
    made.cached = "kept"
    for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
        assert pickle.loads(pickle.dumps(made, protocol)).cached == "kept"


def test_slots_with_private_names_and_weak_references() -> None:
    import weakref

    @frozen(weakref=False)
    class C:
        __slots__ = ("__cache", "__weakref__", "a")
        a: int

        def cached(self) -> int:
            try:
                return self.__cache
            except AttributeError:
                self.__cache = self.a * 2
            return self.__cache

    made = C(2)
    assert (made.cached(), made.cached()) == (4, 4)
    assert weakref.ref(made)() is made


# ---- how fields hold numbers


@pytest.mark.native
def test_classes_that_compiled_functions_work_on_hold_numbers_unboxed(
    module_of: Callable[[str], typing.Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CASTIRON_FORCE", raising=False)
    module = module_of(
        "from castiron import frozen, jit\n"
        "@frozen\nclass Named:\n    x: float\n    o: object\n"
        "@frozen\nclass InText:\n    x: float\n"
        "@frozen\nclass Own:\n    x: int\n    @jit\n    def f(self) -> int:\n        return self.x\n"
        "@frozen\nclass Other:\n    x: float\n"
        "@jit\ndef f(a: Named, b: 'InText | None') -> float:\n    return a.x\n"
        "def g(a: Other): return a.x\n"
    )
    kinds = {name: type(vars(getattr(module, name))["x"]).__name__ for name in ("Named", "InText", "Own", "Other")}
    pair, member = "getset_descriptor", "member_descriptor"
    assert kinds == {"Named": pair, "InText": pair, "Own": pair, "Other": member}
    assert type(vars(module.Named)["o"]).__name__ == member
    nan = float("nan")
    made = module.Named(nan, None)
    assert made.x is nan
    made.x = 2
    assert repr(made.x) == "2"
    assert module.f(module.Named(0.0, None), None) == 0.0
    with pytest.raises(AttributeError, match="'x'"):
        module.Named.__new__(module.Named).x  # noqa: B018 - reading it is the point
    with pytest.raises(AttributeError, match="readonly"):
        vars(module.Named)["x"].__set__(made, 1.0)
