"""The disk cache: machine code and bytecode of modules that are imported as source, by what they were made from.

In: a module's text. Out: its functions' machine code, mapped, and the code of its body. An entry is two files in a
directory that nobody else may enter, named by a hash of the text, its path, the compiler, the interpreter and the
processor. Invariants: a file is written as a whole or not at all; what is damaged, or anybody else's, is not used, but
made anew; without a directory that can be written nothing is kept, and all else is the same.
"""

from __future__ import annotations

import contextlib
import marshal
import os
import stat
import sys
from _blake2 import blake2b  # hashlib takes as long to import as many a module to load

from castiron import _castiron

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType
    from typing import Any

_CODE: Any = type((lambda: None).__code__)
_DIGEST = 20

#: What the cached shared objects are built as.
_NAME = "castiron_cached"


def sealed(payload: bytes) -> bytes:
    """Give the bytes with a digest in front, by which `unsealed` knows them to be whole."""
    return blake2b(payload, digest_size=_DIGEST).digest() + payload


def unsealed(data: bytes) -> bytes | None:
    """Give what was sealed, or None where it is damaged.

    >>> unsealed(sealed(b"abc"))
    b'abc'
    """
    payload = data[_DIGEST:]
    return payload if blake2b(payload, digest_size=_DIGEST).digest() == data[:_DIGEST] else None


def put(path: str, data: bytes) -> None:
    """Write a private file as a whole or not at all.

    Raises:
        OSError: it can't be written.

    """
    temporary = f"{path}.{os.getpid()}.{os.urandom(4).hex()}.tmp"
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with open(handle, "wb") as file:
            file.write(data)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def directory() -> str:
    """Name the directory of the cache."""
    chosen = os.environ.get("CASTIRON_CACHE")
    if chosen:
        return os.path.abspath(chosen)
    above = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return os.path.join(above, "castiron")


def _private_directory() -> str | None:
    """Name the directory, made if there is none; None where it is not ours alone."""
    path = directory()
    try:
        os.makedirs(path, mode=0o700, exist_ok=True)
        found = os.lstat(path)
    except OSError:  # a home that can't be written
        return None
    ours = stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() and not found.st_mode & 0o077
    return path if ours else None


def _read(path: str) -> bytes | None:
    """Read a file that nobody else can have written; None where there is none."""
    try:
        with open(path, "rb") as file:
            found = os.fstat(file.fileno())
            if found.st_uid != os.geteuid() or found.st_mode & 0o022:
                return None
            return file.read()
    except OSError:
        return None


def processor_features() -> bytes:
    """Give what tells processors apart that don't run the same code."""
    try:
        with open("/proc/cpuinfo", "rb") as file:
            return next((line for line in file if line.startswith((b"flags", b"Features"))), b"")
    except OSError:
        return b""


_basis: bytes | None = None


def _key(text: bytes, path: str) -> str:
    global _basis
    if _basis is None:
        words = (_castiron.FINGERPRINT, sys.version, sys.flags.optimize, os.environ.get("CASTIRON_FORCE", ""))
        _basis = blake2b(repr(words).encode() + processor_features(), digest_size=_DIGEST).digest()
    parts = _basis + len(text).to_bytes(8, "little") + text + os.fsencode(path)
    return blake2b(parts, digest_size=_DIGEST).hexdigest()


class Options:
    """How cached modules are built: for this interpreter and processor."""

    enforce = False
    everything = False
    python = None
    native = True
    no_source = False
    key = ""


def prepared(text: str, data: bytes, path: str, names: dict[str, Any]) -> CodeType | None:
    """Give the code of a module's body whose functions will run as machine code; None where none of them does.

    `data` are the bytes of the text's file, `names` the namespace in which the body is about to run.
    """
    folder = _private_directory()
    base = None if folder is None else os.path.join(folder, _key(data, path))
    functions = _mapped(base, text) or _built(base, text, path)
    if functions is None:
        return None
    code = _cached_code(base) or _compiled(base, data, path, functions.to_bind())
    from castiron._bind import decorated

    code = decorated(code, _castiron.bind_built)
    functions.load(code, names)
    return code


def _mapped(base: str | None, text: str) -> _castiron.BuiltFunctions | None:
    if base is None or _read(f"{base}.so") is None:
        return None
    try:
        functions = _castiron.BuiltFunctions(f"{base}.so", _NAME)
    except (ImportError, OSError):  # damaged, or of a machine that shares the directory
        return None
    return functions if functions.text == text else None


def _built(base: str | None, text: str, path: str) -> _castiron.BuiltFunctions | None:
    try:
        data, found = _castiron.build_text(_NAME, path, text, Options)
    except ValueError:  # the interpreter has its own words for what is wrong with the text
        return None
    if not any(not reasons for _, _, reasons in found):
        return None
    if base is not None:
        # A full disk is no reason not to run.
        with contextlib.suppress(OSError):
            put(f"{base}.so", data)
            return _castiron.BuiltFunctions(f"{base}.so", _NAME)
    import tempfile

    with tempfile.NamedTemporaryFile(suffix=".so") as file:
        file.write(data)
        file.flush()
        return _castiron.BuiltFunctions(file.name, _NAME)


def _cached_code(base: str | None) -> CodeType | None:
    data = None if base is None else _read(f"{base}.code")
    payload = None if data is None else unsealed(data)
    if payload is None:
        return None
    code: CodeType = marshal.loads(payload)
    return code if type(code) is _CODE else None


def _compiled(base: str | None, data: bytes, path: str, bound: list[tuple[str, int]]) -> CodeType:
    from castiron._bind import marked

    code = marked(data, path, set(bound))
    if base is not None:
        # As above.
        with contextlib.suppress(OSError):
            put(f"{base}.code", sealed(marshal.dumps(code)))
    return code


def clear() -> int:
    """Remove the entries of the cache; how many there were."""
    try:
        names = os.listdir(directory())
    except FileNotFoundError:
        return 0
    ours = [name for name in names if name.endswith((".so", ".code", ".tmp"))]
    for name in ours:
        os.unlink(os.path.join(directory(), name))
    return sum(name.endswith(".so") for name in ours)
