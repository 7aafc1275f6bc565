"""Reads annotations: what each form of the typing specification accepts, as a description.

In: annotations as objects. Out: a description for each, made of tuples; the first item names its kind:

    any · never · int (no bool) · float (or int) · complex (or float, int) · self (the class of the first argument)
    class, reference, text              an instance
    union, descriptions                 one of them
    tuple, descriptions                 a tuple of exactly these items
    star, before, item, after           a tuple with any number of items between fixed ones
    items, whole, item                  a container; its elements where they can be seen
    entries, whole, key, value          the same of a mapping
    literal, values                     equal and of the same class; of enumerations (reference, name, text) of a Member
    type, description                   a class whose instances it takes
    callable, count, more, text         takes `count` positional arguments (None: any); `more`: and perhaps others
    protocol, reference, text, names, methods, is_runtime
    typeddict, text, required, cell     cell: [None] or [{key: description}, extra description or None]
    fields, whole, descriptions         a named tuple
    constrained, number, descriptions, text
    alias, text, cell                   cell: [description], for what contains itself
    array, reference, scalar, dimensions, text · dtype, reference, scalar, text · file, kind, text
    pending, Pending                    a name that is not defined yet
    whole, description                  of *args or **kwargs: said of the tuple or dict itself

The native plan is compiled from descriptions, `_checks` runs them in Python and says what breaks them.

Invariants:
- Reading never fails because of an annotation; what can't be checked is a gap in words and the widest description
  that is surely right.
- A description owns no class made by a class statement, no function and no module: such classes are weakly held.
- typing is not imported: a form of typing that comes here shows its kind by the name of its class.
"""

from __future__ import annotations

import sys
from _weakref import ref

from castiron._hints import Unresolved, enclosing, evaluate, evaluate_in
from castiron._words import hint_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import FunctionType
    from typing import Any, TypeAlias

    Description: TypeAlias = tuple[Any, ...]

MAX_DEPTH = 40
HEAP = 1 << 9

ANY: Description = ("any",)
NEVER: Description = ("never",)
NONE: Description = ("class", type(None), "None")

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
#: What stands in a protocol's namespace without being a member.
NO_MEMBERS = frozenset({
    "__abstractmethods__", "__annotations__", "__dict__", "__doc__", "__init__", "__module__", "__new__", "__slots__",
    "__subclasshook__", "__weakref__", "__class_getitem__", "__match_args__", "__static_attributes__",
    "__firstlineno__", "__orig_bases__", "__orig_class__", "__parameters__", "__type_params__", "__protocol_attrs__",
    "__non_callable_proto_members__", "__callable_proto_members_only__", "__final__", "_is_protocol",
    "_is_runtime_protocol", "_MutableMapping__marker",
})  # fmt: skip


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
            hint = _value_of(self.text, self.module, function, names)
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


class Member:
    """A member of an enumeration, which it does not keep alive."""

    __slots__ = ("kind", "name", "text")

    def __init__(self, kind: type, name: str) -> None:
        self.kind = ref(kind)
        self.name = name
        self.text = f"{kind.__qualname__}.{name}"

    @staticmethod
    def of(value: Any) -> object:
        """Give what stands for the value in a description."""
        kind = type(value)
        name = getattr(value, "_name_", None)
        is_member = kind.__flags__ & HEAP and getattr(kind, "_member_map_", {}).get(name) is value
        return Member(kind, str(name)) if is_member else value

    def get(self) -> object:
        """Give the member; while its class lives it lives too."""
        kind: Any = self.kind()
        return None if kind is None else kind._member_map_.get(self.name)

    def __eq__(self, other: object) -> bool:
        return type(other) is Member and self.kind is other.kind and self.name == other.name

    def __hash__(self) -> int:
        return hash(self.name)


def _names_of_class(function: Any, first: object) -> dict[str, object]:
    """Give what the class of a method adds to the names that the method sees: itself and its type parameters."""
    qualname = function.__qualname__.rpartition(".")[0]
    kind = first if isinstance(first, type) else type(first)
    for base in type.mro(kind) if kind is not type else ():
        if base.__qualname__ == qualname and base.__module__ == function.__module__:
            parameters = getattr(base, "__type_params__", ())
            return {base.__name__: base, **{parameter.__name__: parameter for parameter in parameters}}
    return {}


def _value_of(text: str, module: str | None, function: Any, names: Mapping[str, object]) -> object:
    if module is not None:
        return evaluate_in(text, vars(sys.modules[module]) if module in sys.modules else {}, names)
    if function is None:
        return Unresolved(text, "nowhere to look the name up")
    return evaluate(text, function, names)


def reference(kind: type) -> object:
    """Give what stands for a class: itself if it lives for ever, else a weak reference."""
    return ref(kind) if kind.__flags__ & HEAP else kind


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
        plain = _plain.get(hint) if type(hint) is type and not strict else None
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
_plain: dict[object, Description] = {
    kind: ("class", kind, kind.__name__) for kind in (int, str, bool, bytes, list, dict, tuple, set, frozenset, type)
}
_plain[float] = ("float",)
_plain[complex] = ("complex",)
_plain[object] = ANY
_plain[type(None)] = NONE


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
        if isinstance(hint, type) and getattr(hint, "__origin__", None) is None:
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
        if _is_unpacked(hint):
            return self.of_unpacked(hint)
        if isinstance(origin, type) and type(origin).__name__ != "TypeAliasType":
            return self.of_generic(hint, origin)
        return self.of_special_alias(hint, origin)

    # Texts

    def of_text(self, text: str, module: str | None) -> Description:
        """Describe what the text of an annotation means, now or later."""
        if self.names is None and module is None and self.function is not None:
            self.names = enclosing(self.function)
        hint = _value_of(text, module, self.function, self.names or {})
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
        plain = _plain.get(kind) if type(kind) is type else None
        return plain or self.of_special_class(kind) or ("class", reference(kind), class_text(kind))

    def of_special_class(self, kind: Any) -> Description | None:
        """Classes whose instances `isinstance` does not tell."""
        if kind.__module__ in _TYPING:
            name = kind.__name__
            if name == "Any":
                return ANY
            if name in ("IO", "TextIO", "BinaryIO"):
                return ("file", {"TextIO": "str", "BinaryIO": "bytes"}.get(name), name)
            if name in ("Generic", "Protocol"):
                return self.gap(kind, "is no type")
        if type(kind).__name__ == "_TypedDictMeta":
            return self.of_typed_dict(kind, class_text(kind))
        if getattr(kind, "_is_protocol", False):
            return self.of_protocol(kind, class_text(kind))
        if kind.__module__ == "collections.abc" and kind.__name__ == "Callable":
            return ("callable", None, False, "Callable")
        if self.deep and issubclass(kind, tuple) and hasattr(kind, "_fields"):
            return self.of_named_tuple(kind, class_text(kind))
        return None

    def of_protocol(self, kind: Any, text: str) -> Description:
        """A protocol: `isinstance` where it may be asked, else the members."""
        names = sorted(_members_of(kind))
        data = {name for name in names if not callable(getattr(kind, name, None))}
        methods = frozenset(names) - data
        runtime = getattr(kind, "_is_runtime_protocol", False)
        return ("protocol", reference(kind), text, tuple(names), methods, runtime)

    def of_typed_dict(self, kind: Any, text: str) -> Description:
        """A dict with required keys; the values are looked at where all elements are."""
        required = set(kind.__required_keys__)
        hints: dict[str, Any] = kind.__annotations__
        module, self.module = self.module, kind.__module__
        try:
            for key, hint in hints.items():
                needed = self.requirement_of(hint)
                if needed is not None:
                    (required.add if needed else required.discard)(key)
            if not self.deep:
                return ("typeddict", text, tuple(sorted(required)), [None])
            read = lambda: ("typeddict", text, tuple(sorted(required)), self.values_of(kind, hints))  # noqa: E731
            return self.opening((id(kind), *map(id, self.parameters.values())), text, read)
        finally:
            self.module = module

    def requirement_of(self, hint: Any) -> bool | None:
        """Tell whether `Required` or `NotRequired` stands around a key's annotation; None where neither does."""
        if type(hint).__name__ == "ForwardRef" and "Required" in hint.__forward_arg__:
            hint = _value_of(hint.__forward_arg__, self.module, None, {})
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

    def values_of(self, kind: Any, hints: Mapping[str, Any]) -> list[Any]:
        """Describe the values of a TypedDict's keys, and those of keys that it does not name."""
        values = {key: self.inside(hint) for key, hint in hints.items()}
        extra: Description | None = None
        if getattr(kind, "__closed__", None):
            extra = NEVER
        else:
            items = getattr(kind, "__extra_items__", None)
            if items is not None and type(items).__name__ not in ("NoExtraItems", "_NoExtraItemsType"):
                extra = self.inside(items)
        return [values, extra]

    def of_named_tuple(self, kind: Any, text: str) -> Description | None:
        """A named tuple with annotated fields."""
        hints = getattr(kind, "__annotations__", {})
        if not hints or not all(field in hints for field in kind._fields):
            return None
        module, self.module = self.module, kind.__module__
        try:
            fields = tuple(self.inside(hints[field]) for field in kind._fields)
        finally:
            self.module = module
        return ("fields", ("class", reference(kind), text), fields)

    # Generic classes

    def of_generic(self, hint: Any, origin: Any) -> Description:
        """`origin[args]`, or a bare alias such as `typing.List`."""
        args = getattr(hint, "__args__", None)
        if args is None:
            return self.of_class(origin)
        if origin is tuple:
            return self.of_tuple(args)
        if origin is type:
            return ("type", self.read(args[0]))
        name = f"{origin.__module__}.{origin.__qualname__}"
        if name == "collections.abc.Callable":
            return self.of_callable(hint, args)
        if name in ("numpy.ndarray", "numpy.dtype"):
            return self.of_array(hint, origin, args)
        text = hint_text(hint)
        if origin.__module__ in _TYPING and origin.__name__ == "IO":
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
            with_arguments = self.of_typed_dict if is_typed_dict else self.of_named_tuple
            found: Description | None = self.substituting(origin, args, lambda: with_arguments(origin, text))
            if found is not None:
                return found
        if getattr(origin, "_is_protocol", False):
            return self.of_protocol(origin, text)
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

    def of_tuple(self, args: tuple[Any, ...]) -> Description:
        """`tuple[...]`: fixed items, any number of one kind, or one unpacked tuple among fixed items."""
        if len(args) == 2 and args[1] is Ellipsis:
            whole: Description = ("class", tuple, f"tuple[{hint_text(args[0])}, ...]")
            item = self.inside(args[0]) if self.deep else ANY
            return whole if item[0] == "any" else ("items", whole, item)
        if args == ((),):
            return ("tuple", ())
        before: list[Description] = []
        middle: Description | None = None
        after: list[Description] = []
        for arg in args:
            into = before if middle is None else after
            if not _is_unpacked(arg):
                into.append(self.inside(arg))
                continue
            inner = self.of_unpacked(arg)[1]
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

    def of_unpacked(self, hint: Any) -> Description:
        """`*tuple[...]`, `*Ts`, `Unpack[...]`: what is said of the whole of the arguments."""
        kind = type(hint).__name__
        if kind in ("_UnpackGenericAlias", "_UnpackAlias"):
            inner = hint.__args__[0]
            if type(inner).__name__ == "TypeVarTuple":
                hint = inner
            elif type(inner).__name__ == "_TypedDictMeta" or hasattr(inner, "__required_keys__"):
                return ("whole", self.of_keywords(inner))
            else:
                return ("whole", self.read(inner))
        if type(hint).__name__ == "TypeVarTuple" or not hasattr(hint, "__args__"):
            bound = self.parameters.get(hint)
            return ("whole", self.of_tuple(bound) if bound is not None else ("class", tuple, "tuple"))
        if hint.__origin__ is tuple:
            return ("whole", self.of_tuple(hint.__args__))
        name = getattr(hint.__origin__, "__name__", "")
        if type(hint.__args__[0]).__name__ == "TypeVarTuple" or name != "tuple":
            return ("whole", ("class", tuple, "tuple"))
        return ("whole", self.gap(hint, "an unpacked type is not checked"))

    def of_keywords(self, kind: Any) -> Description:
        """`**kwargs: Unpack[TD]`: each value is checked as a parameter's is, and no other keyword fits."""
        origin = getattr(kind, "__origin__", kind)
        deep, self.deep = self.deep, True
        try:
            read = lambda: self.of_typed_dict(origin, class_text(origin))  # noqa: E731
            if not deep:
                read = lambda: self.shallow_values(origin)  # noqa: E731
            described: Description = self.substituting(origin, getattr(kind, "__args__", ()), read)
        finally:
            self.deep = deep
        if described[0] != "typeddict":
            return described
        values, extra = described[3]
        return (*described[:3], [values, NEVER if extra is None else extra])

    def shallow_values(self, kind: Any) -> Description:
        """A TypedDict whose values are looked at, but not what is in them."""
        self.deep = False
        described = self.of_typed_dict(kind, class_text(kind))
        module, self.module = self.module, kind.__module__
        try:
            return (*described[:3], self.values_of(kind, kind.__annotations__))
        finally:
            self.module = module

    def of_callable(self, hint: Any, args: tuple[Any, ...]) -> Description:
        """`Callable[[...], result]`."""
        text = hint_text(hint)
        kind = type(args[0]).__name__ if args else "ellipsis"
        if kind in ("ellipsis", "ParamSpec"):
            return ("callable", None, False, text)
        if kind == "_ConcatenateGenericAlias":
            return ("callable", len(args[0].__args__) - 1, True, text)
        parameters = args[:-1]
        if any(_is_unpacked(parameter) for parameter in parameters):
            return ("callable", None, False, text)
        return ("callable", len(parameters), False, text)

    def of_array(self, hint: Any, origin: type, args: tuple[Any, ...]) -> Description:
        """An array: `ndarray[shape, dtype[scalar]]` and `dtype[scalar]`."""
        text = hint_text(hint)
        if origin.__name__ == "dtype":
            return ("dtype", reference(origin), self.inside(args[0]), text)
        scalar, dimensions = ANY, None
        if len(args) > 1:
            inner = getattr(args[1], "__args__", None)
            name = getattr(getattr(args[1], "__origin__", None), "__name__", "")
            if name == "dtype" and inner:
                scalar = self.inside(inner[0])
            elif type(args[1]).__name__ == "TypeVar":
                bound = self.parameters.get(args[1])
                scalar = bound[2] if bound is not None and bound[0] == "dtype" else ANY
        shape = getattr(args[0], "__args__", None)
        if getattr(args[0], "__origin__", None) is tuple and shape is not None and Ellipsis not in shape:
            dimensions = None if any(_is_unpacked(part) for part in shape) else len(shape)
        if scalar[0] == "any" and dimensions is None:
            return ("class", reference(origin), text)
        return ("array", reference(origin), scalar, dimensions, f"ndarray of {_scalar_text(scalar, text)}")

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
        if type(hint).__module__ in _TYPING:
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
        return self.gap(hint, "is no type that can be checked")


_TYPING = ("typing", "typing_extensions")

_FORMS: dict[str, Callable[[Reader, Any], Description]] = {
    "UnionType": Reader.of_union,
    "_UnionGenericAlias": Reader.of_union,
    "_LiteralGenericAlias": Reader.of_literal,
    "NewType": lambda reader, hint: reader.read(hint.__supertype__),
    "TypeVar": Reader.of_type_variable,
    "ParamSpec": lambda reader, hint: ANY,
    "ParamSpecArgs": lambda reader, hint: ANY,
    "ParamSpecKwargs": lambda reader, hint: ANY,
    "TypeVarTuple": Reader.of_unpacked,
    "ForwardRef": Reader.of_forward_reference,
    "InitVar": lambda reader, hint: reader.read(hint.type),
    "TypeAliasType": Reader.of_alias,
    "_AnnotatedAlias": lambda reader, hint: reader.read(hint.__origin__),
    "_UnpackGenericAlias": Reader.of_unpacked,
    "_UnpackAlias": Reader.of_unpacked,
}


def class_text(kind: type) -> str:
    """Name a class as messages do."""
    return "None" if kind is type(None) else kind.__qualname__


def _members_of(kind: Any) -> set[str]:
    """Name the members of a protocol, inherited ones included."""
    names: set[str] = set()
    for base in kind.__mro__[:-1]:
        if base.__name__ in ("Protocol", "Generic") and base.__module__ in _TYPING:
            continue
        names.update(base.__dict__, getattr(base, "__annotations__", ()))
    return {name for name in names if name not in NO_MEMBERS and not name.startswith("_abc_")}


def _item_of(described: Description) -> Description:
    """Give what an unpacked tuple of any length holds."""
    found: Description = described[2] if described[0] == "items" else ANY
    return found


def _scalar_text(scalar: Description, text: str) -> str:
    return str(scalar[2]) if scalar[0] == "class" else text


def _is_unpacked(hint: Any) -> bool:
    """Tell `*tuple[...]`, `*Ts` and `Unpack[...]`."""
    kind = type(hint).__name__
    return kind in ("TypeVarTuple", "_UnpackGenericAlias", "_UnpackAlias") or (
        kind in ("GenericAlias", "_GenericAlias") and getattr(hint, "__unpacked__", False) is True
    )
