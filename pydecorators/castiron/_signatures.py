"""What callables take, as far as it can be seen without calling them, and whether that is what an annotation asks for.

In: a value, and the number of positional arguments that `Callable` names or the method of a protocol. Out: what speaks
against it, in words, or None.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

CO_VARARGS, CO_VARKEYWORDS = 4, 8


def arity_fault(value: Any, count: int, more: bool) -> str | None:
    """Say why the value can't be called with so many positional arguments, as far as that can be seen."""
    if type(value).__name__ in SHOWN and type(value).__module__ in ("builtins", "functools"):
        return _shown_fault(value, count, more)
    function, bound = _function_behind(value)
    if function is None:
        return "takes no arguments" if count and _takes_nothing(value) else None
    code = function.__code__
    names = code.co_varnames[code.co_argcount : code.co_argcount + code.co_kwonlyargcount]
    missing = [name for name in names if name not in (function.__kwdefaults__ or ())]
    required = code.co_argcount - len(function.__defaults__ or ()) - bound
    most = None if code.co_flags & CO_VARARGS else max(code.co_argcount - bound, 0)
    return _count_fault(required, most, missing, count, more)


def _count_fault(required: int, most: int | None, missing: list[str], count: int, more: bool) -> str | None:
    """Compare a number of positional arguments with what a callable takes; `most` is None for any number."""
    if most is not None and count > most:
        return f"takes at most {_arguments(most)}" if required < most else f"takes {_arguments(most)}"
    if more:
        return None
    if count < required:
        exactly = most is not None and required >= most
        return f"takes {_arguments(required)}" if exactly else f"takes at least {_arguments(required)}"
    return f"wants the keyword argument {missing[0]!r}" if missing else None


#: Callables without code that can show what they take.
SHOWN = ("builtin_function_or_method", "method_descriptor", "partial")


def _shown_fault(value: Any, count: int, more: bool) -> str | None:
    import inspect

    try:
        parameters = list(inspect.signature(value).parameters.values())
    except (ValueError, TypeError):  # it shows nothing
        return None
    positional = [part for part in parameters if part.kind in (part.POSITIONAL_ONLY, part.POSITIONAL_OR_KEYWORD)]
    required = [part for part in positional if part.default is part.empty]
    takes_any = any(part.kind is part.VAR_POSITIONAL for part in parameters)
    named = [part for part in parameters if part.kind is part.KEYWORD_ONLY and part.default is part.empty]
    most = None if takes_any else len(positional)
    return _count_fault(len(required), most, [part.name for part in named], count, more)


def _arguments(count: int) -> str:
    return f"{count} positional argument{'' if count == 1 else 's'}"


FUNCTION = type(lambda: None)
METHOD: Any = type(_arguments.__get__(0))
_CODE = type(_arguments.__code__)


def _function_behind(value: Any) -> tuple[Any, int]:
    """Give the Python function that a call of the value runs, and how many arguments the call adds."""
    kind = type(value)
    if kind is METHOD:
        return (value.__func__, 1) if type(value.__func__) is FUNCTION else (None, 0)
    if isinstance(value, FUNCTION):
        return (value, 0) if type(value.__code__) is _CODE else (None, 0)
    if isinstance(value, type):
        return _constructor_of(value) if kind.__call__ is _CALL_OF_TYPE else (None, 0)
    own = next((base.__dict__["__call__"] for base in kind.__mro__ if "__call__" in base.__dict__), None)
    return (own, 1) if type(own) is FUNCTION else (None, 0)


def _takes_nothing(value: Any) -> bool:
    """Tell whether this is a class that leaves its construction to `object`."""
    if not isinstance(value, type) or type(value).__call__ is not _CALL_OF_TYPE:
        return False
    made, initialized = _construction_of(value)
    return made is _NEW_OF_OBJECT and initialized is _INIT_OF_OBJECT


def _construction_of(kind: Any) -> tuple[Any, Any]:
    return kind.__new__, kind.__init__


def _constructor_of(kind: Any) -> tuple[Any, int]:
    made, initialized = _construction_of(kind)
    chosen = initialized if made is _NEW_OF_OBJECT else made
    return (chosen, 1) if type(chosen) is FUNCTION else (None, 0)


_CALL_OF_TYPE: Any = type.__call__
_NEW_OF_OBJECT: Any = object.__new__
_INIT_OF_OBJECT: Any = object.__dict__["__init__"]


class _Shape:
    """What a Python function takes, without the arguments that a call of it as a method adds."""

    __slots__ = ("named", "names", "needed", "positional_only", "required", "takes_any", "takes_any_name")

    def __init__(self, function: Any, bound: int) -> None:
        code = function.__code__
        names = code.co_varnames
        count = code.co_argcount
        self.names: tuple[str, ...] = names[bound:count]
        self.positional_only = max(code.co_posonlyargcount - bound, 0)
        self.required = max(count - len(function.__defaults__ or ()) - bound, 0)
        self.takes_any = bool(code.co_flags & CO_VARARGS)
        self.takes_any_name = bool(code.co_flags & CO_VARKEYWORDS)
        self.named: tuple[str, ...] = names[count : count + code.co_kwonlyargcount]
        self.needed = [name for name in self.named if name not in (function.__kwdefaults__ or ())]

    def is_named(self, position: int) -> bool:
        """Tell whether callers may give the parameter by its name."""
        name = self.names[position]
        return position >= self.positional_only and not (name.startswith("__") and not name.endswith("__"))


def member_fault(wanted: Any, value: Any, name: str) -> str | None:
    """Say why a value's method can't be called as the protocol's method of that name; None where that is not seen."""
    declared = _raw(wanted.__mro__, name)
    asked = declared.__func__ if isinstance(declared, (staticmethod, classmethod)) else declared
    if type(asked) is not FUNCTION or "__wrapped__" in asked.__dict__ or asked.__name__ == "_overload_dummy":
        return None
    found = _raw(type(value).__mro__, name)
    function: Any
    if name == "__call__" and type(value) in (FUNCTION, METHOD):
        function, bound = _function_behind(value)
    elif found is None:
        function, bound = getattr(value, name, None), 0
        if type(function) is METHOD:
            function, bound = function.__func__, 1
    elif isinstance(found, (staticmethod, classmethod)):
        function, bound = found.__func__, int(isinstance(found, classmethod))
    elif type(found) is FUNCTION:
        if type(declared) is not FUNCTION:
            return f"must be a {type(declared).__name__}"
        function, bound = found, 1
    else:
        function, bound = _raw(type(found).__mro__, "__call__"), 1
    if type(function) is not FUNCTION:
        return None
    shape = _Shape(asked, 0 if isinstance(declared, staticmethod) else 1)
    return _shape_fault(shape, _Shape(function, bound), name == "__call__")


def _raw(mro: Any, name: str) -> Any:
    return next((base.__dict__[name] for base in mro if name in base.__dict__), None)


def _shape_fault(asked: _Shape, has: _Shape, by_name: bool) -> str | None:
    """Compare parameters as the rules of assignability do, types left out.

    Names of positional parameters count for callback protocols only, as in mypy: implementations rename them freely.
    """
    is_open = asked.takes_any and asked.takes_any_name
    if not is_open:
        if asked.takes_any and not has.takes_any:
            return "does not take any number of positional arguments"
        if asked.takes_any_name and not has.takes_any_name:
            return "does not take any keyword argument"
        if has.required > asked.required and not _given(asked, has):
            return f"takes at least {_arguments(has.required)}"
    if len(asked.names) > len(has.names) and not has.takes_any:
        return f"takes {_arguments(len(has.names))}"
    for position, name in enumerate(asked.names[: len(has.names)]):
        if by_name and asked.is_named(position) and has.names[position] != name and not has.takes_any_name:
            return f"has a parameter {has.names[position]!r} in the place of {name!r}"
    taken = {*has.named, *has.names[has.positional_only :]}
    missing = [name for name in asked.named if name not in taken and not has.takes_any_name]
    if missing:
        return f"does not take the keyword argument {missing[0]!r}"
    extra = [name for name in has.needed if name not in asked.needed and name not in asked.names]
    return f"wants the keyword argument {extra[0]!r}" if extra and not is_open else None


def _given(asked: _Shape, has: _Shape) -> bool:
    """Tell whether positional parameters that callers need not give are all given by keyword."""
    return all(name in asked.needed for name in has.names[asked.required : has.required])
