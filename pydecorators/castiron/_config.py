"""Reads `[tool.castiron]` of a project's pyproject.toml.

In: a directory of the project. Out: `Settings`. Tables below `[tool.castiron]` belong to other parts and are not
looked at. Invariant: a setting that is misspelt or of the wrong kind is an error that names the file.
"""

from __future__ import annotations

from os.path import dirname, isfile, join

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

ON_VIOLATION = ("raise", "warn")


class ConfigurationError(Exception):
    """The table [tool.castiron] of a pyproject.toml is wrong."""


ConfigurationError.__module__ = "castiron"


class Settings:
    """What `[tool.castiron]` says; `path` is the file that says it, None where there is none."""

    __slots__ = ("deep", "enforce", "exclude", "modules", "on_violation", "path", "strict")

    def __init__(self, path: str | None = None) -> None:
        self.path = path
        #: The packages that `enforce()` enforces.
        self.enforce: tuple[str, ...] = ()
        #: Modules, classes and functions that are left alone, by their dotted names.
        self.exclude: tuple[str, ...] = ()
        #: The packages and modules that wheels of the project have as extension modules.
        self.modules: tuple[str, ...] = ()
        self.deep = False
        self.strict = False
        self.on_violation = "raise"


def settings_above(directory: str) -> Settings:
    """Read the settings of the innermost pyproject.toml at or above the directory that has any."""
    while True:
        path = join(directory, "pyproject.toml")
        if isfile(path):
            table = _table_of(path)
            if table is not None:
                return _settings(path, table)
        above = dirname(directory)
        if above == directory:
            return Settings()
        directory = above


def _table_of(path: str) -> dict[str, Any] | None:
    import tomllib

    with open(path, "rb") as file:
        try:
            document = tomllib.load(file)
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise ConfigurationError(f"{path}: {error}") from None
    table = document.get("tool", {}).get("castiron")
    if table is not None and not isinstance(table, dict):
        raise ConfigurationError(f"{path}: tool.castiron must be a table, not {table!r}")
    return table


def _settings(path: str, table: dict[str, Any]) -> Settings:
    settings = Settings(path)
    for name, value in table.items():
        if isinstance(value, dict):
            continue
        if name in ("enforce", "exclude", "modules"):
            right = isinstance(value, list) and all(isinstance(item, str) for item in value)
            wanted = "a list of dotted names"
            value = tuple(value) if right else value
        elif name in ("deep", "strict"):
            right, wanted = isinstance(value, bool), "true or false"
        elif name == "on_violation":
            right, wanted = value in ON_VIOLATION, '"raise" or "warn"'
        else:
            raise ConfigurationError(f"{path}: tool.castiron has no setting {name!r}{_meant(name)}")
        if not right:
            raise ConfigurationError(f"{path}: tool.castiron.{name} must be {wanted}, not {value!r}")
        setattr(settings, name, value)
    return settings


def _meant(name: str) -> str:
    from difflib import get_close_matches

    names = [slot for slot in Settings.__slots__ if slot != "path"]
    found = get_close_matches(name, names, 1)
    return f"; did you mean {found[0]!r}?" if found else f", only {', '.join(names)}"
