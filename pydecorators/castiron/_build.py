"""`castiron build` and `castiron clean`: files, packages and trees into native extension modules, and back.

In: paths of source files and directories, and where the output goes. Out: `Built`, `Kept` or `Failed` for each source
file, in the order of the paths. Nothing that is built is imported or run. Invariant: at any moment an output file is
absent, the old one or the new one, whole.
"""

from __future__ import annotations

import glob
import os
import re
import shutil
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

from castiron import _castiron
from castiron._cache import processor_features
from castiron._source import read_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

VERSIONS = ((3, 11), (3, 12), (3, 13))
"""The CPythons that modules can be built for."""

TARGET = "x86_64-unknown-linux-gnu"
"""The kind of machine that modules can be built for."""

MARK = b"castiron._castiron._runtime"
"""The name by which a built module asks for the runtime; no other extension module has it."""

_SKIPPED = ("__pycache__",)

# What a build that was killed leaves behind.
_TEMPORARY_SUFFIX = ".castiron-tmp"
_TEMPORARY = re.compile(rf"\..*{re.escape(_TEMPORARY_SUFFIX)}")

# What new files don't allow; `mkstemp` allows nothing to others.
_UMASK = os.umask(0o022)
os.umask(_UMASK)


@dataclass(frozen=True)
class Module:
    """A source file that is to be built."""

    source: Path
    name: str
    """As it is imported, dots and all."""
    target: Path
    """Where the source file would stand in the output."""
    suffix: str = EXTENSION_SUFFIXES[0]

    @property
    def output(self) -> Path:
        """The extension module's file."""
        return self.target.with_name(self.target.stem + self.suffix)


@dataclass(frozen=True)
class Built:
    """A module that has become an extension module."""

    module: Module
    native: list[str]
    bytecode: list[tuple[str, int, list[_castiron.Finding]]]
    """Name, line and reasons of each function that stays bytecode."""
    size: int
    """Bytes of the extension module."""
    seconds: float


@dataclass(frozen=True)
class Kept:
    """A module that stays source, and why."""

    module: Module
    reason: str


@dataclass(frozen=True)
class Current:
    """A module whose output is what it would be built into."""

    module: Module


@dataclass(frozen=True)
class Failed:
    """A module that can't be built, and what to tell the user."""

    module: Module
    message: str


Outcome = Built | Current | Kept | Failed
"""What has become of a module."""


@dataclass(frozen=True)
class Options:
    """How modules are built."""

    enforce: bool = False
    """Whether every annotation is a promise."""
    everything: bool = False
    """Whether functions that gain nothing are compiled too."""
    python: tuple[int, int] | None = None
    """The CPython that imports them; None for the running one."""
    native: bool = False
    """Whether the code counts on all that this processor has."""
    no_source: bool = False
    """Whether code objects take the place of the text, for this CPython alone."""
    key: str = ""
    """What names all that a module is built from."""

    @property
    def suffix(self) -> str:
        """What names of extension modules end with."""
        running = f"{sys.version_info[0]}{sys.version_info[1]}"
        wanted = running if self.python is None else f"{self.python[0]}{self.python[1]}"
        return EXTENSION_SUFFIXES[0].replace(f"-{running}-", f"-{wanted}-")


_DEFAULTS = Options()


@dataclass
class Plan:
    """What there is to do."""

    modules: list[Module] = field(default_factory=list)
    data: list[tuple[Path, Path]] = field(default_factory=list)
    """Files to copy, and where to."""


def plan(paths: Iterable[Path], output: Path | None, options: Options = _DEFAULTS) -> Plan:
    """Find the modules below the paths, and the data of packages that go with them to another place.

    Raises:
        FileNotFoundError: a path does not exist.
        ValueError: a path is neither a directory nor a Python file, or two modules would be one file.

    """
    made = Plan()
    for path in paths:
        path = path.absolute()
        if not path.exists():
            raise FileNotFoundError(f"{path}: no such file or directory")
        if path.is_file() and path.suffix != ".py":
            raise ValueError(f"{path}: expected a Python file (.py) or a directory")
        root = _root_of(path)
        for file in [path] if path.is_file() else _files_below(path):
            target = file if output is None else output.absolute() / file.relative_to(root)
            name = _name_of(file.relative_to(root))
            if file.suffix == ".py" and name is not None:
                made.modules.append(Module(file, name, target, options.suffix))
            elif target != file and not _is_ours(file):
                made.data.append((file, target))
    seen: dict[Path, Path] = {}
    for module in made.modules:
        other = seen.setdefault(module.target, module.source)
        if other != module.source:
            raise ValueError(f"{module.source} and {other} would both become {module.output}")
    made.modules = list({module.source: module for module in made.modules}.values())
    return made


def _root_of(path: Path) -> Path:
    """The directory that would have to be on sys.path for the module to be found by its name."""
    if path.is_dir() and not (path / "__init__.py").exists():
        return path
    root = path.parent
    while (root / "__init__.py").exists() and root != root.parent:
        root = root.parent
    return root


def _files_below(directory: Path) -> Iterator[Path]:
    for folder, folders, files in os.walk(directory):
        folders[:] = sorted(name for name in folders if name not in _SKIPPED and not name.startswith("."))
        for name in sorted(files):
            if not name.endswith((".pyc", ".pyo")) and not _TEMPORARY.fullmatch(name):
                yield Path(folder, name)


def _name_of(path: Path) -> str | None:
    """The module's dotted name; None where no import statement could name it."""
    parts = list(path.with_suffix("").parts)
    if parts[-1] == "__init__" and len(parts) > 1:
        parts.pop()
    return ".".join(parts) if all(part.isidentifier() for part in parts) else None


def build(made: Plan, jobs: int, report: Callable[[Outcome], None], options: Options = _DEFAULTS) -> list[Outcome]:
    """Build the modules of a plan side by side and copy its data; each outcome is reported as it comes.

    Raises:
        OSError: a file can't be written.

    """
    for source, target in made.data:
        _put(target, source.read_bytes(), like=source)
    outcomes: list[Outcome] = []
    with ThreadPoolExecutor(jobs) as pool:
        try:
            for outcome in pool.map(lambda module: _build_one(module, options), made.modules):
                outcomes.append(outcome)
                report(outcome)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return outcomes


def _build_one(module: Module, options: Options) -> Outcome:
    begun = time.perf_counter()
    text = read_text(str(module.source))
    if isinstance(text, OSError):
        return Failed(module, f"{module.source}: {text.strerror}")
    if isinstance(text, Exception):
        return Failed(module, f"{module.source}: {text}")
    if module.source.name == "__main__.py":
        return _keep(module, "it is run, not imported")
    options = replace(options, key=_key(module, text, options))
    if _is_current(module.output, options.key):
        return Current(module)
    try:
        data, functions = _castiron.build_text(module.name, str(module.source), text, options)
    except ValueError as error:
        return Failed(module, str(error))
    _put(module.output, data)
    native = [name for name, _, reasons in functions if not reasons]
    bytecode = [function for function in functions if function[2]]
    return Built(module, native, bytecode, len(data), time.perf_counter() - begun)


def _key(module: Module, text: str, options: Options) -> str:
    """Name all that the module is built from, the compiler included."""
    version = options.python or sys.version_info[:2]
    # Where nothing is lost, the options tell.
    processor = processor_features() if options.native else b""
    parts = (_castiron.FINGERPRINT, version, sys.flags.optimize, options, processor, module.name, text)
    words = repr((*parts, os.environ.get("CASTIRON_FORCE", "")))
    return f"castiron-key:{blake2b(words.encode('utf-8', 'surrogatepass'), digest_size=20).hexdigest()}"


def _is_current(output: Path, key: str) -> bool:
    try:
        data = output.read_bytes()
    except OSError:
        return False
    return key.encode() in data and _castiron.is_whole(data)


def _keep(module: Module, reason: str) -> Kept:
    if module.target != module.source:
        _put(module.target, module.source.read_bytes(), like=module.source)
    return Kept(module, reason)


def _put(target: Path, data: bytes, like: Path | None = None) -> None:
    """Write a file as a whole or not at all."""
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=_TEMPORARY_SUFFIX, dir=target.parent)
    try:
        with open(handle, "wb") as file:
            file.write(data)
        if like is not None:
            shutil.copymode(like, name)
        else:
            os.chmod(name, 0o666 & ~_UMASK)
        os.replace(name, target)
    except BaseException:
        os.unlink(name)
        raise


def clean(paths: Iterable[Path]) -> list[Path]:
    """Remove the extension modules that castiron has built, at and below the paths; those that are gone.

    Raises:
        FileNotFoundError: a path does not exist.

    """
    gone = []
    for path in paths:
        if not path.exists():
            raise FileNotFoundError(f"{path}: no such file or directory")
        files = _files_below(path) if path.is_dir() else _beside(path)
        for file in files:
            if _is_ours(file):
                file.unlink()
                gone.append(file)
        for file in path.rglob(f".*{_TEMPORARY_SUFFIX}") if path.is_dir() else ():
            file.unlink()
    return gone


def _beside(path: Path) -> list[Path]:
    """What a source file has become, or the file itself."""
    return [*path.parent.glob(f"{glob.escape(path.stem)}.*.so"), *([path] if path.suffix == ".so" else [])]


def _is_ours(file: Path) -> bool:
    if file.suffix != ".so" and file.suffix != ".pyd":
        return False
    return MARK in file.read_bytes()


def default_jobs() -> int:
    """As many as this process may use processors."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
