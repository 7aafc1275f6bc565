"""Weaves checks into a copy of a function's bytecode.

In: a code object, a check for some of its arguments and one for its results. Out: a copy that runs

    LOAD_CONST check; LOAD_FAST argument; DELETE_SUBSCR         before the first traceable instruction, or
    LOAD_CONST check; LOAD_CONST check; DELETE_SUBSCR           where the check reads several arguments from the frame,
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

import opcode
from _bisect import bisect_left
from _weakref import ref
from opcode import hasjrel, opmap, opname
from types import CodeType

from castiron._codetables import grow_positions, on_line, read_exceptions, write_exceptions

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Protocol

    from castiron._castiron import FunctionPlan

    class Check(Protocol):
        """What is woven in: the native checker."""

        def __delitem__(self, value: object, /) -> None:
            """Raise when the value breaks the annotation."""

        def certain(self, value: object, /) -> bool:
            """Tell whether the value passes now and for ever, without running foreign code."""


CO_GENERATOR, CO_ASYNC_GENERATOR = 0x20, 0x200
MAX_ARG = 255

EXTENDED_ARG = opmap["EXTENDED_ARG"]
LOAD_CONST = opmap["LOAD_CONST"]
LOAD_FAST = opmap["LOAD_FAST"]
LOAD_DEREF = opmap["LOAD_DEREF"]
COPY = opmap["COPY"]
DELETE_SUBSCR = opmap["DELETE_SUBSCR"]
MAKE_CELL = opmap["MAKE_CELL"]
COPY_FREE_VARS = opmap["COPY_FREE_VARS"]
RESUME = opmap["RESUME"]
RERAISE = opmap["RERAISE"]
NOP = opmap["NOP"]
RETURN_GENERATOR = opmap["RETURN_GENERATOR"]
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
        text, caches, forward, backward = self.text, CACHES, FORWARD_JUMPS, BACKWARD_JUMPS
        returns = (RETURN_VALUE, RETURN_CONST)
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


def _last_line(code: CodeType) -> int:
    last = code.co_firstlineno
    for _, _, line in code.co_lines():
        if line is not None:
            last = line
    return last


def _bounce(code: CodeType) -> tuple[bytes, bytes]:
    """Give the handler of a failed argument check and its entry in the line table."""
    return _emit(RESUME) + _emit(RERAISE), on_line(code.co_firstlineno - _last_line(code), 2)


class _Constants:
    """The constants of the copy."""

    def __init__(self, constants: tuple[object, ...]) -> None:
        self.items = list(constants)

    def add(self, constant: object) -> int:
        self.items.append(constant)
        return len(self.items) - 1


def _argument_checks(
    layout: _Layout, arguments: "Sequence[tuple[int, Check]]", together: "Check | None", constants: _Constants
) -> bytes:
    if together is not None and layout.cells.isdisjoint(variable for variable, _ in arguments):
        load = _emit(LOAD_CONST, constants.add(together))
        return load + load + _emit(DELETE_SUBSCR)
    parts = []
    for variable, check in arguments:
        parts.append(_emit(LOAD_CONST, constants.add(check)))
        parts.append(_emit(LOAD_DEREF if variable in layout.cells else LOAD_FAST, variable))
        parts.append(_emit(DELETE_SUBSCR))
    return b"".join(parts)


def _result_checks(
    layout: _Layout,
    check: "Check",
    constants: _Constants,
    insertions: _Insertions,
    patches: dict[int, tuple[int, bytes]],
) -> None:
    number = constants.add(check)
    text = _emit(LOAD_CONST, number) + _emit(COPY, 2) + _emit(DELETE_SUBSCR)
    targets = {jump.target for jump in layout.jumps}
    for start, unit, argument in layout.returns:
        if layout.text[2 * unit] == RETURN_CONST:
            if check.certain(constants.items[argument]):
                continue
            insertions.add(start, _emit(LOAD_CONST, argument) + text)
            # NOP stands where the prefixes of the constant's number were.
            patches[start] = (unit + 1, _emit(NOP) * (unit - start) + _emit(RETURN_VALUE))
        elif not _returns_certain(layout, unit, targets, check, constants):
            insertions.add(start, text)


def _returns_certain(layout: _Layout, unit: int, targets: set[int], check: "Check", constants: _Constants) -> bool:
    """Tell whether the return at the unit can only return a constant that passes for certain."""
    if unit in targets or unit == 0:
        return False
    operation, argument = layout.text[2 * unit - 2 : 2 * unit]
    # A cache or an argument of a wider instruction is never taken for LOAD_CONST: returns follow neither directly
    # unless the unit before is an instruction, and EXTENDED_ARG before it is tested here.
    if operation != LOAD_CONST or (unit > 1 and layout.text[2 * unit - 4] == EXTENDED_ARG):
        return False
    return check.certain(constants.items[argument])


def insert_checks(
    code: CodeType, arguments: "Sequence[tuple[int, Check]]", result: "Check | None", together: "Check | None" = None
) -> "CodeType | None":
    """Give a copy of the code with the checks, or None when the code has a form that is not known.

    `arguments` are pairs of a variable's number and its check; `together` checks all of them by reading the frame, for
    which they must not be cells. The result of a generator is not checked: it is what
    RETURN_GENERATOR makes; that of a coroutine is what it returns.
    """
    layout = _Layout(code)
    if layout.text[2 * layout.entry] not in (RESUME, RETURN_GENERATOR):
        return None
    constants = _Constants(code.co_consts)
    insertions = _Insertions()
    patches: dict[int, tuple[int, bytes]] = {}
    checks = _argument_checks(layout, arguments, together, constants)
    if checks:
        insertions.add(layout.entry, checks)
    if result is not None and not code.co_flags & (CO_GENERATOR | CO_ASYNC_GENERATOR):
        _result_checks(layout, result, constants, insertions, patches)
    if not insertions.before:
        return None
    text = _new_text(layout, insertions, patches)
    exceptions = [
        (
            insertions.place(start) if start == layout.entry else insertions.label(start),
            insertions.label(end),
            insertions.label(handler),
            depth,
        )
        for start, end, handler, depth in read_exceptions(code.co_exceptiontable)
    ]
    growth = [(unit, len(inserted) // 2) for unit, inserted in sorted(insertions.before.items())]
    table = grow_positions(code.co_linetable, growth)
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
        # A constant that is returned was not on the stack before: it, the check and the copy make three.
        co_stacksize=code.co_stacksize + 3,
    )


class _Record:
    """A woven code object: what it was woven from, and by which plan."""

    __slots__ = ("original", "plan", "woven")

    def __init__(self, woven: "ref[CodeType]", original: CodeType, plan: "FunctionPlan") -> None:
        self.woven = woven
        self.original = original
        self.plan = plan


# Keyed by identity: equal code objects of different files are different. A record dies with the woven code, and keeps
# the original alive until then, so that no number is ever another object's.
_by_woven: "dict[int, _Record]" = {}
_by_original: "dict[int, list[_Record]]" = {}


def weave(code: CodeType, plan: "FunctionPlan") -> CodeType:
    """Give the code with the plan's checks: one copy per code and plan, the code itself where nothing is checked.

    Code that is woven already is woven anew from its original.
    """
    code = original(code)
    for record in _by_original.get(id(code), ()):
        woven = record.woven()
        if woven is not None and record.plan.same(plan):
            return woven
    arguments = [(variable, plan.argument_checker(variable)) for variable in plan.checked()]
    together = plan.arguments_checker() if len(arguments) > 1 else None
    result = plan.result_checker()
    if not arguments and result is None:
        return code
    woven = insert_checks(code, arguments, result, together)
    if woven is None:
        return code
    _remember(woven, code, plan)
    return woven


def _remember(woven: CodeType, code: CodeType, plan: "FunctionPlan") -> None:
    key, origin = id(woven), id(code)

    def forget(_: object) -> None:
        record = _by_woven.pop(key)
        others = [other for other in _by_original[origin] if other is not record]
        if others:
            _by_original[origin] = others
        else:
            del _by_original[origin]

    record = _by_woven[key] = _Record(ref(woven, forget), code, plan)
    _by_original[origin] = [*_by_original.get(origin, ()), record]


def original(code: CodeType) -> CodeType:
    """Give the code that this code was woven from, or the code itself."""
    record = _by_woven.get(id(code))
    return code if record is None else record.original


def plan_of(code: CodeType) -> "FunctionPlan | None":
    """Give the plan whose checks are woven into the code."""
    record = _by_woven.get(id(code))
    return None if record is None else record.plan
