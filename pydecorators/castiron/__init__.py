"""castiron: annotations that hold at run time.

>>> import castiron
>>> @castiron.typed
... def area(width: int, height: int) -> int:
...     return width * height
>>> area(6, "7")
Traceback (most recent call last):
castiron.TypeCheckError: area() argument 'height' must be int, not str: '7'
"""

from castiron._errors import TypeCheckError
from castiron._typed import typed

__all__ = ["TypeCheckError", "typed"]
