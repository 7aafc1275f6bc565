"""Reads annotations: what each form of the typing specification accepts, as a description.

In: annotations as objects. Out: a description for each, whose kinds are listed in `_descriptions`. What has parts of
its own (protocols, typed dicts, tuples, callables) is read in `_structures`.

Invariants:
- Reading never fails because of an annotation; what can't be checked is a gap in words and the widest description
  that is surely right.
- typing is not imported: a form of typing that comes here shows its kind by the name of its class.
"""

from __future__ import annotations

from castiron import _structures
from castiron._descriptions import ANY, NEVER, NONE, PLAIN, Member, class_text, reference
from castiron._hints import Unresolved, around_class, enclosing, value_of
from castiron._structures import TYPING, is_unpacked
from castiron._words import hint_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import FunctionType
    from typing import Any

    from castiron._descriptions import Description

MAX_DEPTH = 40

#: What the arguments of a generic class say of its elements.
ITEMS = frozenset(
    {"builtins.list", "builtins.set", "builtins.frozenset", "collections.deque"}
    | {"collections.abc." + name for name in ("Iterable", "Collection", "Container", "Reversible", "Sequence")}
    | {"collections.abc." + name for name in ("MutableSequence", "Set", "MutableSet", "KeysView", "ValuesView")}
)
ENTRIES = frozenset(
    {"builtins.dict", "collections.defaultdict", "collections.OrderedDict", "types.MappingProxyType"}
    | {"collections.abc." + name for name in ("Mapping", "MutableMapping", "ItemsView")}
)


class Pending:
    """A name that is not defined yet: its text, why not, and where else than at the function to look it up."""

    __slots__ = ("deep", "found", "module", "reason", "strict", "text")

    def __init__(self, text: str, reason: str, deep: bool, strict: bool, module: str | None) -> None:
        self.text = text
        self.reason = reason
        self.deep = deep
        self.strict = strict
        self.module = module
        self.found: tuple[Description, list[str]] | None = None

    def look(self, function: Any, first: object = None) -> Description | None:
        """Give the description if the name is defined by now; `first` is the first argument of the running call."""
        if self.found is None:
            names = {} if self.module is not None else _names_of_class(function, first)
            hint = value_of(self.text, self.module, function, names)
            if type(hint) is Unresolved:
                self.reason = hint.reason
                return None
            reader = Reader(function, self.deep, self.strict, names)
            reader.module = self.module
            described = reader.read(hint)
            if described[0] == "pending" and described[1].text == self.text:  # an alias of what is still unknown
                self.reason = described[1].reason
                return None
            self.found = (described, reader.gaps)
        return self.found[0]


def _names_of_class(function: Any, first: object) -> dict[str, object]:
    """Give what the class of a method adds to the names that the method sees: itself and its type parameters."""
    qualname = function.__qualname__.rpartition(".")[0]
    kind = first if isinstance(first, type) else type(first)
    for base in type.mro(kind) if kind is not type else ():
        if base.__qualname__ == qualname and base.__module__ == function.__module__:
            parameters = getattr(base, "__type_params__", ())
            return {base.__name__: base, **{parameter.__name__: parameter for parameter in parameters}}
    return {}


def read_all(
    function: FunctionType, annotations: Mapping[str, object], deep: bool, strict: bool
) -> dict[str, tuple[Description, list[str]]]:
    """Describe all annotations of a function: for each name the description and what it leaves unchecked.

    >>> def f(a: int, b: int | None): ...
    >>> read_all(f, f.__annotations__, False, False)["b"][0]
    ('union', (('class', <class 'int'>, 'int'), ('class', <class 'NoneType'>, 'None')))
    """
    reader: Reader | None = None
    found = {}
    for name, hint in annotations.items():
        plain = PLAIN.get(hint) if type(hint) is type and not strict else None
        if plain is not None:
            found[name] = (plain, _NO_GAPS)
            continue
        if reader is None:
            reader = Reader(function, deep, strict)
        reader.gaps = []
        found[name] = (reader.read(hint), reader.gaps)
    return found


def read_one(hint: object, function: Any, deep: bool, strict: bool) -> tuple[Description, list[str]]:
    """Describe one annotation of a function."""
    reader = Reader(function, deep, strict)
    return reader.read(hint), reader.gaps


_NO_GAPS: list[str] = []


class _Opened:
    """An alias that is being read: its cell, and how many containers it began in."""

    __slots__ = ("cell", "level", "used")

    def __init__(self, level: int) -> None:
        self.cell: list[Any] = [None]
        self.level = level
        self.used = False


class Reader:
    """Reads the annotations of one function."""

    def __init__(
        self, function: Any, deep: bool = False, strict: bool = False, names: Mapping[str, object] | None = None
    ) -> None:
        self.function = function
        self.deep = deep
        self.strict = strict
        self.names = names
        self.gaps: list[str] = []
        #: Where names are looked up while the members of a class are read.
        self.module: str | None = None
        self.locals: Mapping[str, object] = {}
        self.depth = 0
        self.level = 0
        self.opened: dict[object, _Opened] = {}
        self.parameters: dict[object, Any] = {}
        self.constrained: dict[object, int] = {}
        self.kept: list[object] = []

    def read(self, hint: Any) -> Description:
        """Describe an annotation."""
        if self.depth >= MAX_DEPTH:
            return self.gap(hint, "nests too deeply")
        self.depth += 1
        try:
            return self._read(hint)
        except RecursionError:
            raise
        except Exception as error:  # forms of foreign libraries may fail at any attribute
            return self.gap(hint, f"can't be read: {type(error).__name__}: {error}")
        finally:
            self.depth -= 1

    def inside(self, hint: Any) -> Description:
        """Describe an annotation of what a container holds."""
        self.level += 1
        try:
            return self.read(hint)
        finally:
            self.level -= 1

    def gap(self, hint: object, reason: str) -> Description:
        """Record that nothing is checked, and why."""
        self.gaps.append(f"{hint_text(hint)}: {reason}")
        return ANY

    def _read(self, hint: Any) -> Description:
        if hint is None:
            return NONE
        if isinstance(hint, type):
            return self.of_class(hint)
        if isinstance(hint, str):
            return self.of_text(str(hint), self.module)
        if type(hint) is Unresolved:
            return ("pending", Pending(hint.text, hint.reason, self.deep, self.strict, self.module))
        form = _FORMS.get(type(hint).__name__)
        if form is not None:
            return form(self, hint)
        origin = getattr(hint, "__origin__", None)
        if origin is None:
            return self.of_special(hint)
        if is_unpacked(hint):
            return _structures.unpacked(self, hint)
        if isinstance(origin, type) and type(origin).__name__ != "TypeAliasType":
            return self.of_generic(hint, origin)
        return self.of_special_alias(hint, origin)

    # Texts

    def of_text(self, text: str, module: str | None) -> Description:
        """Describe what the text of an annotation means, now or later."""
        if self.names is None and module is None and self.function is not None:
            self.names = enclosing(self.function)
        names = self.names if module is None else self.locals
        hint = value_of(text, module, self.function, names or {})
        if type(hint) is Unresolved:
            return ("pending", Pending(text, hint.reason, self.deep, self.strict, module))
        if hint is None or isinstance(hint, type):
            return self.read(hint)
        self.kept.append(hint)
        return self.opening(id(hint), text, lambda: self.read(hint))

    def of_forward_reference(self, hint: Any) -> Description:
        """`ForwardRef("name")`."""
        module = getattr(hint, "__forward_module__", None)
        module = getattr(module, "__name__", module)
        return self.of_text(hint.__forward_arg__, module if isinstance(module, str) else self.module)

    def in_class(self, kind: type, read: Callable[[], Any]) -> Any:
        """Read annotations that stand in the body of a class."""
        outer = self.module, self.locals
        self.module, self.locals = kind.__module__, around_class(kind)
        try:
            return read()
        finally:
            self.module, self.locals = outer

    def opening(self, key: object, text: str, read: Callable[[], Description]) -> Description:
        """Describe what may contain itself."""
        opened = self.opened.get(key)
        if opened is not None:
            if opened.level == self.level:
                return NEVER
            opened.used = True
            return ("alias", text, opened.cell)
        opened = self.opened[key] = _Opened(self.level)
        try:
            described = opened.cell[0] = read()
        finally:
            del self.opened[key]
        return ("alias", text, opened.cell) if opened.used else described

    # Classes

    def of_class(self, kind: type) -> Description:
        """A class without arguments."""
        if self.strict and kind in (int, float, complex):
            return ("int",) if kind is int else ("class", kind, kind.__name__)
        plain = PLAIN.get(kind) if type(kind) is type else None
        return plain or self.of_special_class(kind) or ("class", reference(kind), class_text(kind))

    def of_special_class(self, kind: Any) -> Description | None:
        """Classes whose instances `isinstance` does not tell."""
        if kind.__module__ in TYPING:
            name = kind.__name__
            if name == "Any":
                return ANY
            if name in ("IO", "TextIO", "BinaryIO"):
                return ("file", {"TextIO": "str", "BinaryIO": "bytes"}.get(name), name)
            if name in ("Generic", "Protocol"):
                return self.gap(kind, "is no type")
        if type(kind).__name__ == "_TypedDictMeta":
            return _structures.typed_dict(self, kind, class_text(kind))
        if getattr(kind, "_is_protocol", False):
            return _structures.protocol(self, kind, class_text(kind))
        if kind.__module__ == "collections.abc" and kind.__name__ == "Callable":
            return ("callable", None, False, "Callable")
        if self.deep and issubclass(kind, tuple) and hasattr(kind, "_fields"):
            return _structures.named_tuple(self, kind, class_text(kind))
        return None

    # Generic classes

    def of_generic(self, hint: Any, origin: Any) -> Description:
        """`origin[args]`, or a bare alias such as `typing.List`."""
        args = getattr(hint, "__args__", None)
        if args is None:
            return self.of_class(origin)
        if origin is tuple:
            return _structures.tuple_of(self, args)
        if origin is type:
            return ("type", self.read(args[0]))
        name = f"{origin.__module__}.{origin.__qualname__}"
        if name == "collections.abc.Callable":
            return _structures.callable_of(self, hint, args)
        if name in ("numpy.ndarray", "numpy.dtype"):
            return _structures.array(self, hint, origin, args)
        text = hint_text(hint)
        if origin.__module__ in TYPING and origin.__name__ == "IO":
            return ("file", {str: "str", bytes: "bytes"}.get(args[0]), text)
        whole = self.of_generic_class(origin, args, text)
        if not self.deep:
            return whole
        if name in ITEMS and args:
            item = self.inside(args[0])
            return whole if item[0] == "any" else ("items", whole, item)
        if name in ENTRIES and len(args) == 2:
            key, value = self.inside(args[0]), self.inside(args[1])
            return whole if key[0] == value[0] == "any" else ("entries", whole, key, value)
        if name == "collections.Counter" and args:
            return ("entries", whole, self.inside(args[0]), self.read(int))
        return whole

    def of_generic_class(self, origin: Any, args: tuple[Any, ...], text: str) -> Description:
        """The class of `origin[args]`; what it says of its elements is another matter."""
        is_typed_dict = type(origin).__name__ == "_TypedDictMeta"
        if is_typed_dict or (self.deep and issubclass(origin, tuple) and hasattr(origin, "_fields")):
            read = _structures.typed_dict if is_typed_dict else _structures.named_tuple
            found: Description | None = self.substituting(origin, args, lambda: read(self, origin, text))
            if found is not None:
                return found
        if getattr(origin, "_is_protocol", False):
            return _structures.protocol(self, origin, text)
        return ("class", reference(origin), text)

    def substituting(self, origin: Any, args: Any, read: Callable[[], Any]) -> Any:
        """Read the parts of a generic class or alias with its parameters standing for the arguments."""
        parameters: Any = getattr(origin, "__type_params__", None) or getattr(origin, "__parameters__", ())
        outer = self.parameters
        self.parameters = self.bind(parameters, args)
        try:
            return read()
        finally:
            self.parameters = outer

    def bind(self, parameters: tuple[Any, ...], args: tuple[Any, ...]) -> dict[object, Any]:
        """Pair type parameters with what the arguments describe."""
        kinds = [type(parameter).__name__ for parameter in parameters]
        bound: dict[object, Any] = {}
        if "TypeVarTuple" in kinds:
            at = kinds.index("TypeVarTuple")
            behind = len(kinds) - at - 1
            bound[parameters[at]] = tuple(args[at : len(args) - behind])
            parameters = parameters[:at] + parameters[at + 1 :]
            args = args[:at] + args[len(args) - behind :]
        for parameter, arg in zip(parameters, args, strict=False):
            if type(parameter).__name__ == "TypeVar":
                bound[parameter] = self.inside(arg)
        return bound

    # Forms that are no classes

    def of_union(self, hint: Any) -> Description:
        """`A | B`, `Union[A, B]`, `Optional[A]`."""
        return self.union_of(hint.__args__)

    def union_of(self, hints: tuple[Any, ...]) -> Description:
        """One of several."""
        members: list[Description] = []
        for hint in hints:
            member = self.read(hint)
            if member[0] == "any":
                return ANY
            if member[0] == "union":
                members.extend(member[1])
            elif member[0] != "never":
                members.append(member)
        if not members:
            return NEVER
        return members[0] if len(members) == 1 else ("union", tuple(members))

    def of_type_variable(self, hint: Any) -> Description:
        """A type variable: what it stands for, its bound, or one of its constraints."""
        bound = self.parameters.get(hint)
        if bound is not None:
            return bound if bound and isinstance(bound[0], str) else ANY
        # Evaluated only when they are asked for, and then they may fail.
        if hint.__constraints__:
            number = self.constrained.setdefault(hint, len(self.constrained))
            choices = tuple(self.read(choice) for choice in hint.__constraints__)
            return ("constrained", number, choices, hint.__name__)
        return ANY if hint.__bound__ is None else self.read(hint.__bound__)

    def of_alias(self, hint: Any) -> Description:
        """A `type` statement's alias."""
        key = (id(hint), *map(id, self.parameters.values()))
        module, self.module = self.module, None
        try:
            value = hint.__value__
        except NameError as error:  # a name behind the alias; it can be asked again by its own name
            return ("pending", Pending(hint.__name__, str(error), self.deep, self.strict, None))
        try:
            return self.opening(key, hint.__name__, lambda: self.read(value))
        finally:
            self.module = module

    def of_special_alias(self, hint: Any, origin: Any) -> Description:
        """`Form[args]` where the form is no class."""
        args = hint.__args__
        if type(origin).__name__ == "TypeAliasType":
            found: Description = self.substituting(origin, args, lambda: self.of_alias(origin))
            return found
        name = getattr(origin, "_name", None)
        if name in ("Union", "Optional"):
            return self.union_of(args)
        if name == "Literal":
            return self.of_literal(hint)
        if name in ("Final", "ClassVar", "Required", "NotRequired", "ReadOnly", "Annotated") and args:
            return self.read(args[0])
        if name in ("TypeGuard", "TypeIs"):
            return self.read(bool)
        if name == "TypeForm" or name == "Concatenate":
            return ANY
        return self.gap(hint, "is not checked")

    def of_literal(self, hint: Any) -> Description:
        """`Literal[...]`: an equal value of the same class; of enumerations the very member."""
        return ("literal", tuple(Member.of(value) for value in hint.__args__))

    def of_special(self, hint: Any) -> Description:
        """A form of typing without arguments, or no annotation at all."""
        if type(hint).__module__ in TYPING:
            name = getattr(hint, "_name", None) or getattr(hint, "__name__", None)
            if name in ("Any", "Final", "ClassVar", "TypeAlias", "Concatenate", "Unpack", "Optional"):
                return ANY
            if name in ("NoReturn", "Never"):
                return NEVER
            if name == "LiteralString":
                return self.read(str)
            if name in ("TypeGuard", "TypeIs"):
                return self.read(bool)
            if name == "Self":
                return ("self",)
            return self.gap(hint, "is not checked")
        if (
            type(hint).__module__ == "numpy.dtypes"
        ):  # `NDArray[np.dtype("f8")]`: a dtype in the place of its scalar type
            return self.read(hint.type)
        lock = _structures.lock(hint)
        return lock if lock is not None else self.gap(hint, "is no type that can be checked")


_FORMS: dict[str, Callable[[Reader, Any], Description]] = {
    "UnionType": Reader.of_union,
    "_UnionGenericAlias": Reader.of_union,
    "_LiteralGenericAlias": Reader.of_literal,
    "Sentinel": lambda reader, hint: ("literal", (hint,)),
    "sentinel": lambda reader, hint: ("literal", (hint,)),
    "NewType": lambda reader, hint: reader.read(hint.__supertype__),
    "TypeVar": Reader.of_type_variable,
    "ParamSpec": lambda reader, hint: ANY,
    "ParamSpecArgs": lambda reader, hint: ANY,
    "ParamSpecKwargs": lambda reader, hint: ANY,
    "TypeVarTuple": _structures.unpacked,
    "ForwardRef": Reader.of_forward_reference,
    "InitVar": lambda reader, hint: reader.read(hint.type),
    "TypeAliasType": Reader.of_alias,
    "_AnnotatedAlias": lambda reader, hint: reader.read(hint.__origin__),
    "_UnpackGenericAlias": _structures.unpacked,
    "_UnpackAlias": _structures.unpacked,
}
