"""`compile_imports`: functions of modules that are imported from now on get machine code, without a decorator.

A finder in front of `sys.meta_path` finds what the others find. The loader of a plain source file stays what it is:
only the first call of its `get_code`, which the import makes, passes by `_register`, which chooses functions from the
text and has their code known to the compiler (`_castiron.register_code`). Nothing else of the module differs.
"""

from __future__ import annotations

import sys
from importlib.machinery import SourceFileLoader

from castiron import _castiron
from castiron._source import decoded, prepare_text, proved_source
from castiron._typed import MODE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from importlib.machinery import ModuleSpec
    from types import CodeType, FunctionType, ModuleType

#: Whether a function's entry can be replaced; else a decorator puts another object in its place.
_HAS_ENTRIES = sys.version_info >= (3, 12)

#: This package is not compiled by itself.
_OWN = __name__.partition(".")[0]

_packages: set[str] = set()
_is_registering = False
_everything = False


def _is_wanted(module: str) -> bool:
    name = module
    if name == _OWN or name.startswith(f"{_OWN}."):
        return False
    while name and not _everything:
        if name in _packages:
            return True
        name = name.rpartition(".")[0]
    return _everything


def _register(loader: SourceFileLoader, code: CodeType) -> CodeType:
    """Choose functions of a module that is about to run; give the code that is to be run."""
    global _is_registering
    if _is_registering:  # what this here imports
        return code
    _is_registering = True
    try:
        return _registered(loader, code)
    finally:
        _is_registering = False


def source_of(loader: SourceFileLoader) -> tuple[bytes, str] | None:
    """Give the bytes and the text of a module's file; None where the import has found what is wrong with them."""
    try:
        data = loader.get_data(loader.path)
        return data, decoded(data)
    except (OSError, SyntaxError, ValueError, LookupError):
        return None


def _registered(loader: SourceFileLoader, code: CodeType) -> CodeType:
    path = loader.path
    source = source_of(loader)
    if source is None:
        return code
    data, text = source
    functions = prepare_text(path, text).functions()
    if _HAS_ENTRIES:
        _castiron.register_code(code, functions)
        return code
    chosen = {(name, line) for name, line, is_chosen, *_ in functions if is_chosen}
    if chosen:
        from castiron._bind import bound

        code = bound(data, path, chosen, _castiron.bind_imported)
        _castiron.register_code(code, functions)
    return code


def _prove(function: FunctionType) -> object:
    """Give the text that made the function, as the compiler sees it, or why there is none."""
    source = proved_source(function, function.__code__)
    return source if isinstance(source, str) else source.parsed()


class Finder:
    """Finds what the other finders find, and has the code of plain source files pass by when they are loaded."""

    def __init__(
        self, is_wanted: Callable[[str], bool], register: Callable[[SourceFileLoader, CodeType], CodeType]
    ) -> None:
        self._is_wanted = is_wanted
        self._register = register

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Give the specification of a module that is to be compiled."""
        if not self._is_wanted(name):
            return None
        for finder in sys.meta_path:
            if finder is self or not hasattr(finder, "find_spec"):
                continue
            spec = finder.find_spec(name, path, target)
            if spec is not None:
                if type(spec.loader) is SourceFileLoader:
                    vars(spec.loader)["get_code"] = _castiron.CodeGetter(spec.loader, self._register)
                return spec
        return None


_finder = Finder(_is_wanted, _register)


def compile_imports(package: str | None = None) -> None:
    """Compile what gains by it in modules that are imported from now on: all of them, or those of one package.

    Annotations are bets here, not promises: nothing is checked, and a call whose arguments are of other classes runs as
    it always did. A function is compiled at its first call when it has a loop, else when it was called often.

    >>> compile_imports("shapes")
    """
    global _everything
    if package is not None and not isinstance(package, str):
        raise TypeError("compile_imports takes the name of a package, or nothing for all modules")
    if MODE != "on":
        return
    _castiron.compile_imports(_prove)
    if package is None:
        _everything = True
    else:
        _packages.add(package)
    if _finder not in sys.meta_path:
        sys.meta_path.insert(0, _finder)
