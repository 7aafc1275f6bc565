"""What is said of a whole call: unpacked parameters, type variables, Self, generators, scopes.

A row makes a function with a decorator and calls it; a good call returns, a bad one raises `TypeCheckError`.
"""

# ruff: noqa: UP044, UP045, RUF013 - annotations as people write them

import asyncio
import contextlib
import functools
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator, Iterable, Iterator
from dataclasses import InitVar, dataclass, field
from typing import (
    Any,
    Concatenate,
    Generic,
    Literal,
    NamedTuple,
    Never,
    NoReturn,
    NotRequired,
    Optional,
    ParamSpec,
    Protocol,
    Required,
    Self,
    TypedDict,
    TypeVar,
    TypeVarTuple,
    Unpack,
)

from enforcement import scopes
from enforcement.rows import Call, CallRow

KEYWORDS = "each key is a keyword argument (callables: Unpack for keyword arguments)"
ARGUMENTS = "the items of an unpacked tuple are the arguments (generics: *args as a TypeVarTuple or tuple)"
SELF = "Self is the class of the object the method is called on (generics: Self)"
CONSTRAINTS = "all uses of a constrained variable are one of its types (generics: type variables with constraints)"
PARAM_SPEC = "P.args and P.kwargs stand for any arguments (generics: ParamSpec)"
NEVER = "a function of type Never does not return (special types: Never, NoReturn)"
YIELD = "what is yielded, sent and returned has the three types (type of a generator function's result)"
COROUTINE = "the result's annotation is that of the awaited value (annotations: coroutines)"
DEFAULT = "a default that is used is as it is (annotations: arguments with default values)"
FORWARD = "a name may be defined later (annotations: string annotations)"
DATACLASS = "__init__ takes the fields, InitVar included (dataclasses)"
SCOPE = "a type parameter's scope is its function, class or alias (generics: scoping rules)"
STRUCTURE = "values of *args are a tuple, of **kwargs a dict of the type (callables: variadic parameters)"

T = TypeVar("T")
Text = TypeVar("Text", str, bytes)
Ts = TypeVarTuple("Ts")
P = ParamSpec("P")


class Options(TypedDict, total=False):
    size: Required[int]
    name: str
    tags: list[str]


class Base(TypedDict):
    size: int


class More(Base):
    name: NotRequired[str | None]


def keywords(d: Any) -> Any:
    @d
    def f(**options: Unpack[Options]) -> None: ...

    return f


def more_keywords(d: Any) -> Any:
    @d
    def f(first: str, **options: Unpack[More]) -> None: ...

    return f


def plain_keywords(d: Any) -> Any:
    @d
    def f(**values: int) -> None: ...

    return f


def fixed_arguments(d: Any) -> Any:
    @d
    def f(*args: *tuple[int, str]) -> None: ...

    return f


def open_arguments(d: Any) -> Any:
    @d
    def f(first: str, *args: *tuple[int, *tuple[str, ...]]) -> None: ...

    return f


def any_arguments(d: Any) -> Any:
    @d
    def f(*args: *Ts) -> tuple[*Ts]:
        return args[:1] if args == (0,) else list(args) if args == (1,) else args  # type: ignore[return-value]

    return f


def spread(d: Any) -> Any:
    @d
    def f(*args: Unpack[tuple[int, ...]]) -> None: ...

    return f


def same_kind(d: Any) -> Any:
    @d
    def f(a: Text, b: Text, *rest: Text) -> Text:
        return a if rest != (b"bad",) else ""  # type: ignore[return-value]

    return f


def same_kind_inside(d: Any) -> Any:
    @d
    def f(a: Text, b: Optional[Text] = None) -> None: ...

    return f


def wrapper(d: Any) -> Any:
    def outer(function: Callable[P, T]) -> Callable[P, T]:
        @d
        def f(*args: P.args, **kwargs: P.kwargs) -> T:
            return function(*args, **kwargs)

        return f

    return outer(lambda *args, **kwargs: (args, kwargs))


def adds_argument(d: Any) -> Any:
    @d
    def f(function: Callable[Concatenate[int, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        return function(1, *args, **kwargs)

    return f


def never(d: Any) -> Any:
    @d
    def f(x: int) -> Never:  # type: ignore[misc]
        if x:
            raise KeyError(x)

    return f


def no_return(d: Any) -> Any:
    @d
    def f(x: int) -> NoReturn:  # type: ignore[misc]
        if x:
            raise KeyError(x)

    return f


def unreachable(d: Any) -> Any:
    @d
    def f(x: int | str, other: Never = None) -> None: ...  # type: ignore[assignment]

    return f


def raises(error: type[BaseException], call: Call) -> Call:
    """Call, and expect the function's own exception."""

    def run(function: Any) -> None:
        try:
            call(function)
        except error:
            return
        raise AssertionError("it did not raise")

    return run


def itself(d: Any) -> Any:
    class Node:
        @d
        def add(self, other: Self) -> Self:
            return self if other is not self else Node()

        @classmethod
        @d
        def make(cls, result: object) -> Self:
            return result  # type: ignore[return-value]

        @d
        def list(self, others: list[Self]) -> None: ...

    class Leaf(Node): ...

    return Node, Leaf


def class_and_methods(d: Any) -> Any:
    @d
    class Counter:
        start: int = 0

        def __init__(self, start: int = 0) -> None:
            self.start = start

        def up(self, by: int = 1) -> int:
            return self.start + by if by != 13 else "13"  # type: ignore[return-value]

        @property
        def twice(self) -> int:
            return self.start * 2 if self.start != 13 else None  # type: ignore[return-value]

        @twice.setter
        def twice(self, value: int) -> None:
            self.start = value

        @staticmethod
        def plain(text: str) -> str:
            return text

        @classmethod
        def named(cls, text: str) -> "Counter":
            return cls(len(text)) if text else None  # type: ignore[return-value]

        def __contains__(self, item: int) -> bool:
            return True

        def __getitem__(self, item: slice | int) -> int:
            return 1

        class Inner:
            def f(self, x: "Counter.Inner") -> None: ...

    return Counter


def generator(d: Any) -> Any:
    @d
    def f(*values: object) -> Generator[int, str, bytes]:
        sent = "x"
        for value in values:
            sent = yield value  # type: ignore[misc]
        return b"" if sent == "x" else sent  # type: ignore[return-value]

    return f


def drive(*values: object, send: object = "x") -> Call:
    def run(function: Any) -> object:
        made = function(*values)
        try:
            next(made)
            while True:
                made.send(send)
        except StopIteration as stop:
            return stop.value

    return run


def iterator(d: Any) -> Any:
    @d
    def f(values: Iterable[int]) -> Iterator[int]:
        yield from values

    return f


def async_generator(d: Any) -> Any:
    @d
    async def f(*values: object) -> AsyncGenerator[int, str]:
        for value in values:
            yield value  # type: ignore[misc]

    return f


def async_iterator(d: Any) -> Any:
    @d
    async def f(*values: object) -> AsyncIterator[int]:
        for value in values:
            yield value  # type: ignore[misc]

    return f


async def collect(made: Any) -> list[object]:
    return [value async for value in made]


def coroutine(d: Any) -> Any:
    @d
    async def f(x: object, delay: float = 0) -> int:
        await asyncio.sleep(delay)
        return x  # type: ignore[return-value]

    return f


def defaults(d: Any) -> Any:
    @d
    def f(x: int = None, *, y: str = 0) -> None: ...  # type: ignore[assignment]

    return f


def forward(d: Any) -> Any:
    space = {"decorate": d, "__name__": __name__}
    exec(_FORWARD, space)
    f: Any = space["f"]
    f.later = space["Later"]
    return f


_FORWARD = """
@decorate
def f(x: "Later", y: "list[Later] | None" = None) -> "Later": return x if y is None else y
class Later: ...
"""


def forward_in_method(d: Any) -> Any:
    class Node:
        @d
        def __init__(self, parent: "Node | None" = None, children: "list[Node]" = []) -> None: ...  # noqa: B006

    return Node


class Later:
    """Has the name of a local class."""


def forward_in_closure(d: Any) -> Any:
    @d
    def f(x: "Later") -> None:
        assert isinstance(x, Later)

    class Later: ...

    return f, Later


def partial_method(d: Any) -> Any:
    @d
    class Door:
        def move(self, way: str, by: int) -> None: ...

        open = functools.partialmethod(move, "in")

    return Door


def local_types(d: Any) -> Any:
    class Local: ...

    class Keys(TypedDict):
        one: "Local"
        many: "NotRequired[list[Local]]"

    class Spot(NamedTuple):
        at: "Local"

    @d
    def f(keys: "Keys", spot: "Spot | None" = None) -> None: ...

    return f, Local, Spot


def data(d: Any) -> Any:
    @d
    @dataclass
    class Order:
        count: int
        price: float = 0
        tags: list[str] = field(default_factory=list)
        factor: InitVar[int] = 1

        def __post_init__(self, factor: int) -> None:
            self.count *= factor

    return Order


def data_without_init(d: Any) -> Any:
    @d
    @dataclass(init=False, order=True)
    class Order:
        count: int

        def __init__(self, count: str) -> None:
            self.count = int(count)

    return Order


def named_tuple(d: Any) -> Any:
    @d
    class Spot(NamedTuple):
        x: int
        y: int = 0

        def moved(self, by: int) -> "Spot":
            return Spot(self.x + by, self.y)

    return Spot


def context_manager(d: Any) -> Any:
    @d
    @contextlib.contextmanager
    def f(x: int) -> Iterator[str]:
        yield "x" * x if x != 13 else 13  # type: ignore[misc]

    return f


def entering(*args: object) -> Call:
    def run(function: Any) -> None:
        with function(*args):
            pass

    return run


def every_kind(d: Any) -> Any:
    @d
    def f(a: int, /, b: str = "b", *rest: float, key: bytes = b"", **named: int | None) -> tuple[Any, ...]:
        return a, b, rest, key, named

    return f


def generic_protocol(d: Any) -> Any:
    class Store(Protocol[T]):
        def get(self, key: str) -> T: ...

        @property
        def size(self) -> int: ...

    class Good:
        size = 1

        def get(self, key: str) -> int:
            return 1

    class Bad:
        size = 1

        def get(self) -> int:
            return 1

    @d
    def f(store: Store[int]) -> None: ...

    return f, Good(), Bad()


def generic_class(d: Any) -> Any:
    class Stack(Generic[T]):
        def __init__(self, items: list[T]) -> None:
            self.items = items

        push = d(lambda self, item: None)

        @d
        def extend(self, other: "Stack[T]") -> "Stack[T]":
            return other

    return Stack


def literal_modes(d: Any) -> Any:
    @d
    def f(mode: Literal["r", "w"] = "r", level: Literal[0, 1, 2] = 0) -> Literal["ok"]:
        return "ok" if level != 2 else "bad"  # type: ignore[return-value]

    return f


CALLS: list[CallRow] = [
    CallRow(
        keywords,
        [lambda f: f(size=1), lambda f: f(size=1, name="x", tags=["a"])],
        [lambda f: f(), lambda f: f(size="1"), lambda f: f(size=1, name=2), lambda f: f(size=1, other=1)],
        KEYWORDS,
        [lambda f: f(size=1, tags=[1])],
    ),
    CallRow(
        more_keywords,
        [lambda f: f("x", size=1), lambda f: f("x", size=1, name=None)],
        [lambda f: f("x"), lambda f: f(1, size=1), lambda f: f("x", size=1, name=1), lambda f: f("x", name="n")],
        KEYWORDS,
    ),
    CallRow(plain_keywords, [lambda f: f(), lambda f: f(a=1, b=True)], [lambda f: f(a=1, b="x")], STRUCTURE),
    CallRow(
        fixed_arguments,
        [lambda f: f(1, "x")],
        [lambda f: f(), lambda f: f(1), lambda f: f("x", 1), lambda f: f(1, "x", 2)],
        ARGUMENTS,
    ),
    CallRow(
        open_arguments,
        [lambda f: f("a", 1), lambda f: f("a", 1, "x", "y")],
        [lambda f: f("a"), lambda f: f("a", "x"), lambda f: f(1, 1)],
        ARGUMENTS,
        [lambda f: f("a", 1, 2)],
    ),
    CallRow(any_arguments, [lambda f: f(), lambda f: f(0), lambda f: f(2, "x")], [lambda f: f(1)], ARGUMENTS),
    CallRow(spread, [lambda f: f(), lambda f: f(1, 2)], [], ARGUMENTS, [lambda f: f("x"), lambda f: f(1, "x")]),
    CallRow(
        same_kind,
        [lambda f: f("a", "b"), lambda f: f(b"a", b"b", b"c")],
        [lambda f: f("a", b"b"), lambda f: f(1, 2), lambda f: f("a", "b", b"c"), lambda f: f(b"a", b"b", b"bad")],
        CONSTRAINTS,
    ),
    CallRow(
        same_kind_inside,
        [lambda f: f("a"), lambda f: f("a", None), lambda f: f(b"a", b"b")],
        [lambda f: f("a", b"b"), lambda f: f(b"a", 1), lambda f: f(None)],
        CONSTRAINTS,
    ),
    CallRow(wrapper, [lambda f: f(), lambda f: f(1, x="y")], [], PARAM_SPEC),
    CallRow(
        adds_argument,
        [lambda f: f(lambda a: a), lambda f: f(lambda a, b: a, 2)],
        [lambda f: f(1), lambda f: f(lambda: 0)],
        PARAM_SPEC,
    ),
    CallRow(never, [raises(KeyError, lambda f: f(1))], [lambda f: f(0), lambda f: f("x")], NEVER),
    CallRow(no_return, [raises(KeyError, lambda f: f(1))], [lambda f: f(0)], NEVER),
    CallRow(unreachable, [lambda f: f(1), lambda f: f("x")], [lambda f: f(1, 1), lambda f: f(1.5)], NEVER),
    CallRow(
        itself,
        [
            lambda f: f[0]().add(f[0]()),
            lambda f: f[0]().add(f[1]()),
            lambda f: f[1]().add(f[1]()),
            lambda f: f[0].make(f[1]()),
        ],
        [
            lambda f: f[0]().add(1),
            lambda f: f[1]().add(f[0]()),
            lambda f: f[1].make(f[0]()),
            lambda f: f[0].make(None),
            lambda f: f[0].make(f[0]),
            lambda f: (lambda leaf: leaf.add(leaf))(f[1]()),
        ],
        SELF,
        [lambda f: f[1]().list([f[0]()])],
    ),
    CallRow(
        class_and_methods,
        [
            lambda f: f().up(),
            lambda f: f(3).up(by=2),
            lambda f: f(3).twice,
            lambda f: f.plain("x"),
            lambda f: f.named("abc").start,
            lambda f: 3 in f(),
            lambda f: f()[1:2],
            lambda f: setattr(f(), "twice", 2),
            lambda f: f.Inner().f(f.Inner()),
        ],
        [
            lambda f: f("0"),
            lambda f: f().up("1"),
            lambda f: f().up(13),
            lambda f: f(13).twice,
            lambda f: f.plain(1),
            lambda f: f().plain(None),
            lambda f: f.named(1),
            lambda f: f.named(""),
            lambda f: "x" in f(),
            lambda f: f()["x"],
            lambda f: setattr(f(), "twice", "2"),
            lambda f: f.Inner().f(f()),
        ],
        "a class' methods are functions with annotations of their own (annotations)",
    ),
    CallRow(
        generator,
        [drive(), drive(1, 2)],
        [drive("x"), drive(1, None), drive(1, send=b""), drive(1, send="y")],
        YIELD,
    ),
    CallRow(
        iterator,
        [lambda f: list(f([1, 2])), lambda f: list(f(iter([1])))],
        [lambda f: f(1), lambda f: list(f(iter(["x"]))), lambda f: list(f(iter([1, None])))],
        YIELD,
    ),
    CallRow(
        async_generator,
        [lambda f: asyncio.run(collect(f(1, 2)))],
        [lambda f: asyncio.run(collect(f(1, "x"))), lambda f: asyncio.run(collect(f(None)))],
        YIELD,
    ),
    CallRow(async_iterator, [lambda f: asyncio.run(collect(f(1)))], [lambda f: asyncio.run(collect(f("x")))], YIELD),
    CallRow(
        coroutine,
        [lambda f: asyncio.run(f(1)), lambda f: asyncio.run(f(1, 0.0))],
        [lambda f: asyncio.run(f("x")), lambda f: asyncio.run(f(1, "x"))],
        COROUTINE,
    ),
    CallRow(
        defaults,
        [lambda f: f(), lambda f: f(1, y="x")],
        [lambda f: f("x"), lambda f: f(y=1), lambda f: f(1, y=None)],
        DEFAULT,
    ),
    CallRow(
        forward,
        [lambda f: f(f.later())],
        [lambda f: f(1), lambda f: f(f.later(), [f.later()])],
        FORWARD,
    ),
    CallRow(
        forward_in_method,
        [lambda f: f(), lambda f: f(f(), [f()])],
        [lambda f: f(1), lambda f: f(None, (f(),))],
        FORWARD,
        [lambda f: f(None, [1])],
    ),
    CallRow(
        forward_in_closure,
        [lambda f: f[0](f[1]())],
        [lambda f: f[0](1), lambda f: f[0](Later())],
        FORWARD,
    ),
    CallRow(
        partial_method,
        [lambda f: f().open(1), lambda f: f().move("out", 1)],
        [lambda f: f().open("x"), lambda f: f().move(1, 1)],
        "a class' methods are functions with annotations of their own (annotations)",
    ),
    CallRow(
        local_types,
        [lambda f: f[0]({"one": f[1]()}), lambda f: f[0]({"one": f[1]()}, f[2](f[1]()))],
        [lambda f: f[0]({}), lambda f: f[0]([]), lambda f: f[0]({"one": f[1]()}, (f[1](),))],
        FORWARD,
        [
            lambda f: f[0]({"one": 1}),
            lambda f: f[0]({"one": f[1](), "many": [1]}),
            lambda f: f[0]({"one": f[1]()}, f[2](1)),
        ],
    ),
    CallRow(
        data,
        [lambda f: f(1), lambda f: f(1, 2, ["x"], 3), lambda f: f(count=1, factor=2)],
        [lambda f: f("1"), lambda f: f(1, "2"), lambda f: f(1, 2, "x"), lambda f: f(1, factor="2")],
        DATACLASS,
        [lambda f: f(1, 2, [3])],
    ),
    CallRow(data_without_init, [lambda f: f("1") < f("2")], [lambda f: f(1)], DATACLASS),
    CallRow(
        named_tuple,
        [lambda f: f(1), lambda f: f(1, y=2).moved(3)],
        [lambda f: f("x"), lambda f: f(1, None), lambda f: f(1).moved("x")],
        "a named tuple's fields are the parameters of its construction (named tuples)",
    ),
    CallRow(context_manager, [entering(1)], [entering("x"), entering(13)], YIELD),
    CallRow(
        every_kind,
        [lambda f: f(1), lambda f: f(1, "x", 2, 3.5, key=b"k", z=None, a=2)],
        [
            lambda f: f("1"),
            lambda f: f(1, 2),
            lambda f: f(1, b=2),
            lambda f: f(1, "x", 2, "3"),
            lambda f: f(1, key="k"),
            lambda f: f(1, z="z"),
            lambda f: f(1, a="a"),
        ],
        STRUCTURE,
    ),
    CallRow(
        generic_protocol,
        [lambda f: f[0](f[1])],
        [lambda f: f[0](f[2]), lambda f: f[0](1)],
        "a generic protocol is assignable by its members (protocols: generic protocols)",
    ),
    CallRow(
        generic_class,
        [lambda f: f([1]).extend(f([])), lambda f: f([1]).push("x")],
        [lambda f: f([1]).extend([1])],
        SCOPE,
    ),
    CallRow(
        literal_modes,
        [lambda f: f(), lambda f: f("w", 1)],
        [lambda f: f("x"), lambda f: f("r", True), lambda f: f("r", 3), lambda f: f("r", 2)],
        "exactly that value, and of that type (literals: semantics)",
    ),
]

CALLS += scopes.ROWS
