"""The instructions of a code object: finding them, inserting among them, and encoding jumps again.

In: a code object. Out: its text with insertions. Positions are counted in code units of two bytes.

Invariants:
- Without insertions the text is the same to the byte.
- What is inserted *before* an instruction runs whichever way the instruction is reached; what is inserted *behind* one
  runs only behind that one.
"""

import opcode
from _bisect import bisect_left
from opcode import hasjrel, opmap, opname

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType

MAX_ARG = 255

EXTENDED_ARG = opmap["EXTENDED_ARG"]
MAKE_CELL = opmap["MAKE_CELL"]
COPY_FREE_VARS = opmap["COPY_FREE_VARS"]
RESUME = opmap["RESUME"]
YIELD_VALUE = opmap["YIELD_VALUE"]
RETURN_VALUE = opmap["RETURN_VALUE"]
RETURN_CONST = opmap.get("RETURN_CONST", -1)
BACKWARD_JUMPS = frozenset(number for number in hasjrel if "BACKWARD" in opname[number])
FORWARD_JUMPS = frozenset(hasjrel) - BACKWARD_JUMPS


def _caches_by_opcode() -> list[int]:
    """Give how many cache units follow each instruction."""
    entries = opcode._inline_cache_entries  # type: ignore[attr-defined]
    if isinstance(entries, dict):
        entries = [entries.get(name, 0) for name in opname]
    return [*entries, *[0] * (256 - len(entries))]


CACHES = _caches_by_opcode()


class Jump:
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


#: What RESUME's argument says of the suspension that it ends, in its low bits.
AFTER_YIELD, AFTER_YIELD_FROM = 1, 2
_SUSPENSION = 3


class Yield:
    """An instruction that suspends a generator at a `yield` or `yield from`; RESUME is the unit behind it."""

    __slots__ = ("before", "delegates", "start", "unit")

    def __init__(self, before: int, start: int, unit: int, delegates: bool) -> None:
        # The start of the instruction before it, its own start with its prefixes, its operation's unit.
        self.before = before
        self.start = start
        self.unit = unit
        self.delegates = delegates


class Layout:
    """What a pass over the original instructions finds, in code units."""

    __slots__ = ("cells", "entry", "jumps", "returns", "text", "yields")

    def __init__(self, code: "CodeType") -> None:
        self.text = code.co_code
        self.jumps: list[Jump] = []
        # Start of the instruction with its prefixes, its operation's unit, its argument.
        self.returns: list[tuple[int, int, int]] = []
        self.yields: list[Yield] = []
        self.entry, self.cells = _prologue(self.text)
        self._scan()

    def _scan(self) -> None:
        text, caches, forward, backward = self.text, CACHES, FORWARD_JUMPS, BACKWARD_JUMPS
        returns = (RETURN_VALUE, RETURN_CONST)
        before = start = unit = argument = 0
        units = len(text) // 2
        while unit < units:
            operation = text[2 * unit]
            argument = argument << 8 | text[2 * unit + 1]
            if operation == EXTENDED_ARG:
                unit += 1
                continue
            end = unit + 1 + caches[operation]
            if operation in forward:
                self.jumps.append(Jump(start, unit, end, operation, argument, backward=False))
            elif operation in backward:
                self.jumps.append(Jump(start, unit, end, operation, argument, backward=True))
            elif operation in returns:
                self.returns.append((start, unit, argument))
            elif operation == YIELD_VALUE and text[2 * end] == RESUME:
                suspension = text[2 * end + 1] & _SUSPENSION
                if suspension in (AFTER_YIELD, AFTER_YIELD_FROM):
                    self.yields.append(Yield(before, start, unit, suspension == AFTER_YIELD_FROM))
            before = start
            start = unit = end
            argument = 0


def _prologue(text: bytes) -> tuple[int, set[int]]:
    """Find the first instruction after the interpreter's own prologue, and the variables that became cells there."""
    cells: set[int] = set()
    start = unit = argument = 0
    while True:
        operation = text[2 * unit]
        argument = argument << 8 | text[2 * unit + 1]
        unit += 1
        if operation == EXTENDED_ARG:
            continue
        if operation == MAKE_CELL:
            cells.add(argument)
        elif operation != COPY_FREE_VARS:
            return start, cells
        start = unit
        argument = 0


def emit(operation: int, argument: int = 0) -> bytes:
    """Encode an instruction without caches."""
    if argument <= MAX_ARG:
        return bytes((operation, argument))
    parts = [operation, argument & MAX_ARG]
    argument >>= 8
    while argument:
        parts[:0] = (EXTENDED_ARG, argument & MAX_ARG)
        argument >>= 8
    return bytes(parts)


class Insertions:
    """Code to insert before and behind units of the original, and where the units go."""

    def __init__(self) -> None:
        self.before: dict[int, bytes] = {}
        self.behind: dict[int, bytes] = {}
        self._positions: list[int] = []
        self._growth: list[int] = []

    def add(self, unit: int, text: bytes) -> None:
        """Insert after what is already inserted before this unit."""
        self.before[unit] = self.before.get(unit, b"") + text

    def add_behind(self, unit: int, text: bytes) -> None:
        """Insert behind an instruction of one unit."""
        self.behind[unit] = text

    def settle(self) -> None:
        """Make `label` answer for the insertions so far."""
        total = 0
        self._positions, self._growth = [], [0]
        for position, units in self.growth():
            total += units
            self._positions.append(position)
            self._growth.append(total)

    def growth(self) -> list[tuple[int, int]]:
        """Give how many units are inserted around which units, in the units' order."""
        texts = [*self.before.items(), *self.behind.items()]
        return sorted((unit, len(text) // 2) for unit, text in texts)

    def label(self, unit: int) -> int:
        """Where a jump to the unit goes: to what is inserted before it."""
        return unit + self._growth[bisect_left(self._positions, unit)]

    def place(self, unit: int) -> int:
        """Where the unit itself goes."""
        return self.label(unit) + len(self.before.get(unit, b"")) // 2


def _jump_text(jump: Jump, insertions: Insertions) -> bytes:
    """Encode the jump's operation with its prefixes, at least as wide as the original."""
    distance = insertions.label(jump.target) - insertions.label(jump.end)
    text = emit(jump.opcode, -distance if jump.backward else distance)
    missing = (jump.operation + 1 - jump.start) - len(text) // 2
    return bytes((EXTENDED_ARG, 0)) * missing + text if missing > 0 else text


def _settle_jumps(layout: Layout, insertions: Insertions) -> dict[int, bytes]:
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


def new_text(layout: Layout, insertions: Insertions, patches: dict[int, tuple[int, bytes]]) -> bytes:
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
    for unit in sorted(insertions.before.keys() | patches.keys() | {unit + 1 for unit in insertions.behind}):
        parts.append(layout.text[2 * done : 2 * unit])
        parts.append(insertions.behind.get(unit - 1, b""))
        parts.append(insertions.before.get(unit, b""))
        done = unit
        if unit in patches:
            done, text = patches[unit]
            parts.append(text)
    parts.append(layout.text[2 * done :])
    return b"".join(parts)
