"""What hatchling's hook and setuptools' helper share: which modules of a project are built into its wheel.

In: the project's directory, whose pyproject.toml lists packages and modules in `[tool.castiron] modules`. Out: the
modules, and their extension modules in a directory of the caller's. The project is never imported or run.
"""

from __future__ import annotations

import sys
from pathlib import Path

from castiron import _build
from castiron._config import ConfigurationError, settings_above

#: Where projects keep their packages.
_ROOTS = ("", "src")


class BuildError(Exception):
    """Modules of the project can't be built."""


def wanted(project: Path) -> list[_build.Module]:
    """Find the modules that the project's pyproject.toml lists, and those below its packages.

    Raises:
        ConfigurationError: it lists a module that there is not.

    """
    settings = settings_above(str(project))
    if settings.path is None or Path(settings.path).parent != project:
        return []
    paths = [_path_of(project, name, settings.path) for name in settings.modules]
    modules = _build.plan(paths, None).modules
    return [module for module in modules if module.source.name != "__main__.py"]


def _path_of(project: Path, name: str, settings: str) -> Path:
    for root in _ROOTS:
        path = project.joinpath(root, *name.split("."))
        if (path / "__init__.py").exists():
            return path
        if path.with_suffix(".py").exists():
            return path.with_suffix(".py")
    raise ConfigurationError(f"{settings}: tool.castiron.modules: there is no module {name} in the project or its src")


def built(modules: list[_build.Module], output: Path) -> dict[str, Path]:
    """Build the modules below a directory; the extension modules by the paths that they have in a wheel.

    Raises:
        BuildError: a module has errors, or its file can't be written.

    """
    moved = []
    for module in modules:
        folder = Path(*module.name.split("."))
        target = output / folder / "__init__.py" if module.source.name == "__init__.py" else output / f"{folder}.py"
        moved.append(_build.Module(module.source, module.name, target))
    try:
        outcomes = _build.build(_build.Plan(moved), _build.default_jobs(), _say)
    except OSError as error:
        raise BuildError(str(error)) from error
    failed = [outcome.message for outcome in outcomes if isinstance(outcome, _build.Failed)]
    if failed:
        raise BuildError("\n\n".join(failed))
    return {str(module.output.relative_to(output)): module.output for module in moved}


def _say(outcome: _build.Outcome) -> None:
    if isinstance(outcome, _build.Built):
        functions = f"{len(outcome.native)} of {len(outcome.native) + len(outcome.bytecode)} functions native"
        print(f"castiron: {outcome.module.name}: {functions}", file=sys.stderr)
