"""Which variables the code of a function binds anew: they do not hold their arguments until the end."""

from __future__ import annotations

from opcode import opmap

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType

_STORES = frozenset(
    opmap[name]
    for name in ("STORE_FAST", "DELETE_FAST", "STORE_DEREF", "DELETE_DEREF", "LOAD_FAST_AND_CLEAR")
    if name in opmap
)
_STORE_TWO = opmap.get("STORE_FAST_STORE_FAST", -1)
_STORE_FIRST = opmap.get("STORE_FAST_LOAD_FAST", -1)
_EXTENDED_ARG = opmap["EXTENDED_ARG"]


def rebound(code: CodeType) -> set[int]:
    """Give the numbers of the variables that the code may bind or delete; another function may bind a cell.

    >>> def f(a, b): b = a
    >>> rebound(f.__code__)
    {1}
    """
    found = {number for number, name in enumerate(code.co_varnames) if name in code.co_cellvars}
    text, argument = code.co_code, 0
    for unit in range(0, len(text), 2):
        operation = text[unit]
        argument = argument << 8 | text[unit + 1]
        if operation == _EXTENDED_ARG:
            continue
        if operation in _STORES:
            found.add(argument)
        elif operation == _STORE_TWO:
            found.update((argument >> 4, argument & 15))
        elif operation == _STORE_FIRST:
            found.add(argument >> 4)
        argument = 0
    return found
