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

from castiron._castiron import Explanation, InternalError, __version__, explain, is_compiled, stats
from castiron._errors import TypeCheckError
from castiron._jit import disabled, jit
from castiron._typed import typed

__all__ = [
    "Explanation",
    "InternalError",
    "TypeCheckError",
    "__version__",
    "disabled",
    "explain",
    "is_compiled",
    "jit",
    "stats",
    "typed",
]
