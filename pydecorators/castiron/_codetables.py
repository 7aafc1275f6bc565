"""The tables of code objects: the exception table, and the line table, which gives each code unit its position.

It also tells which variables code binds.

Both tables are in CPython's own formats (Objects/exception_handling_notes.txt and Objects/locations.md in its sources).
Invariant: what is read and written again is the same to the byte.
"""

from opcode import opmap

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import CodeType


def _read_varint(table: bytes, position: int) -> tuple[int, int]:
    """Decode a number of the exception table, most significant bits first."""
    byte = table[position]
    value = byte & 63
    while byte & 64:
        position += 1
        byte = table[position]
        value = value << 6 | byte & 63
    return value, position + 1


def _write_varint(value: int, first: int) -> bytes:
    """Encode a number of the exception table; `first` marks the first byte of an entry."""
    groups = [value & 63]
    value >>= 6
    while value:
        groups.append(value & 63 | 64)
        value >>= 6
    groups[-1] |= first
    return bytes(reversed(groups))


def read_exceptions(table: bytes) -> "list[tuple[int, int, int, int]]":
    """Decode an exception table to (start, end, handler, depth * 2 + whether the position is pushed), in units."""
    entries = []
    position = 0
    while position < len(table):
        start, position = _read_varint(table, position)
        length, position = _read_varint(table, position)
        handler, position = _read_varint(table, position)
        depth, position = _read_varint(table, position)
        entries.append((start, start + length, handler, depth))
    return entries


def write_exceptions(entries: "Iterable[tuple[int, int, int, int]]") -> bytes:
    """Encode what `read_exceptions` decodes."""
    parts = []
    for start, end, handler, depth in entries:
        parts.append(_write_varint(start, 128))
        parts.append(_write_varint(end - start, 0))
        parts.append(_write_varint(handler, 0))
        parts.append(_write_varint(depth, 0))
    return b"".join(parts)


# The kinds of entries in a line table (Objects/locations.md in CPython), in bits 3 to 6 of the first byte.
_ONE_LINE_0, _ONE_LINE_2, _NO_COLUMNS, _LONG, _NONE = 10, 12, 13, 14, 15


def _signed_varint(value: int) -> bytes:
    """Encode a signed number of a line table, least significant bits first."""
    unsigned = -value << 1 | 1 if value < 0 else value << 1
    groups = []
    while unsigned > 63:
        groups.append(unsigned & 63 | 64)
        unsigned >>= 6
    groups.append(unsigned)
    return bytes(groups)


def _same_place(entry: bytes) -> tuple[int, bytes]:
    """Give the kind and payload of an entry at the same place that follows this entry."""
    kind = entry[0] >> 3 & 15
    if _ONE_LINE_0 <= kind <= _ONE_LINE_2:
        return _ONE_LINE_0, entry[1:]
    if kind in (_NO_COLUMNS, _LONG):
        end = 1
        while entry[end] & 64:
            end += 1
        return kind, b"\0" + entry[end + 1 :]
    return kind, entry[1:]


def _entries_of(kind: int, payload: bytes, length: int) -> bytes:
    """Encode entries of this kind for so many units, all of them with this payload."""
    parts = []
    while length > 0:
        units = min(length, 8)
        parts.append(bytes((128 | kind << 3 | units - 1,)) + payload)
        length -= units
    return b"".join(parts)


def grow_positions(table: bytes, growth: "Iterable[tuple[int, int]]") -> bytes:
    """Lengthen entries: `growth` holds pairs of a unit and how many units its entry grows by, in the units' order."""
    starts = [position for position, byte in enumerate(table) if byte & 128]
    starts.append(len(table))
    parts: list[bytes] = []
    copied = index = unit = 0
    for position, units in growth:
        while unit + (table[starts[index]] & 7) + 1 <= position:
            unit += (table[starts[index]] & 7) + 1
            index += 1
        begin, end = starts[index], starts[index + 1]
        # Several positions may lie in one entry: all of them grow behind it.
        parts.append(table[copied:end])
        copied = end
        kind, payload = _same_place(table[begin:end])
        parts.append(_entries_of(kind, payload, units))
    parts.append(table[copied:])
    return b"".join(parts)


def on_line(delta: int, units: int) -> bytes:
    """Encode the position of units on the line that is `delta` below the last one."""
    first = _entries_of(_NO_COLUMNS, _signed_varint(delta), min(units, 8))
    return first + _entries_of(_NO_COLUMNS, _signed_varint(0), units - 8)


_STORES = frozenset(
    opmap[name]
    for name in ("STORE_FAST", "DELETE_FAST", "STORE_DEREF", "DELETE_DEREF", "LOAD_FAST_AND_CLEAR")
    if name in opmap
)
_STORE_TWO = opmap.get("STORE_FAST_STORE_FAST", -1)
_STORE_FIRST = opmap.get("STORE_FAST_LOAD_FAST", -1)
_EXTENDED_ARG = opmap["EXTENDED_ARG"]


def rebound(code: "CodeType") -> set[int]:
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
