"""The helper of setuptools: the modules of `[tool.castiron] modules` go into the wheel as extension modules too.

Setuptools finds it by its entry point where castiron is among the requirements of the build; projects without that
list are left as they are. An editable install keeps the source alone.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from shutil import copyfile
from typing import Any

from setuptools import Extension
from setuptools.command.build_ext import build_ext

from castiron import _build
from castiron._wheels import built, wanted


class CastironExtension(Extension):  # type: ignore[misc] # setuptools is not installed where types are checked
    """A module of the project that castiron builds."""

    def __init__(self, module: _build.Module) -> None:
        name = module.name
        super().__init__(f"{name}.__init__" if module.source.name == "__init__.py" else name, [])
        self.module = module


def finalize(distribution: Any) -> None:
    """Add the project's modules to what is built."""
    modules = wanted(Path.cwd())
    if not modules:
        return
    base: Any = distribution.cmdclass.get("build_ext", build_ext)

    class CastironBuildExt(base):  # type: ignore[misc] # whatever the project has chosen
        """Builds the modules of castiron's, and all others as before."""

        extensions: list[Any]

        def run(self) -> None:
            if getattr(self, "editable_mode", False) or self.inplace:
                self.extensions = [one for one in self.extensions if not isinstance(one, CastironExtension)]
            super().run()

        def build_extension(self, extension: Any) -> None:
            if not isinstance(extension, CastironExtension):
                super().build_extension(extension)
                return
            target = Path(self.get_ext_fullpath(extension.name))
            target.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory() as folder:
                for path in built([extension.module], Path(folder)).values():
                    copyfile(path, target)

    distribution.cmdclass["build_ext"] = CastironBuildExt
    distribution.ext_modules = [*(distribution.ext_modules or []), *map(CastironExtension, modules)]
