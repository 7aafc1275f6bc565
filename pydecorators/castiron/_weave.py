"""Weaves checks into a copy of a function's bytecode.

In: a code object, a check for some of its arguments and one for its results. Out: a copy that runs

    LOAD_CONST check; LOAD_FAST argument; DELETE_SUBSCR         before the first traceable instruction
    LOAD_CONST check; COPY 2; DELETE_SUBSCR                     before each return

so that `del check[value]` raises when the value breaks the annotation. The frames, and with them
recursion limits, tracebacks and `sys._getframe`, stay the interpreter's.

Invariants:
- The arguments are checked before RESUME, where the interpreter neither traces nor counts lines, so a call that
  passes looks to tracers, debuggers and coverage tools as it does without the checks.
- An argument that fails leaves through `RESUME; RERAISE` at the end of the code: the exception gets no traceback
  entry for the function, its last one is the caller's line, and tracers see a call with its return.
- Inserted instructions take the position of the instruction they stand before. Jumps, exception ranges and
  positions of all other instructions mean what they meant.
- Only the text of the code changes: names, lines, flags, variables and the other constants are the original's.
"""

import sys
from _weakref import ref
from types import CodeType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Protocol

    class Check(Protocol):
        """What is woven in."""

        def __delitem__(self, value: object, /) -> None:
            """Raise when the value breaks the annotation."""

        def certain(self, value: object, /) -> bool:
            """Tell whether the value passes now and for ever, without running foreign code."""


CO_GENERATOR, CO_COROUTINE, CO_ASYNC_GENERATOR = 0x20, 0x80, 0x200
EXTENDED_ARG = 144
MAX_ARG = 255


class _Opcodes:
    """The running interpreter's instruction set, as far as weaving needs it."""

    def __init__(self) -> None:
        import opcode

        names = opcode.opmap
        entries = getattr(opcode, "_inline_cache_entries")
        by_name = isinstance(entries, dict)
        self.caches = [0] * 256
        for name, number in names.items():
            if number < 256:
                self.caches[number] = entries.get(name, 0) if by_name else entries[number]
        self.forward = frozenset(number for number in opcode.hasjrel if "BACKWARD" not in opcode.opname[number])
        self.backward = frozenset(opcode.hasjrel) - self.forward
        self.supported = not opcode.hasjabs and names["EXTENDED_ARG"] == EXTENDED_ARG
        self.load_const = names["LOAD_CONST"]
        self.load_fast = names["LOAD_FAST"]
        self.load_deref = names["LOAD_DEREF"]
        self.copy = names["COPY"]
        self.delete_subscr = names["DELETE_SUBSCR"]
        self.make_cell = names["MAKE_CELL"]
        self.copy_free_vars = names["COPY_FREE_VARS"]
        self.resume = names["RESUME"]
        self.return_generator = names["RETURN_GENERATOR"]
        self.return_value = names["RETURN_VALUE"]
        self.return_const = names.get("RETURN_CONST")
        self.reraise = names["RERAISE"]
        self.nop = names["NOP"]


_opcodes: "_Opcodes | None" = None


def _instruction_set() -> _Opcodes:
    global _opcodes
    if _opcodes is None:
        _opcodes = _Opcodes()
    return _opcodes


class _Jump:
    """A jump of the original code, in code units."""

    __slots__ = ("argument", "backward", "end", "opcode", "operation", "start", "target")

    def __init__(self, start: int, operation: int, end: int, opcode: int, argument: int, backward: bool) -> None:
        self.start = start
        self.operation = operation
        self.end = end
        self.opcode = opcode
        self.argument = argument
        self.backward = backward
        self.target = end - argument if backward else end + argument


class _Layout:
    """What a pass over the original instructions finds, in code units."""

    __slots__ = ("cells", "entry", "jumps", "returns", "text")

    def __init__(self, code: CodeType) -> None:
        self.text = code.co_code
        self.jumps: list[_Jump] = []
        # Start of the instruction with its prefixes, its operation's unit, its argument.
        self.returns: list[tuple[int, int, int]] = []
        self.entry, self.cells = _prologue(self.text)
        self._scan()

    def _scan(self) -> None:
        ops = _instruction_set()
        text, caches, forward, backward = self.text, ops.caches, ops.forward, ops.backward
        returns = (ops.return_value, ops.return_const)
        start = unit = argument = 0
        units = len(text) // 2
        while unit < units:
            operation = text[2 * unit]
            argument = argument << 8 | text[2 * unit + 1]
            if operation == EXTENDED_ARG:
                unit += 1
                continue
            end = unit + 1 + caches[operation]
            if operation in forward:
                self.jumps.append(_Jump(start, unit, end, operation, argument, backward=False))
            elif operation in backward:
                self.jumps.append(_Jump(start, unit, end, operation, argument, backward=True))
            elif operation in returns:
                self.returns.append((start, unit, argument))
            start = unit = end
            argument = 0


def _prologue(text: bytes) -> tuple[int, set[int]]:
    """Find where the first instruction after the interpreter's own prologue starts, and which variables became cells."""
    ops = _instruction_set()
    cells: set[int] = set()
    start = unit = argument = 0
    while True:
        operation = text[2 * unit]
        argument = argument << 8 | text[2 * unit + 1]
        unit += 1
        if operation == EXTENDED_ARG:
            continue
        if operation == ops.make_cell:
            cells.add(argument)
        elif operation != ops.copy_free_vars:
            return start, cells
        start = unit
        argument = 0


def _emit(operation: int, argument: int = 0) -> bytes:
    """Encode an instruction without caches."""
    if argument <= MAX_ARG:
        return bytes((operation, argument))
    parts = [operation, argument & MAX_ARG]
    argument >>= 8
    while argument:
        parts[:0] = (EXTENDED_ARG, argument & MAX_ARG)
        argument >>= 8
    return bytes(parts)


class _Insertions:
    """Code to insert before units of the original, and where the units go."""

    def __init__(self) -> None:
        self.before: dict[int, bytes] = {}
        self._positions: list[int] = []
        self._growth: list[int] = []

    def add(self, unit: int, text: bytes) -> None:
        """Insert after what is already inserted before this unit."""
        self.before[unit] = self.before.get(unit, b"") + text

    def settle(self) -> None:
        """Make `label` answer for the insertions so far."""
        self._positions = sorted(self.before)
        total = 0
        self._growth = [0]
        for position in self._positions:
            total += len(self.before[position]) // 2
            self._growth.append(total)

    def label(self, unit: int) -> int:
        """Where a jump to the unit goes: to what is inserted before it."""
        from _bisect import bisect_left

        return unit + self._growth[bisect_left(self._positions, unit)]

    def place(self, unit: int) -> int:
        """Where the unit itself goes."""
        return self.label(unit) + len(self.before.get(unit, b"")) // 2


def _jump_text(jump: _Jump, insertions: _Insertions) -> bytes:
    """Encode the jump's operation with its prefixes, at least as wide as the original."""
    distance = insertions.label(jump.target) - insertions.label(jump.end)
    text = _emit(jump.opcode, -distance if jump.backward else distance)
    missing = (jump.operation + 1 - jump.start) - len(text) // 2
    return bytes((EXTENDED_ARG, 0)) * missing + text if missing > 0 else text


def _settle_jumps(layout: _Layout, insertions: _Insertions) -> dict[int, bytes]:
    """Encode all jumps; those that no longer fit get prefixes inserted before them until everything fits."""
    widened: dict[int, int] = {}
    while True:
        insertions.settle()
        texts: dict[int, bytes] = {}
        grown = False
        for jump in layout.jumps:
            text = _jump_text(jump, insertions)
            width = jump.operation + 1 - jump.start + widened.get(jump.start, 0)
            missing = len(text) // 2 - width
            if missing > 0:
                insertions.add(jump.start, bytes((EXTENDED_ARG, 0)) * missing)
                widened[jump.start] = widened.get(jump.start, 0) + missing
                grown = True
            elif missing < 0:
                text = bytes((EXTENDED_ARG, 0)) * -missing + text
            texts[jump.start] = text
        if not grown:
            return texts


def _new_text(layout: _Layout, insertions: _Insertions, patches: dict[int, tuple[int, bytes]]) -> bytes:
    """Join the insertions, the patched instructions and what lies between them."""
    jumps = _settle_jumps(layout, insertions)
    for jump in layout.jumps:
        text = jumps[jump.start]
        extra = len(text) // 2 - (jump.operation + 1 - jump.start)
        if extra:
            # The prefixes stand among the insertions; only their values were open.
            inserted = insertions.before[jump.start]
            insertions.before[jump.start] = inserted[: len(inserted) - 2 * extra] + text[: 2 * extra]
        patches[jump.start] = (jump.operation + 1, text[2 * extra :])
    parts: list[bytes] = []
    done = 0
    for unit in sorted(insertions.before.keys() | patches.keys()):
        parts.append(layout.text[2 * done : 2 * unit])
        parts.append(insertions.before.get(unit, b""))
        done = unit
        if unit in patches:
            done, text = patches[unit]
            parts.append(text)
    parts.append(layout.text[2 * done :])
    return b"".join(parts)


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


def _grow_positions(table: bytes, insertions: _Insertions) -> bytes:
    """Lengthen the entries of the units that something is inserted before."""
    starts = [position for position, byte in enumerate(table) if byte & 128]
    starts.append(len(table))
    parts: list[bytes] = []
    copied = 0
    index = unit = 0
    for position in sorted(insertions.before):
        while unit + (table[starts[index]] & 7) + 1 <= position:
            unit += (table[starts[index]] & 7) + 1
            index += 1
        begin, end = starts[index], starts[index + 1]
        growth = len(insertions.before[position]) // 2
        # Several insertions may fall into one entry: what follows the entry absorbs each of them.
        parts.append(table[copied:end])
        copied = end
        kind, payload = _same_place(table[begin:end])
        parts.append(_entries_of(kind, payload, growth))
    parts.append(table[copied:])
    return b"".join(parts)


def _last_line(code: CodeType) -> int:
    last = code.co_firstlineno
    for _, _, line in code.co_lines():
        if line is not None:
            last = line
    return last


def _bounce(code: CodeType) -> tuple[bytes, bytes]:
    """Give the handler of a failed argument check and its entry in the line table."""
    ops = _instruction_set()
    delta = _signed_varint(code.co_firstlineno - _last_line(code))
    return _emit(ops.resume) + _emit(ops.reraise), _entries_of(_NO_COLUMNS, delta, 2)


class _Constants:
    """The constants of the copy."""

    def __init__(self, constants: tuple[object, ...]) -> None:
        self.items = list(constants)

    def add(self, constant: object) -> int:
        self.items.append(constant)
        return len(self.items) - 1


def _argument_checks(layout: _Layout, arguments: "Sequence[tuple[int, Check]]", constants: _Constants) -> bytes:
    ops = _instruction_set()
    parts = []
    for variable, check in arguments:
        parts.append(_emit(ops.load_const, constants.add(check)))
        parts.append(_emit(ops.load_deref if variable in layout.cells else ops.load_fast, variable))
        parts.append(_emit(ops.delete_subscr))
    return b"".join(parts)


def _result_checks(
    layout: _Layout, check: "Check", constants: _Constants, insertions: _Insertions, patches: dict[int, tuple[int, bytes]]
) -> None:
    ops = _instruction_set()
    number = constants.add(check)
    text = _emit(ops.load_const, number) + _emit(ops.copy, 2) + _emit(ops.delete_subscr)
    targets = {jump.target for jump in layout.jumps}
    for start, unit, argument in layout.returns:
        if layout.text[2 * unit] == ops.return_const:
            if check.certain(constants.items[argument]):
                continue
            insertions.add(start, _emit(ops.load_const, argument) + text)
            # NOP stands where the prefixes of the constant's number were.
            patches[start] = (unit + 1, _emit(ops.nop) * (unit - start) + _emit(ops.return_value))
        elif not _returns_certain(layout, unit, targets, check, constants):
            insertions.add(start, text)


def _returns_certain(
    layout: _Layout, unit: int, targets: set[int], check: "Check", constants: _Constants
) -> bool:
    """Tell whether the return at the unit can only return a constant that passes for certain."""
    if unit in targets or unit == 0:
        return False
    operation, argument = layout.text[2 * unit - 2 : 2 * unit]
    # A cache or an argument of a wider instruction is never taken for LOAD_CONST: returns follow neither directly
    # unless the unit before is an instruction, and EXTENDED_ARG before it is tested here.
    if operation != _instruction_set().load_const or (unit > 1 and layout.text[2 * unit - 4] == EXTENDED_ARG):
        return False
    return check.certain(constants.items[argument])


def insert_checks(
    code: CodeType, arguments: "Sequence[tuple[int, Check]]", result: "Check | None"
) -> "CodeType | None":
    """Give a copy of the code with the checks, or None when the code has a form that is not known.

    `arguments` are pairs of a variable's number and its check. The result of a generator is not checked: it is what
    RETURN_GENERATOR makes; that of a coroutine is what it returns.
    """
    ops = _instruction_set()
    layout = _Layout(code)
    if not ops.supported or layout.text[2 * layout.entry] not in (ops.resume, ops.return_generator):
        return None
    constants = _Constants(code.co_consts)
    insertions = _Insertions()
    patches: dict[int, tuple[int, bytes]] = {}
    checks = _argument_checks(layout, arguments, constants)
    if checks:
        insertions.add(layout.entry, checks)
    if result is not None and not code.co_flags & (CO_GENERATOR | CO_ASYNC_GENERATOR):
        _result_checks(layout, result, constants, insertions, patches)
    if not insertions.before:
        return None
    text = _new_text(layout, insertions, patches)
    exceptions = [
        (insertions.place(start) if start == layout.entry else insertions.label(start), insertions.label(end),
         insertions.label(handler), depth)
        for start, end, handler, depth in read_exceptions(code.co_exceptiontable)
    ]
    table = _grow_positions(code.co_linetable, insertions)
    if checks:
        exceptions.append((layout.entry, layout.entry + len(checks) // 2, len(text) // 2, 0))
        exceptions.sort()
        handler, position = _bounce(code)
        text += handler
        table += position
    return code.replace(
        co_code=text,
        co_consts=tuple(constants.items),
        co_exceptiontable=write_exceptions(exceptions),
        co_linetable=table,
        co_stacksize=code.co_stacksize + 2,
    )
