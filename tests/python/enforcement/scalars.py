"""Classes, the numeric tower, None, Any, literals, and forms that wrap one type."""

# ruff: noqa: UP007, UP045 - the old spellings are annotations too

import abc
import array
import collections
import datetime
import decimal
import enum
import fractions
import ipaddress
import numbers
import os
import pathlib
import re
import types
import typing
import uuid
from dataclasses import InitVar, dataclass
from typing import Annotated, Any, ClassVar, Final, Literal, NewType, Optional, TypeVar, Union

from enforcement.rows import Row, row

CLASS = "a class stands for its instances and those of its subclasses (concepts: nominal types)"
PROMOTION = "float also means int, complex also float and int (special types: float and complex)"
NONE = "None stands for type(None) (special types: None)"
ANY = "any type is consistent with Any (special types: Any)"
UNION = "a union is kept by what keeps one member (concepts: union types)"
LITERAL = "a literal type has one value, of exactly its type (literals: semantics)"
ANNOTATED = "metadata does not change the type (qualifiers: Annotated)"
QUALIFIER = "a qualifier says something of the name, the type is its argument (qualifiers)"
NEWTYPE = "at run time a new type is its supertype (aliases: NewType)"
NEVER = "no value has the bottom type (special types: Never)"
ENUM = "a member is an instance of its enumeration (enumerations)"


class Shape: ...


class Circle(Shape): ...


class Square(Shape): ...


class Color(enum.Enum):
    RED = 1
    GREEN = "green"


class Grade(enum.IntEnum):
    GOOD = 1
    BAD = 2


class Mode(enum.StrEnum):
    READ = "r"


class Access(enum.Flag):
    R = 1
    W = 2


class Abstract(abc.ABC):
    @abc.abstractmethod
    def area(self) -> float: ...


class Concrete(Abstract):
    def area(self) -> float:
        return 1.0


class Registered(abc.ABC): ...  # noqa: B024 - it only registers


Registered.register(Circle)


class Even(type):
    def __instancecheck__(cls, value: object) -> bool:
        return type(value) is int and value % 2 == 0


class EvenNumber(metaclass=Even): ...


class MyInt(int): ...


class MyFloat(float): ...


class MyStr(str): ...


class MyBytes(bytes): ...


class MyList(list): ...  # type: ignore[type-arg]


@dataclass
class Point:
    x: int
    y: int


@dataclass(frozen=True)
class Frozen:
    x: int


UserId = NewType("UserId", int)
Deeper = NewType("Deeper", UserId)
Names = NewType("Names", list[str])  # type: ignore[valid-newtype]
Bound = TypeVar("Bound", bound=Shape)
BoundUnion = TypeVar("BoundUnion", bound=Union[int, str])
T = TypeVar("T")
Constrained = TypeVar("Constrained", int, str)

ROWS: list[Row] = [
    row(int, [0, -1, 10**30, True, Grade.GOOD, MyInt(3)], [1.0, "1", None, 1j, int, b"1", [1]], CLASS),
    row(float, [0.5, float("nan"), 1, True, MyFloat(1), 10**400, Grade.GOOD], ["1", None, 1j, float], PROMOTION),
    row(complex, [1j, 1.5, 1, False, MyFloat(2)], ["1", None, complex], PROMOTION),
    row(bool, [True, False], [0, 1, None, "", 1.0], CLASS),
    row(str, ["", "x", MyStr("a"), Mode.READ], [b"x", 1, None, bytearray(b"x"), str], CLASS),
    row(bytes, [b"", MyBytes(b"x")], [bytearray(), "", memoryview(b""), None], "bytes is bytes only (special types)"),
    row(bytearray, [bytearray()], [b"", "", [1]], CLASS),
    row(memoryview, [memoryview(b"")], [b""], CLASS),
    row(None, [None], [0, False, "", ()], NONE),
    row(type(None), [None], [0, type(None)], NONE),
    row(types.NoneType, [None], [0], NONE),
    row(object, [None, 1, object, object(), [], len], [], "object is the supertype of all (special types)"),
    row(Any, [None, 1, object, [], Shape()], [], ANY),
    row(typing.NoReturn, [], [None, 1], NEVER),
    row(typing.Never, [], [None, 1, "x"], NEVER),
    row(slice, [slice(1)], [1], CLASS),
    row(range, [range(3)], [[0, 1], 3], CLASS),
    row(type(...), [...], [None], CLASS),
    row(type(NotImplemented), [NotImplemented], [None], CLASS),
    row(property, [property()], [1], CLASS),
    row(Exception, [ValueError(), Exception()], [ValueError, KeyboardInterrupt(), None], CLASS),
    row(BaseException, [KeyboardInterrupt()], [1], CLASS),
    row(OSError, [FileNotFoundError()], [ValueError()], CLASS),
    row(Shape, [Shape(), Circle()], [1, Shape, None, Color.RED], CLASS),
    row(Circle, [Circle()], [Shape(), Square()], CLASS),
    row(Abstract, [Concrete()], [Concrete, 1], CLASS),
    row(Registered, [Circle()], [Shape()], "a registered class counts as a subclass, as isinstance says"),
    row(EvenNumber, [2, EvenNumber()], [3, "x", True], "a metaclass decides what isinstance says"),
    row(Point, [Point(1, 2)], [(1, 2), Frozen(1)], CLASS),
    row(Frozen, [Frozen(1)], [Point(1, 2)], CLASS),
    row(Color, [Color.RED], [1, "RED", "green", Grade.GOOD], ENUM),
    row(Grade, [Grade.GOOD], [1, Color.RED], ENUM),
    row(Mode, [Mode.READ], ["r"], ENUM),
    row(Access, [Access.R, Access.R | Access.W], [1], ENUM),
    row(MyInt, [MyInt(1)], [1, True], CLASS),
    row(MyStr, [MyStr("x")], ["x"], CLASS),
    row(MyList, [MyList()], [[]], CLASS),
    row(decimal.Decimal, [decimal.Decimal(1)], [1, 1.0], CLASS),
    row(fractions.Fraction, [fractions.Fraction(1, 2)], [0.5], CLASS),
    row(numbers.Number, [1, 1j, decimal.Decimal(1)], ["x"], CLASS),
    row(numbers.Integral, [1, True], [1.0], CLASS),
    row(numbers.Real, [1.0, 1, fractions.Fraction(1)], [1j], CLASS),
    row(datetime.date, [datetime.date(2020, 1, 1), datetime.datetime(2020, 1, 1)], ["2020-01-01"], CLASS),
    row(datetime.datetime, [datetime.datetime(2020, 1, 1)], [datetime.date(2020, 1, 1)], CLASS),
    row(datetime.timedelta, [datetime.timedelta(1)], [1], CLASS),
    row(pathlib.Path, [pathlib.Path("x")], ["x", pathlib.PurePath("x")], CLASS),
    row(os.PathLike, [pathlib.Path("x")], ["x"], "os.PathLike is a protocol by its subclass hook"),
    row(os.PathLike[str], [pathlib.Path("x")], ["x"], "a generic class is checked by its origin (generics)"),
    row(uuid.UUID, [uuid.UUID(int=1)], ["x"], CLASS),
    row(ipaddress.IPv4Address, [ipaddress.IPv4Address(1)], [1], CLASS),
    row(re.Pattern, [re.compile("x")], ["x"], CLASS),
    row(re.Pattern[str], [re.compile("x")], ["x", b"x"], "a generic class is checked by its origin (generics)"),
    row(re.Match[str], [re.match("x", "x")], ["x", None], "a generic class is checked by its origin (generics)"),
    row(typing.Pattern[str], [re.compile("x")], ["x"], "typing.Pattern is re.Pattern (typing: aliases)"),
    row(array.array, [array.array("i")], [[]], CLASS),
    row(types.FunctionType, [row], [len, 1], CLASS),
    row(types.BuiltinFunctionType, [len], [row], CLASS),
    row(types.GenericAlias, [list[int]], [list, 1], CLASS),
    row(types.ModuleType, [os], ["os"], CLASS),
    row(types.SimpleNamespace, [types.SimpleNamespace()], [{}], CLASS),
    row(types.MappingProxyType, [types.MappingProxyType({})], [{}], CLASS),
    row(collections.UserDict, [collections.UserDict()], [{}], CLASS),
    row(str, ["x"], [b"x"], "Text is str (typing: aliases)"),
    row(typing.LiteralString, ["x"], [1, b"x"], "any str may be one, no other value is (literals: LiteralString)"),
    row(typing.AnyStr, ["x", b"x"], [1, None], "one of the constraints (generics: TypeVar)"),
    row(typing.TypeGuard[int], [True, False], [1, None], "a type guard returns bool (narrowing)"),
    row(typing.Hashable, [1, "x", (), frozenset()], [[], {}, set()], CLASS),
    row(typing.Sized, [[], "", {}], [1, iter(())], CLASS),
    # Unions
    row(int | str, [1, "x", True], [1.0, None, b""], UNION),
    row(int | None, [1, None, True], ["x", 1.0], UNION),
    row(Optional[int], [1, None], ["x"], "Optional[X] is X | None (special types: Optional)"),
    row(Optional[None], [None], [0], "Optional[X] is X | None (special types: Optional)"),
    row(Union[int], [1], ["x"], UNION),
    row(Union[int, str, None], [1, "x", None], [1.5], UNION),
    row(Union[float, str], [1, 1.5, "x"], [None, b"", 1j], UNION),
    row(Union[int, Any], [1, "x", None], [], UNION),
    row(Union[int, object], [1, "x", None], [], UNION),
    row(int | str | bytes | list[int] | None, [1, "x", b"", [], None], [1.5, ()], UNION, deep=[["x"]]),
    row(Union[Shape, type[Shape]], [Circle(), Circle], [1, int], UNION),
    row(Union[int, Union[str, bytes]], [1, "", b""], [1.5], "nested unions are one union (concepts)"),
    row(Optional["Shape"], [None, Circle()], [1], "a string stands for what it evaluates to (annotations)"),
    row(int, [1], ["x"], "Never adds nothing to a union (special types)"),
    row(bool | str, [True, "x"], [1, 0, None], UNION),
    row(Optional[Color], [Color.RED, None], ["RED"], UNION),
    # Literals
    row(Literal[1], [1], [True, 1.0, 2, "1", None, MyInt(1), Grade.GOOD], LITERAL),
    row(Literal[0], [0], [False, 0.0, None], LITERAL),
    row(Literal[True], [True], [1, False], LITERAL),
    row(Literal["a", "b"], ["a", "b", "".join(["a"])], ["c", "", b"a", MyStr("a"), None], LITERAL),
    row(Literal[b"x"], [b"x"], ["x", bytearray(b"x")], LITERAL),
    row(Literal[None], [None], [0, False], LITERAL),
    row(Literal[1, "x", None], [1, "x", None], [True, 1.0, 2, "y", [], {}, set()], LITERAL),
    row(Literal[Color.RED], [Color.RED], [Color.GREEN, 1, "RED"], LITERAL),
    row(Literal[Grade.GOOD], [Grade.GOOD], [1, Grade.BAD], LITERAL),
    row(Literal[Mode.READ, "w"], [Mode.READ, "w"], ["r", "x"], LITERAL),
    row(Literal[1, 2, 3], [1, 2, 3], [4, True], "nested literals are one (literals)"),
    row(Literal[-1, 10**30], [-1, 10**30], [1, 0], LITERAL),
    row(Literal[1] | str, [1, "x"], [2, True], UNION),
    row(Optional[Literal["a"]], ["a", None], ["b", 0], UNION),
    row(Literal["x"] | Literal["y"], ["x", "y"], ["z"], UNION),
    row(Literal[""], [""], [b"", None, 0], LITERAL),
    # Wrappers
    row(Annotated[int, "metadata"], [1, True], ["1", None], ANNOTATED),
    row(Annotated[Annotated[str, 1], 2], ["x"], [1], ANNOTATED),
    row(Annotated[Optional[int], "m"], [1, None], ["x"], ANNOTATED),
    row(Annotated[list[int], "m"], [[], [1]], [()], ANNOTATED, deep=[["x"]]),
    row(Optional[Annotated[int, "m"]], [1, None], ["x"], ANNOTATED),
    row(Annotated[Any, "m"], [1, None], [], ANNOTATED),
    row(Annotated["Shape", "m"], [Circle()], [1], ANNOTATED),
    row(Final[int], [1], ["1"], QUALIFIER),
    row(ClassVar[int], [1], ["1"], QUALIFIER),
    row(InitVar[int], [1], ["1"], "an init-only field has the type of its argument (dataclasses)"),
    row(Final, [1, None], [], QUALIFIER),
    row(ClassVar[Optional[str]], ["x", None], [1], QUALIFIER),
    row(UserId, [1, UserId(2), True], ["1", None], NEWTYPE),
    row(Deeper, [1], ["1"], NEWTYPE),
    row(Names, [[], ["x"]], [()], NEWTYPE, deep=[[1]]),
    row(Optional[UserId], [1, None], ["x"], NEWTYPE),
    row(T, [1, "x", None], [], "a type variable without bound stands for any type (generics: TypeVar)"),
    row(Bound, [Shape(), Circle()], [1, None, Circle], "values keep the upper bound (generics: bounds)"),
    row(BoundUnion, [1, "x"], [1.5, None], "values keep the upper bound (generics: bounds)"),
    row(Constrained, [1, "x", True], [1.5, None], "one of the constraints (generics: TypeVar)"),
    row(Optional[Bound], [Circle(), None], [1], "values keep the upper bound (generics: bounds)"),
    row(typing.ForwardRef("int"), [1], ["x"], "a string stands for what it evaluates to (annotations)"),
    row("int", [1], ["x"], "a string stands for what it evaluates to (annotations)"),
    row("int | None", [1, None], ["x"], "a string stands for what it evaluates to (annotations)"),
    row("Shape | Color", [Circle(), Color.RED], [1], "a string stands for what it evaluates to (annotations)"),
]
