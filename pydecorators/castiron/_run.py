"""`castiron run`: a script or module as `python` runs it, compiled where it is imported, with a disk cache.

In: the words behind `run`. Out: the exit code. The script and modules that neither belong to the standard library nor
are installed get machine code for what gains by it; `--package` names installed ones, `--all` means every module.
Nothing of castiron's is in tracebacks.
"""

from __future__ import annotations

import os
import sys
from importlib.machinery import SourceFileLoader

from castiron._cache import prepared
from castiron._imports import Finder, source_of
from castiron._typed import MODE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from importlib.machinery import ModuleSpec
    from types import CodeType, TracebackType
    from typing import Any

USAGE = """\
usage: castiron run [--all] [--package NAME]... (SCRIPT | -m MODULE) [ARGUMENT]...

Run a Python program, with machine code for what gains by it; it is kept in a disk cache.

  SCRIPT, -m MODULE  what python would run, with its arguments
  --package NAME     compile this installed package too
  --all              compile every module, those of the standard library too
"""

_OWN = os.path.dirname(__file__)


class UsageError(Exception):
    """The command line makes no sense."""


class _Wanted:
    """Which modules are compiled."""

    def __init__(self) -> None:
        self.everything = False
        self.packages: list[str] = []
        library = os.path.dirname(os.__file__)
        self._others = tuple({os.path.join(prefix, "") for prefix in (library, sys.prefix, sys.base_prefix, _OWN)})

    def file(self, path: str, name: str) -> bool:
        """Tell whether the module of this name in this file is compiled."""
        if path.startswith(os.path.join(_OWN, "")):
            return False
        if self.everything or any(name == package or name.startswith(f"{package}.") for package in self.packages):
            return True
        path = os.path.abspath(path)
        return not path.startswith(self._others) and "site-packages" not in path


def main(arguments: Sequence[str]) -> int:
    """Run what the words behind `run` say; give the exit code."""
    wanted, target, rest = _parsed(list(arguments))
    if target is None:
        print(USAGE, end="")
        return 0
    if MODE == "on":
        sys.meta_path.insert(0, Finder(lambda name: True, lambda loader, code: _registered(wanted, loader, code)))
    module, is_module = target
    return _module(wanted, module, rest) if is_module else _script(wanted, module, rest)


def _parsed(words: list[str]) -> tuple[_Wanted, tuple[str, bool] | None, list[str]]:
    wanted = _Wanted()
    while words:
        word = words.pop(0)
        if word in ("-h", "--help"):
            return wanted, None, []
        if word == "--all":
            wanted.everything = True
        elif word == "--package" and words:
            wanted.packages.append(words.pop(0))
        elif word == "-m" and words:
            return wanted, (words[0], True), words[1:]
        elif word == "--" and words:
            return wanted, (words[0], False), words[1:]
        elif word.startswith("-"):
            raise UsageError(f"run: {word} is unknown or wants a value; see castiron run --help")
        else:
            return wanted, (word, False), words
    raise UsageError("run: expected a script or -m MODULE; see castiron run --help")


def _registered(wanted: _Wanted, loader: SourceFileLoader, code: CodeType) -> CodeType:
    """Give the code to run in the place of an imported module's."""
    module = sys.modules.get(loader.name)
    if module is None or not wanted.file(loader.path, loader.name):
        return code
    source = source_of(loader)
    if source is None:
        return code
    return prepared(source[1], source[0], loader.path, vars(module)) or code


def _main_module(loader: object, spec: ModuleSpec | None, file: str | None) -> dict[str, Any]:
    """Put a new module `__main__` in the place of ours; give its names."""
    import builtins
    from types import ModuleType

    module = ModuleType("__main__")
    names = vars(module)
    names.update(
        __loader__=loader,
        __spec__=spec,
        __package__=None if spec is None else spec.parent,
        __builtins__=builtins,
        __annotations__={},
        __file__=file,
        __cached__=None if spec is None else spec.cached,
    )
    sys.modules["__main__"] = module
    return names


def _script(wanted: _Wanted, path: str, arguments: list[str]) -> int:
    sys.argv = [path, *arguments]
    if os.path.isdir(path):
        raise UsageError(f"run: {path} is a directory: run the script in it, or -m MODULE")
    sys.path[0] = os.path.dirname(os.path.realpath(path))
    try:
        with open(path, "rb") as file:
            data = file.read()
    except OSError as error:
        raise UsageError(f"run: can't open file {path!r}: {error.strerror}") from None
    name = os.path.abspath(path)
    loader = SourceFileLoader("__main__", name)
    names = _main_module(loader, None, name)
    return _executed(wanted, loader, data, names)


def _module(wanted: _Wanted, module: str, arguments: list[str]) -> int:
    import runpy

    sys.argv = ["-m", *arguments]
    sys.path[0] = os.getcwd()
    try:
        _, spec, code = runpy._get_module_details(module)  # type: ignore[attr-defined]
    except ImportError as error:
        raise UsageError(f"run: {error}") from None
    sys.argv[0] = spec.origin
    names = _main_module(spec.loader, spec, spec.origin)
    if type(spec.loader) is SourceFileLoader:
        return _executed(wanted, spec.loader, spec.loader.get_data(spec.origin), names)
    return _finished(code, names)


def _executed(wanted: _Wanted, loader: SourceFileLoader, data: bytes, names: dict[str, Any]) -> int:
    code = None
    if MODE == "on" and wanted.file(loader.path, "__main__"):
        source = source_of(loader)
        if source is not None:
            code = prepared(source[1], source[0], loader.path, names)
    if code is None:
        try:
            code = compile(data, loader.path, "exec", dont_inherit=True)
        except (SyntaxError, ValueError) as error:
            _show(error, None)
            return 1
    return _finished(code, names)


def _show(error: BaseException, frames: TracebackType | None) -> None:
    """Show an exception that nobody has caught, with these frames alone."""
    error.__traceback__ = frames
    sys.excepthook(type(error), error, frames)


def _finished(code: CodeType, names: dict[str, Any]) -> int:
    """Run the code; what it raises is shown without us."""
    try:
        exec(code, names)
    except SystemExit:
        raise
    except BaseException as error:
        frames = error.__traceback__
        _show(error, None if frames is None else frames.tb_next)
        if isinstance(error, KeyboardInterrupt):
            import atexit
            import signal

            signal.signal(signal.SIGINT, signal.SIG_DFL)
            # Behind all that the program has registered, as python itself does.
            atexit._run_exitfuncs()
            sys.stdout.flush()
            os.kill(os.getpid(), signal.SIGINT)
        return 1
    return 0
