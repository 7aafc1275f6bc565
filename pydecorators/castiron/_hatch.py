"""The build hook of hatchling: the modules of `[tool.castiron] modules` go into the wheel as extension modules too.

Named in a project's pyproject.toml as `[tool.hatch.build.targets.wheel.hooks.castiron]`. The wheel is one of this
interpreter and machine. An editable install keeps the source alone.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from hatchling.plugin import hookimpl

from castiron._wheels import built, wanted


class CastironBuildHook(BuildHookInterface):  # type: ignore[misc] # hatchling is not installed where types are checked
    """Adds extension modules to a wheel."""

    PLUGIN_NAME = "castiron"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build the modules before the wheel is packed."""
        if self.target_name != "wheel" or version == "editable":
            return
        modules = wanted(Path(self.root))
        if not modules:
            return
        output = Path(self.directory) / ".castiron"
        for place, path in built(modules, output).items():
            build_data["force_include"][str(path)] = place
        build_data["pure_python"] = False
        build_data["infer_tag"] = True


@hookimpl  # type: ignore[untyped-decorator] # as above
def hatch_register_build_hook() -> type[CastironBuildHook]:
    """Tell hatchling about the hook."""
    return CastironBuildHook
