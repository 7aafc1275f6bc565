"""Resolves a function's annotations to objects.

In: a function. Out: its annotations with every string evaluated where the function was defined. Neither typing nor
inspect is imported, and nothing is evaluated that is an object already.

Invariants: resolving never raises because of an annotation; what can't be evaluated is an `Unresolved` with its reason.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import CodeType, FrameType, FunctionType

#: The builtin classes whose exact instances compiled code can hold unboxed, by name.
EXACT_BUILTINS: Mapping[str, type] = {"int": int, "float": float, "bool": bool, "tuple": tuple}


class Unresolved:
    """An annotation, or a part of one, that could not be evaluated: its text, and why."""

    __slots__ = ("reason", "text")

    def __init__(self, text: str, reason: str) -> None:
        self.text = text
        self.reason = reason

    def __repr__(self) -> str:
        return f"<unresolved annotation {self.text!r}: {self.reason}>"


class _Unannotated:
    """The result of a function that does not annotate it."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "UNANNOTATED"


UNANNOTATED = _Unannotated()


class ResolvedHints:
    """The annotations of a function as objects.

    `annotations` is what `__annotations__` holds, evaluated; `parameters` the same without the result; `result` is
    `UNANNOTATED` where there is none; `unresolved` holds pairs of a parameter's name (or `return`) and an `Unresolved`.
    """

    __slots__ = ("annotations", "unresolved")

    def __init__(self, annotations: dict[str, object], unresolved: list[tuple[str, Unresolved]]) -> None:
        self.annotations = annotations
        self.unresolved = unresolved

    @property
    def parameters(self) -> dict[str, object]:
        """The parameters' annotations, by name."""
        return {name: hint for name, hint in self.annotations.items() if name != "return"}

    @property
    def result(self) -> object:
        """The result's annotation."""
        return self.annotations.get("return", UNANNOTATED)


def resolve(function: FunctionType) -> ResolvedHints:
    """Evaluate the function's annotations.

    >>> def area(width: "int", height: int) -> "Missing": ...
    >>> resolve(area).parameters
    {'width': <class 'int'>, 'height': <class 'int'>}
    >>> resolve(area).result
    <unresolved annotation 'Missing': name 'Missing' is not defined>
    """
    annotations: dict[str, object] = {}
    unresolved: list[tuple[str, Unresolved]] = []
    around: Mapping[str, object] | None = None
    for name, hint in function.__annotations__.items():
        if type(hint) is str:
            if around is None:
                around = enclosing(function)
            hint = evaluate(hint, function, around)
            if type(hint) is Unresolved:
                unresolved.append((name, hint))
        annotations[name] = hint
    return ResolvedHints(annotations, unresolved)


def enclosing(function: FunctionType) -> dict[str, object]:
    """Give the local names around the definition, if the function is being decorated where it is defined."""
    return _running_around(function.__qualname__, function.__globals__)


def around_class(kind: type) -> dict[str, object]:
    """Give the names that annotations in a class' body see besides those of its module.

    >>> sorted(around_class(Unresolved))
    ['Unresolved']
    """
    names: dict[str, object] = {}
    module = sys.modules.get(kind.__module__)
    if "<locals>" in kind.__qualname__ and module is not None:
        names = _running_around(kind.__qualname__, vars(module))
    for parameter in getattr(kind, "__type_params__", ()):
        names[parameter.__name__] = parameter
    return {kind.__name__: kind, **names}


def _running_around(qualname: str, space: dict[str, object]) -> dict[str, object]:
    names: dict[str, object] = {}
    scope = _scope_of(qualname)
    frame: FrameType | None = sys._getframe(2)
    # The class bodies and functions around the definition are running then, innermost first.
    while frame is not None and scope:
        if frame.f_code.co_qualname == scope and frame.f_globals is space:
            for name, value in frame.f_locals.items():
                names.setdefault(name, value)
            for parameter in frame.f_locals.get("__type_params__", ()):
                names.setdefault(parameter.__name__, parameter)
            scope = _scope_of(scope)
        frame = frame.f_back
    return names


def _scope_of(qualname: str) -> str:
    """Name what encloses a definition; the module has no name."""
    return qualname.rpartition(".")[0].removesuffix(".<locals>")


def evaluate(text: str, function: FunctionType, around: Mapping[str, object] | None = None) -> object:
    """Give the value of an annotation's text in the function's scope, or an `Unresolved`.

    >>> evaluate("list[int]", resolve)
    list[int]
    """
    text = text.strip()
    names = dict(around or ())
    for parameter in getattr(function, "__type_params__", ()):
        names[parameter.__name__] = parameter
    for variable, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        try:
            names[variable] = cell.cell_contents
        except ValueError:  # the variable is not bound yet; a global of that name is not meant
            if variable not in names and variable in _compiled_names(text):
                return Unresolved(text, f"name {variable!r} is not defined")
    try:
        # Most annotations are a name of the module.
        if not names and text in function.__globals__:
            return _unquoted(function.__globals__[text], text, function)
        return _unquoted(eval(_compiled(text), function.__globals__, names), text, function)
    except NameError as error:
        return Unresolved(text, str(error))
    except Exception as error:  # an annotation may hold any expression
        return Unresolved(text, f"{type(error).__name__}: {error}")


def evaluate_in(text: str, space: dict[str, object], names: Mapping[str, object]) -> object:
    """Give the value of an annotation's text in a module's namespace, or an `Unresolved`."""
    try:
        value = eval(_compiled(text.strip()), space, dict(names))
    except NameError as error:
        return Unresolved(text, str(error))
    except Exception as error:  # an annotation may hold any expression
        return Unresolved(text, f"{type(error).__name__}: {error}")
    return Unresolved(text, "it stands for itself") if type(value) is str else value


def value_of(text: str, module: str | None, function: FunctionType | None, names: Mapping[str, object]) -> object:
    """Give the value of a text, in the module of the name or else in the function's scope, or an `Unresolved`."""
    if module is not None:
        return evaluate_in(text, vars(sys.modules[module]) if module in sys.modules else {}, names)
    if function is None:
        return Unresolved(text, "nowhere to look the name up")
    return evaluate(text, function, names)


def _unquoted(value: object, text: str, function: FunctionType) -> object:
    """Evaluate again where the value of the text is text."""
    if type(value) is not str:
        return value
    if value == text:
        return Unresolved(text, "it stands for itself")
    return evaluate(value, function)


_codes: dict[str, CodeType] = {}
_MAX_CODES = 1024


def _compiled_names(text: str) -> tuple[str, ...]:
    try:
        return _compiled(text).co_names
    except (SyntaxError, ValueError):
        return ()


def _compiled(text: str) -> CodeType:
    """Compile an annotation's text, once for the many functions that repeat it."""
    code = _codes.get(text)
    if code is None:
        if len(_codes) >= _MAX_CODES:
            _codes.clear()
        # The parentheses allow line breaks; a starred annotation is an item of a tuple.
        source = f"({text},)[0]" if text.startswith("*") else f"({text}\n)"
        code = _codes[text] = compile(source, "<annotation>", "eval")
    return code
