"""Weaves checks into a copy of a function's bytecode.

In: a code object and its checks. Out: a copy that runs

    LOAD_CONST check; LOAD_FAST argument; DELETE_SUBSCR         before the first traceable instruction, or
    LOAD_CONST check; LOAD_CONST check; DELETE_SUBSCR           where the check reads several arguments from the frame,
    LOAD_CONST check; COPY 2; DELETE_SUBSCR                     before each return, before each yield and behind it

so that `del check[value]` raises when the value breaks the annotation. The frames, and with them
recursion limits, tracebacks and `sys._getframe`, stay the interpreter's.

Invariants:
- The arguments are checked before RESUME, where the interpreter neither traces nor counts lines, so a call that
  passes looks to tracers, debuggers and coverage tools as it does without the checks.
- What a generator is sent is checked behind RESUME, where only the way through the yield leads.
- An argument that fails leaves through `RESUME; RERAISE` at the end of the code: the exception gets no traceback
  entry for the function, its last one is the caller's line, and tracers see a call with its return. A second operand
  of an operator leaves through a handler that returns NotImplemented.
- Inserted instructions take the position of the instruction they stand before. Jumps, exception ranges and
  positions of all other instructions mean what they meant.
- Only the text of the code changes: names, lines, flags, variables and the other constants are the original's.
"""

from _collections import deque  # type: ignore[import-not-found]
from _weakref import ref
from opcode import opmap
from types import CodeType

from castiron._bytecode import (
    CACHES,
    EXTENDED_ARG,
    RESUME,
    RETURN_CONST,
    RETURN_VALUE,
    Insertions,
    Layout,
    emit,
    new_text,
)
from castiron._castiron import OperandDeclined
from castiron._codetables import grow_positions, on_line, read_exceptions, write_exceptions

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from typing import Protocol

    from castiron._castiron import FunctionPlan

    class Check(Protocol):
        """What is woven in: the native checker."""

        def __delitem__(self, value: object, /) -> None:
            """Raise when the value breaks the annotation."""

        def certain(self, value: object, /) -> bool:
            """Tell whether the value passes now and for ever, without running foreign code."""


COPY = opmap["COPY"]
CALL_INTRINSIC_1 = opmap.get("CALL_INTRINSIC_1", -1)
CHECK_EXC_MATCH = opmap["CHECK_EXC_MATCH"]
DELETE_SUBSCR = opmap["DELETE_SUBSCR"]
JUMP_FORWARD = opmap["JUMP_FORWARD"]
LOAD_CONST = opmap["LOAD_CONST"]
LOAD_DEREF = opmap["LOAD_DEREF"]
LOAD_FAST = opmap["LOAD_FAST"]
NOP = opmap["NOP"]
POP_JUMP_IF_FALSE = opmap.get("POP_JUMP_IF_FALSE", opmap.get("POP_JUMP_FORWARD_IF_FALSE", -1))
POP_TOP = opmap["POP_TOP"]
RERAISE = opmap["RERAISE"]
RETURN_GENERATOR = opmap["RETURN_GENERATOR"]
SEND = opmap["SEND"]

# Before 3.12 throw() into a generator that delegates reads the end of the delegation from the SEND that stands
# directly before its YIELD_VALUE.
THROW_READS_SEND = "CLEANUP_THROW" not in opmap

# Objects whose annotation names no parts of a generator are tested against these.
_GENERATOR = (number for number in range(0))


async def _async_generator() -> "AsyncIterator[None]":
    yield


_ASYNC_GENERATOR = _async_generator()

CO_NESTED, CO_GENERATOR, CO_ASYNC_GENERATOR = 0x10, 0x20, 0x200


class Checks:
    """What is woven into one code object; None and empty is not checked.

    `arguments` are pairs of a variable's number and its check; `together` checks all of them by reading the frame,
    for which they must not be cells. `result`, `yields` and `sends` are of what a function returns and a generator
    yields and is sent, `made` of the generator itself. `declines`: the second operand's check raises OperandDeclined.
    """

    __slots__ = ("arguments", "declines", "made", "result", "sends", "together", "yields")

    def __init__(
        self,
        arguments: "Sequence[tuple[int, Check]]" = (),
        result: "Check | None" = None,
        *,
        together: "Check | None" = None,
        yields: "Check | None" = None,
        sends: "Check | None" = None,
        made: "Check | None" = None,
        declines: bool = False,
    ) -> None:
        self.arguments = arguments
        self.result = result
        self.together = together
        self.yields = yields
        self.sends = sends
        self.made = made
        self.declines = declines


def _last_line(code: CodeType) -> int:
    last = code.co_firstlineno
    for _, _, line in code.co_lines():
        if line is not None:
            last = line
    return last


class _Constants:
    """The constants of the copy."""

    def __init__(self, constants: tuple[object, ...]) -> None:
        self.items = list(constants)

    def add(self, constant: object) -> int:
        self.items.append(constant)
        return len(self.items) - 1


def _bounce(code: CodeType, declines: bool, constants: _Constants) -> tuple[bytes, bytes]:
    """Give the handler of a failed argument check and its entry in the line table."""
    text = emit(RESUME)
    if declines:
        answer = emit(POP_TOP) + emit(LOAD_CONST, constants.add(NotImplemented)) + emit(RETURN_VALUE)
        skip = emit(POP_JUMP_IF_FALSE, len(answer) // 2) + bytes(2 * CACHES[POP_JUMP_IF_FALSE])
        text += emit(LOAD_CONST, constants.add(OperandDeclined)) + emit(CHECK_EXC_MATCH) + skip + answer
    text += emit(RERAISE)
    return text, on_line(code.co_firstlineno - _last_line(code), len(text) // 2)


def _entry_checks(code: CodeType, layout: Layout, checks: Checks, constants: _Constants) -> bytes:
    """Give what runs before the first traceable instruction."""
    parts = []
    if checks.together is not None:
        load = emit(LOAD_CONST, constants.add(checks.together))
        parts.append(load + load + emit(DELETE_SUBSCR))
    else:
        for variable, check in checks.arguments:
            parts.append(emit(LOAD_CONST, constants.add(check)))
            parts.append(emit(LOAD_DEREF if variable in layout.cells else LOAD_FAST, variable))
            parts.append(emit(DELETE_SUBSCR))
    if checks.made is not None:
        made = _ASYNC_GENERATOR if code.co_flags & CO_ASYNC_GENERATOR else _GENERATOR
        parts.append(emit(LOAD_CONST, constants.add(checks.made)))
        parts.append(emit(LOAD_CONST, constants.add(made)))
        parts.append(emit(DELETE_SUBSCR))
    return b"".join(parts)


def _yield_checks(
    layout: Layout, checks: Checks, is_async: bool, constants: _Constants, insertions: Insertions
) -> None:
    """Insert the checks of what a generator yields and is sent."""
    sends = yields = b""
    if checks.yields is not None:
        yields = emit(LOAD_CONST, constants.add(checks.yields)) + emit(COPY, 2) + emit(DELETE_SUBSCR)
    if checks.sends is not None:
        sends = emit(LOAD_CONST, constants.add(checks.sends)) + emit(COPY, 2) + emit(DELETE_SUBSCR)
    for found in layout.yields:
        if sends:
            insertions.add_behind(found.unit + 1, sends)
        if not yields:
            continue
        if found.delegates and THROW_READS_SEND:
            # YIELD_VALUE, RESUME and the jump back lie between the SEND and its end. The copy never runs.
            end = 3 + len(sends) // 2
            insertions.add(found.start, yields + emit(JUMP_FORWARD, 1) + emit(SEND, end))
        else:
            # An asynchronous generator wraps the value directly before it yields.
            insertions.add(found.before if is_async else found.start, yields)


def _result_checks(
    layout: Layout,
    check: "Check",
    constants: _Constants,
    insertions: Insertions,
    patches: dict[int, tuple[int, bytes]],
) -> None:
    number = constants.add(check)
    text = emit(LOAD_CONST, number) + emit(COPY, 2) + emit(DELETE_SUBSCR)
    targets = {jump.target for jump in layout.jumps}
    for start, unit, argument in layout.returns:
        if layout.text[2 * unit] == RETURN_CONST:
            if check.certain(constants.items[argument]):
                continue
            insertions.add(start, emit(LOAD_CONST, argument) + text)
            # NOP stands where the prefixes of the constant's number were.
            patches[start] = (unit + 1, emit(NOP) * (unit - start) + emit(RETURN_VALUE))
        elif not _returns_certain(layout, unit, targets, check, constants):
            insertions.add(start, text)


def _returns_certain(layout: Layout, unit: int, targets: set[int], check: "Check", constants: _Constants) -> bool:
    """Tell whether the return at the unit can only return a constant that passes for certain."""
    if unit in targets or unit == 0:
        return False
    operation, argument = layout.text[2 * unit - 2 : 2 * unit]
    # A cache or an argument of a wider instruction is never taken for LOAD_CONST: returns follow neither directly
    # unless the unit before is an instruction, and EXTENDED_ARG before it is tested here.
    if operation != LOAD_CONST or (unit > 1 and layout.text[2 * unit - 4] == EXTENDED_ARG):
        return False
    return check.certain(constants.items[argument])


def insert_checks(code: CodeType, checks: Checks) -> "CodeType | None":
    """Give a copy of the code with the checks; None where nothing is checked or the code's form is not known.

    The result of a coroutine is what it returns, and so is that of a generator.
    """
    layout = Layout(code)
    if layout.text[2 * layout.entry] not in (RESUME, RETURN_GENERATOR):
        return None
    constants = _Constants(code.co_consts)
    insertions = Insertions()
    patches: dict[int, tuple[int, bytes]] = {}
    entry = _entry_checks(code, layout, checks, constants)
    if entry:
        insertions.add(layout.entry, entry)
    _yield_checks(layout, checks, bool(code.co_flags & CO_ASYNC_GENERATOR), constants, insertions)
    if checks.result is not None and not code.co_flags & CO_ASYNC_GENERATOR:
        _result_checks(layout, checks.result, constants, insertions, patches)
    if not insertions.before and not insertions.behind:
        return None
    text = new_text(layout, insertions, patches)
    exceptions = _moved_exceptions(code, layout, insertions)
    table = grow_positions(code.co_linetable, insertions.growth())
    if entry:
        exceptions.append((layout.entry, layout.entry + len(entry) // 2, len(text) // 2, 0))
        exceptions.sort()
        handler, position = _bounce(code, checks.declines, constants)
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


def _moved_exceptions(code: CodeType, layout: Layout, insertions: Insertions) -> list[tuple[int, int, int, int]]:
    """Give the exception table for the woven text."""
    # No handler of the function sees a failed argument; that of `throw` into a delegation sees only the delegation.
    apart = {layout.entry, *(found.start for found in layout.yields if found.delegates)}

    def edge(unit: int) -> int:
        return insertions.place(unit) if unit in apart else insertions.label(unit)

    return [
        (edge(start), edge(end), insertions.label(handler), depth)
        for start, end, handler, depth in read_exceptions(code.co_exceptiontable)
    ]


class _Record:
    """A woven code object: what it was woven from, by which plan, and from which annotations the plan was made."""

    __slots__ = ("annotations", "original", "plan", "woven")

    def __init__(self, woven: "ref[CodeType]", original: CodeType, plan: "FunctionPlan", annotations: "object") -> None:
        self.annotations = annotations
        self.woven = woven
        self.original = original
        self.plan = plan


# Keyed by identity: equal code objects of different files are different. A record dies with the woven code, and keeps
# the original alive until then, so that no number is ever another object's.
_by_woven: "dict[int, _Record]" = {}
_by_original: "dict[int, list[_Record]]" = {}


# Copies of code whose function is made again and again, as closures are, although none of them lives long.
_kept: "deque[CodeType]" = deque(maxlen=256)


def woven_from(code: CodeType, annotations: object) -> "CodeType | None":
    """Give the copy of the code that was woven from equal annotations, if there is one."""
    for record in _by_original.get(id(original(code)), ()):
        if record.annotations == annotations:
            return record.woven()
    return None


def weave(code: CodeType, plan: "FunctionPlan", annotations: object = None) -> CodeType:
    """Give the code with the plan's checks: one copy per code and plan, the code itself where nothing is checked.

    Code that is woven already is woven anew from its original. `annotations` is what the plan was made from, where that
    can be kept; equal ones make an equal plan.
    """
    code = original(code)
    for record in _by_original.get(id(code), ()):
        woven = record.woven()
        if woven is not None and record.plan.same(plan):
            return woven
    arguments = [(variable, plan.argument_checker(variable)) for variable in plan.checked()]
    checks = Checks(
        arguments,
        plan.result_checker(),
        together=plan.arguments_checker() if len(arguments) > 1 else None,
        yields=plan.yields_checker(),
        sends=plan.sends_checker(),
        made=plan.made_checker(),
        declines=plan.declines(),
    )
    woven = insert_checks(code, checks)
    if woven is None:
        return code
    _remember(woven, code, plan, annotations)
    if annotations is not None and code.co_flags & CO_NESTED:
        _kept.append(woven)
    return woven


def _remember(woven: CodeType, code: CodeType, plan: "FunctionPlan", annotations: object) -> None:
    key, origin = id(woven), id(code)

    def forget(_: object) -> None:
        record = _by_woven.pop(key)
        others = [other for other in _by_original[origin] if other is not record]
        if others:
            _by_original[origin] = others
        else:
            del _by_original[origin]

    record = _by_woven[key] = _Record(ref(woven, forget), code, plan, annotations)
    _by_original[origin] = [*_by_original.get(origin, ()), record]


def original(code: CodeType) -> CodeType:
    """Give the code that this code was woven from, or the code itself."""
    record = _by_woven.get(id(code))
    return code if record is None else record.original


def plan_of(code: CodeType) -> "FunctionPlan | None":
    """Give the plan whose checks are woven into the code."""
    record = _by_woven.get(id(code))
    return None if record is None else record.plan
