"""What the runtime asks of Python for a module that was built ahead of time: its loader, its body, its run.

In: the module, its text and which functions have machine code. Out: a loader that has the text, and the code of the
body, which is that of the text but for decorators of ours. A module that was built without its text has code objects
instead, which `packed` has made.
"""

from __future__ import annotations

import marshal
import os
import sys
import warnings
from _blake2 import blake2b  # hashlib takes as long to import as many a module to load
from _imp import _fix_co_filename  # type: ignore[attr-defined] # what imports use
from importlib.machinery import ExtensionFileLoader, SourceFileLoader
from importlib.util import MAGIC_NUMBER, cache_from_source

from castiron import _castiron
from castiron._bind import HAS_ENTRIES, decorated, marked
from castiron._cache import sealed, unsealed
from castiron._source import read_text
from castiron._typed import MODE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType, ModuleType
    from typing import SupportsIndex


class _BuiltFile(str):
    """A built module's `__file__`, in which `inspect` finds source: it takes no name that ends as an extension's."""

    __slots__ = ("_text",)
    _text: str

    def endswith(
        self,
        suffix: str | tuple[str, ...],
        start: SupportsIndex | None = None,
        end: SupportsIndex | None = None,
        /,
    ) -> bool:
        if sys._getframe(1).f_globals.get("__name__") == "inspect":
            import linecache

            path = str(self)
            linecache.cache[path] = (len(self._text), None, self._text.splitlines(True), path)
            return False
        return super().endswith(suffix, start, end)

    def __str__(self) -> str:
        return self[:]

    def __reduce__(self) -> tuple[type[str], tuple[str]]:
        return str, (str(self),)


class BuiltLoader(ExtensionFileLoader):
    """The loader of a built module, which has its source text with it, or its code objects."""

    def __init__(self, name: str, path: str, text: str | bytes, source_path: str) -> None:
        super().__init__(name, path)
        self._text = text
        self._source_path = source_path
        self._code: CodeType | None = None

    def get_source(self, fullname: str) -> str | None:  # type: ignore[override] # stock extension modules have none
        """Return the text that the module was built from; None if it was left out."""
        self._check_name(fullname)
        return self._text if isinstance(self._text, str) else None

    def get_code(self, fullname: str) -> CodeType:  # type: ignore[override] # stock extension modules have none
        """Return the code of the module's body."""
        self._check_name(fullname)
        if self._code is None:
            kept, path = self._text, self._source_path
            self._code = _unpacked(kept, path)[0] if isinstance(kept, bytes) else _compiled(kept, path, set())
        return self._code

    def _check_name(self, fullname: str) -> None:
        if fullname != self.name:
            raise ImportError(f"loader for {self.name} cannot handle {fullname}", name=fullname)


def adopt(module: ModuleType, text: str | bytes, source_path: str, is_enforced: bool) -> bool:
    """Give a built module that is about to run its loader and what its body needs; whether it runs as machine code.

    Warns with RuntimeWarning if the source file beside it is newer and has another text.
    """
    spec = module.__spec__
    if spec is not None and type(spec.loader) is ExtensionFileLoader:
        loader = BuiltLoader(spec.loader.name, spec.loader.path, text, source_path)
        spec.loader = module.__loader__ = loader
        _warn_if_stale(loader.path, source_path, text)
        if isinstance(text, str):
            file = _BuiltFile(loader.path)
            file._text = text
            module.__file__ = file
    if is_enforced and MODE != "off":
        from castiron._enforce import Options
        from castiron._rewrite import NAME

        vars(module)[NAME] = Options(False, False, "raise", ())
    return MODE == "on"


def _warn_if_stale(built: str, source: str, text: str | bytes) -> None:
    try:
        if os.stat(source).st_mtime <= os.stat(built).st_mtime:
            return
    except OSError:  # it was built to another place, or its source left out
        return
    found = read_text(source)
    if isinstance(text, bytes) and isinstance(found, str):
        is_other = not text.startswith(_head(found))
    else:
        is_other = found != text
    if is_other:
        warnings.warn(
            f"{source} has changed since {built} was built from it; build it again, or remove it with `castiron clean`",
            RuntimeWarning,
            stacklevel=2,
        )


def body(text: str | bytes, path: str, bound: list[tuple[str, int]], is_enforced: bool) -> CodeType:
    """Compile the body of a module, with decorators for the functions that are bound, or that are all enforced."""
    if isinstance(text, bytes):
        plain, enforced = _unpacked(text, path)
        if enforced is not None and MODE != "off":
            return enforced
        return decorated(plain, _castiron.bind_built)
    if is_enforced and MODE != "off":
        from castiron._rewrite import rewritten

        # The build has shown what there is to warn of.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return rewritten(text, path)
    return decorated(_compiled(text, path, set(bound)), _castiron.bind_built)


def packed(text: str, path: str, bound: list[tuple[str, int]], is_enforced: bool) -> bytes:
    """Make the code objects that take the place of a module's text; they name their file, not where it stands."""
    name = os.path.basename(path)
    enforced = None
    if is_enforced:
        from castiron._rewrite import rewritten

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            enforced = rewritten(text, name)
    return _head(text) + marshal.dumps((marked(text, name, set(bound)), enforced))


def _unpacked(data: bytes, path: str) -> tuple[CodeType, CodeType | None]:
    """Read what `packed` has made: the code of the body, and that of the body with all annotations enforced."""
    if not data.startswith(MAGIC_NUMBER):
        major, minor = sys.version_info[:2]
        reason = f"was built without its source by another CPython {major}.{minor}: build it again with this one"
        raise ImportError(f"{path} {reason}")
    codes: tuple[CodeType, CodeType | None] = marshal.loads(data[len(_head("")) :])
    for code in codes:
        if code is not None:
            _fix_co_filename(code, path)
    return codes


def _head(text: str) -> bytes:
    """What says which CPython made code objects, and from what text."""
    return MAGIC_NUMBER + blake2b(text.encode("utf-8", "surrogatepass"), digest_size=20).digest()


def _compiled(text: str, path: str, chosen: set[tuple[str, int]]) -> CodeType:
    """Compile a text as an import of the source file at the path would, or find what an earlier one has compiled.

    What is found beside the modules is trusted as much as they are.
    """
    if HAS_ENTRIES:
        chosen = set()
    cached = f"{cache_from_source(path)[:-4]}.castiron-built.pyc"
    header = MAGIC_NUMBER + blake2b(repr((path, sorted(chosen), text)).encode("utf-8", "surrogatepass")).digest()
    try:
        with open(cached, "rb") as file:
            payload = unsealed(file.read())
        if payload is not None and payload.startswith(header):
            found: CodeType = marshal.loads(payload[len(header) :])
            return found
    except OSError:  # it was never written
        pass
    code = marked(text, path, chosen)
    if not sys.dont_write_bytecode:
        SourceFileLoader("", path).set_data(cached, sealed(header + marshal.dumps(code)))
    return code
