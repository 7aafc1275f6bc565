"""`enforce`: every annotated function of a package is checked, without a decorator in its text.

A finder in front of `sys.meta_path` has modules of the named packages loaded by `EnforcingLoader`, which compiles their
text with decorators in it (`_rewrite`). Files, names, lines and sources stay what they are; the compiled modules are
cached beside the plain ones, under names of their own.
"""

from __future__ import annotations

import sys
from importlib.machinery import SourceFileLoader
from os.path import abspath, dirname

from castiron._config import ON_VIOLATION, settings_above
from castiron._targets import RefusalError, enforced
from castiron._typed import MODE, enforce_one, plan_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from importlib.machinery import ModuleSpec
    from types import CodeType, ModuleType
    from typing import Any, Literal

_FUNCTION: Any = type(lambda: None)
_MAIN = "__main__"

#: Rises when the same text is rewritten in another way.
VERSION = 1


class Options:
    """How one package is enforced."""

    __slots__ = ("deep", "exclude", "on_violation", "strict")

    def __init__(self, deep: bool, strict: bool, on_violation: Any, exclude: tuple[str, ...]) -> None:
        self.deep = deep
        self.strict = strict
        self.on_violation = on_violation
        self.exclude = exclude

    def leaves_alone(self, name: str) -> bool:
        """Tell whether the dotted name, or what it lies in, is excluded."""
        return any(name == excluded or name.startswith(f"{excluded}.") for excluded in self.exclude)

    def function(self, function: Any) -> Any:
        """Enforce a function: the decorator below all others."""
        return self.check(function, ())

    def check(self, function: Any, owners: tuple[type, ...]) -> Any:
        """Enforce a function, which stands in the bodies of the owners."""
        name = f"{function.__module__}.{function.__qualname__}"
        if plan_of(function) is not None or self.leaves_alone(name):
            return function
        return enforce_one(function, owners, deep=self.deep, strict=self.strict, warn=self.on_violation == "warn")

    def generated(self, kind: Any) -> Any:
        """Enforce what decorators and metaclasses made of a class: its `__init__` or `__new__`, as of a dataclass."""
        if not isinstance(kind, type) or self.leaves_alone(f"{kind.__module__}.{kind.__qualname__}"):
            return kind
        for name in ("__init__", "__new__"):
            value = vars(kind).get(name)
            function = getattr(value, "__func__", value)
            if type(function) is _FUNCTION and not _has_file(function):
                made = enforced(value, self.check, (kind,))
                if made is not value:
                    setattr(kind, name, made)
        return kind


def _has_file(function: Any) -> bool:
    return not function.__code__.co_filename.startswith("<")


_packages: dict[str, Options] = {}


def _options_of(module: str) -> Options | None:
    """Give the options of the innermost enforced package around the module."""
    name = module
    while name:
        if name in _packages:
            options = _packages[name]
            return None if options.leaves_alone(module) else options
        name = name.rpartition(".")[0]
    return None


class EnforcingLoader(SourceFileLoader):
    """Loads a module's text with the decorators in it."""

    def source_to_code(self, data: Any, path: Any, *, _optimization: int = -1) -> CodeType:  # type: ignore[override]
        """Compile the text."""
        from castiron._rewrite import rewritten

        return rewritten(data, path, _optimization)

    def get_data(self, path: str) -> bytes:
        """Read the text, or the code that `source_to_code` made of it."""
        return super().get_data(cache_of(path))

    def set_data(self, path: str, data: Any, *, _mode: int = 0o666) -> None:
        """Write the code apart from the plain one."""
        super().set_data(cache_of(path), data, _mode=_mode)

    def exec_module(self, module: ModuleType) -> None:
        """Run the module with the decorators at hand."""
        options = _options_of(module.__name__)
        if options is None:
            options = Options(False, False, "raise", (module.__name__,))
        from castiron._rewrite import NAME

        vars(module)[NAME] = options
        super().exec_module(module)


def cache_of(path: str) -> str:
    """Name the file that holds a module's rewritten code; the path of any other file stays.

    >>> cache_of("__pycache__/m.cpython-312.pyc")
    '__pycache__/m.cpython-312.castiron-1.pyc'
    """
    return f"{path[:-4]}.castiron-{VERSION}.pyc" if path.endswith(".pyc") else path


class _Finder:
    """Finds what the other finders find, and has plain source files loaded by `EnforcingLoader`."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Give the specification of a module of an enforced package."""
        if _options_of(name) is None:
            return None
        for finder in sys.meta_path:
            if finder is self or not hasattr(finder, "find_spec"):
                continue
            spec = finder.find_spec(name, path, target)
            if spec is not None:
                if type(spec.loader) is SourceFileLoader:
                    spec.loader = EnforcingLoader(spec.loader.name, spec.loader.path)
                    spec.cached = spec.cached and cache_of(spec.cached)
                return spec
        return None


_finder = _Finder()


def enforce(
    *packages: str,
    deep: bool | None = None,
    strict: bool | None = None,
    on_violation: Literal["raise", "warn"] | None = None,
    exclude: Iterable[str] = (),
) -> None:
    """Check every annotated function of the packages, whenever they are imported from now on.

    What is not given comes from `[tool.castiron]` of the pyproject.toml at or above the caller's file; without a
    package, its list `enforce` says which. `exclude` names modules, classes and functions that are left alone, as does
    `@castiron.unchecked` in the text. Of modules that are imported already, the functions and classes that they hold
    are checked. With `on_violation="warn"` a broken annotation is a warning, `TypeCheckWarning`, and the call goes on.

    >>> enforce("shapes", deep=True, exclude=["shapes.vendored"])
    """
    if isinstance(exclude, str) or not all(isinstance(name, str) for name in (*packages, *exclude)):
        raise TypeError("enforce takes the names of packages, and a list of names to exclude")
    if on_violation is not None and on_violation not in ON_VIOLATION:
        raise ValueError(f"on_violation must be 'raise' or 'warn', not {on_violation!r}")
    if MODE == "off":
        return
    file = sys._getframe(1).f_globals.get("__file__")
    settings = settings_above(dirname(abspath(file)) if file else abspath("."))
    names = packages or settings.enforce
    if not names:
        where = settings.path or "no pyproject.toml"
        raise TypeError(f"enforce() names no package, and neither does tool.castiron.enforce ({where})")
    options = Options(
        settings.deep if deep is None else deep,
        settings.strict if strict is None else strict,
        settings.on_violation if on_violation is None else on_violation,
        (*settings.exclude, *exclude),
    )
    for name in names:
        _packages[name] = options
    if _finder not in sys.meta_path:
        sys.meta_path.insert(0, _finder)
    for loaded, module in list(sys.modules.items()):
        if loaded != _MAIN and _options_of(loaded) is options and getattr(module, "__name__", None) == loaded:
            _enforce_loaded(module, options)


def _enforce_loaded(module: ModuleType, options: Options) -> None:
    """Enforce the functions and classes that an imported module holds and defines."""
    for name, value in list(vars(module).items()):
        kind = type(value)
        if getattr(value, "__module__", None) != module.__name__ or not (kind is _FUNCTION or isinstance(value, type)):
            continue
        if options.leaves_alone(f"{module.__name__}.{value.__qualname__}"):
            continue
        made = _unless_refused(value, options.check)
        if made is not value:
            setattr(module, name, made)


def _unless_refused(value: Any, check: Callable[[Any, tuple[type, ...]], Any]) -> Any:
    try:
        return enforced(value, check)
    except RefusalError:  # a class of C, or wrappers without end: nothing to check
        return value
