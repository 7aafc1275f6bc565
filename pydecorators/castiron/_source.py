"""The proof that a function's text is current.

A function is compiled from text, so the text must be the one that made it: the module's text, compiled by the
running CPython, has to contain a code object equal to the function's. Edited files, rewritten assertions, `exec`
and macros fail that test, and the function stays bytecode.
"""

from __future__ import annotations

import sys

from castiron._castiron import Text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType, FunctionType
    from typing import Final


class Source:
    """A module's text and the code objects that it compiles to."""

    __slots__ = ("_codes", "_data", "_parsed", "path", "text")

    def __init__(self, path: str, data: bytes, text: str, codes: dict[tuple[str, int], CodeType]) -> None:
        self.path: Final = path
        self.text: Final = text
        self._data: Final = data
        self._codes: Final = codes
        self._parsed: Text | None = None

    def parsed(self) -> Text:
        """Return the text as the compiler sees it."""
        if self._parsed is None:
            self._parsed = prepare_text(self.path, self.text)
        return self._parsed

    def contains(self, code: CodeType) -> bool:
        """Whether the text makes exactly this code object."""
        return self._codes.get((code.co_qualname, code.co_firstlineno)) == code

    def is_made_of(self, data: bytes) -> bool:
        """Whether the text was read from these bytes."""
        return self._data == data


_sources: dict[str, Source] = {}
_texts: dict[str, tuple[str, Text]] = {}


def prepare_text(path: str, text: str) -> Text:
    """Parse the text of a file, once for as long as it stays the same."""
    known = _texts.get(path)
    if known is None or known[0] != text:
        _texts[path] = known = (text, Text(path, text))
    return known[1]


_NO_FILE = "there is no source file: the function was made by exec or typed in"


def _is_no_file(path: str) -> bool:
    return path.startswith("<") and path.endswith(">")


def proved_source(function: FunctionType, code: CodeType) -> Source | str:
    """Return the text that made the function, or why there is none.

    `code` is the code object that the `def` made; it is not `function.__code__` where checks are woven in.
    """
    path = code.co_filename
    known = _sources.get(path)
    if known is not None and known.contains(code):
        return known
    data = _read(function, path)
    if isinstance(data, str):
        return data
    if known is None or not known.is_made_of(data):
        made = _compiled(path, data)
        if isinstance(made, str):
            return made
        _sources[path] = known = made
    if known.contains(code):
        return known
    if _is_no_file(path):
        return _NO_FILE
    return "the source text is not what this function was made from: it was edited or rewritten"


def read_text(path: str) -> str | Exception:
    """Return a file's text as the tokenizer sees it, or the error that says why there is none."""
    try:
        with open(path, "rb") as file:
            return decoded(file.read())
    except (OSError, SyntaxError, ValueError, LookupError) as error:
        return error


def _read(function: FunctionType, path: str) -> bytes | str:
    """Return the bytes of the module's text, or why there are none."""
    if _is_no_file(path):
        return _read_from_linecache(path) or _NO_FILE
    try:
        with open(path, "rb") as file:
            return file.read()
    except (OSError, ValueError) as error:
        return (
            _read_from_loader(function)
            or _read_from_linecache(path)
            or f"the source file can't be read: {getattr(error, 'strerror', None) or error}"
        )


def _read_from_loader(function: FunctionType) -> bytes | None:
    """Return what the module's own loader says, for modules inside archives."""
    names = function.__globals__
    get_source = getattr(names.get("__loader__"), "get_source", None)
    name = names.get("__name__")
    if get_source is None or not isinstance(name, str):
        return None
    try:
        text = get_source(name)
    except (ImportError, OSError):
        return None
    return text.encode("utf-8", "surrogatepass") if isinstance(text, str) else None


def _read_from_linecache(path: str) -> bytes | None:
    """Return what an interactive session registered, where one is running."""
    linecache = sys.modules.get("linecache")
    entry = linecache.cache.get(path) if linecache is not None else None
    if entry is None or len(entry) != 4:
        return None
    return "".join(entry[2]).encode("utf-8", "surrogatepass")


def _compiled(path: str, data: bytes) -> Source | str:
    """Compile the text as an import does and collect its code objects."""
    # A text that was imported has had its warnings shown; they must not come a second time.
    import warnings

    try:
        text = decoded(data)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            module = compile(data, path, "exec", dont_inherit=True)
    except (SyntaxError, ValueError, LookupError) as error:
        return f"the source text does not compile: {error}"
    except (RecursionError, MemoryError):
        return "the source text does not compile: it is nested too deeply"
    return Source(path, data, text, _code_objects(module))


def decoded(data: bytes) -> str:
    """Return the text as the tokenizer sees it: declared encoding, no byte order mark, one kind of line end."""
    head = data[:400].split(b"\n", 2)[:2]
    if any(b"coding" in line for line in head):
        import io
        import tokenize

        encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
    else:
        encoding = "utf-8-sig"
    text = data.decode(encoding)
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def _code_objects(module: CodeType) -> dict[tuple[str, int], CodeType]:
    """Return every code object below the module's by qualified name and first line."""
    kind = type(module)
    found: dict[tuple[str, int], CodeType] = {}
    pending = [module]
    while pending:
        for constant in pending.pop().co_consts:
            if type(constant) is kind:
                found[constant.co_qualname, constant.co_firstlineno] = constant
                pending.append(constant)
    return found
