"""castiron: annotations that hold at run time, and machine code for the functions that carry them.

>>> import castiron
>>> @castiron.jit
... def area(width: int, height: int) -> int:
...     return width * height
>>> area(6, 7)
42
>>> area("6", 7)
Traceback (most recent call last):
castiron.TypeCheckError: area() argument 'width' must be int, not str: '6'
"""

from castiron._errors import TypeCheckError, TypeCheckWarning
from castiron._mode import PURE
from castiron._typed import typed, unchecked

TYPE_CHECKING = False
if TYPE_CHECKING or not PURE:
    from castiron._castiron import Explanation, InternalError, __version__, explain, is_compiled, stats
    from castiron._jit import disabled, jit
else:
    from castiron._pure import Explanation, InternalError, __version__, disabled, explain, is_compiled, jit, stats

if TYPE_CHECKING:
    from castiron._config import ConfigurationError
    from castiron._enforce import enforce
    from castiron._frozen import frozen
    from castiron._imports import compile_imports

__all__ = [
    "ConfigurationError",
    "Explanation",
    "InternalError",
    "TypeCheckError",
    "TypeCheckWarning",
    "__version__",
    "compile_imports",
    "disabled",
    "enforce",
    "explain",
    "frozen",
    "is_compiled",
    "jit",
    "stats",
    "typed",
    "unchecked",
]


def __getattr__(name: str) -> object:
    """Import what few programs use when it is used."""
    if name == "enforce":
        from castiron._enforce import enforce

        return enforce
    if name == "compile_imports":
        if PURE:
            from castiron._pure import compile_imports as do_nothing

            return do_nothing
        from castiron._imports import compile_imports

        return compile_imports
    if name == "frozen":
        from castiron._frozen import frozen

        return frozen
    if name == "ConfigurationError":
        from castiron._config import ConfigurationError

        return ConfigurationError
    raise AttributeError(f"module 'castiron' has no attribute {name!r}")
