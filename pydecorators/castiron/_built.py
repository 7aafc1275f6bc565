"""What the runtime asks of Python for a module that was built ahead of time: its loader, and whether it is current."""

from __future__ import annotations

import os
import warnings
from importlib.machinery import ExtensionFileLoader

from castiron._source import read_text
from castiron._typed import MODE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType, ModuleType


class BuiltLoader(ExtensionFileLoader):
    """The loader of a built module, which has its source text with it."""

    def __init__(self, name: str, path: str, text: str, code: CodeType) -> None:
        super().__init__(name, path)
        self._text = text
        self._code = code

    def get_source(self, fullname: str) -> str:  # type: ignore[override] # stock extension modules have none
        """Return the text that the module was built from."""
        self._check_name(fullname)
        return self._text

    def get_code(self, fullname: str) -> CodeType:  # type: ignore[override] # stock extension modules have none
        """Return the code of the module's body."""
        self._check_name(fullname)
        return self._code

    def _check_name(self, fullname: str) -> None:
        if fullname != self.name:
            raise ImportError(f"loader for {self.name} cannot handle {fullname}", name=fullname)


def adopt(module: ModuleType, text: str, code: CodeType) -> bool:
    """Give a built module that is about to run its loader; whether it is to run as machine code.

    Warns with RuntimeWarning if the source file beside it is newer and has another text.
    """
    spec = module.__spec__
    if spec is not None and type(spec.loader) is ExtensionFileLoader:
        loader = BuiltLoader(spec.loader.name, spec.loader.path, text, code)
        spec.loader = module.__loader__ = loader
        _warn_if_stale(loader.path, code.co_filename, text)
    return MODE == "on"


def _warn_if_stale(built: str, source: str, text: str) -> None:
    try:
        if os.stat(source).st_mtime <= os.stat(built).st_mtime:
            return
    except OSError:  # it was built to another place, or its source left out
        return
    if read_text(source) != text:
        warnings.warn(
            f"{source} has changed since {built} was built from it; build it again, or remove it with `castiron clean`",
            RuntimeWarning,
            stacklevel=2,
        )
