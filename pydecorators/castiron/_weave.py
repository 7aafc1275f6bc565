"""Which code objects are woven, from which, and by which plan.

In: a function's code and its plan. Out: the copy with the plan's checks, which `_castiron` makes (`check::weave` says
how).

Invariant: nothing here keeps a woven copy alive but `_kept`, which holds the last 256 of nested code.
"""

from __future__ import annotations

from _collections import deque  # type: ignore[import-not-found]
from _weakref import ref

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType

    from castiron._castiron import FunctionPlan

CO_NESTED = 0x10


class _Record:
    """A woven code object: what it was woven from, by which plan, and from which annotations the plan was made."""

    __slots__ = ("annotations", "original", "plan", "woven")

    def __init__(self, woven: ref[CodeType], original: CodeType, plan: FunctionPlan, annotations: object) -> None:
        self.annotations = annotations
        self.woven = woven
        self.original = original
        self.plan = plan


# Keyed by identity: equal code objects of different files are different. A record dies with the woven code, and keeps
# the original alive until then, so that no number is ever another object's.
_by_woven: dict[int, _Record] = {}
_by_original: dict[int, list[_Record]] = {}


# Copies of code whose function is made again and again, as closures are, although none of them lives long.
_kept: deque[CodeType] = deque(maxlen=256)


def woven_from(code: CodeType, annotations: object) -> CodeType | None:
    """Give the copy of the code that was woven from equal annotations, if there is one."""
    for record in _by_original.get(id(original(code)), ()):
        if record.annotations == annotations:
            return record.woven()
    return None


def weave(code: CodeType, plan: FunctionPlan, annotations: object = None) -> CodeType:
    """Give the code with the plan's checks: one copy per code and plan, the code itself where nothing is checked.

    Code that is woven already is woven anew from its original. `annotations` is what the plan was made from, where that
    can be kept; equal ones make an equal plan.
    """
    code = original(code)
    for record in _by_original.get(id(code), ()):
        woven = record.woven()
        if woven is not None and record.plan.same(plan):
            return woven
    woven = plan.woven(code)
    if woven is None:
        return code
    _remember(woven, code, plan, annotations)
    if annotations is not None and code.co_flags & CO_NESTED:
        _kept.append(woven)
    return woven


def _remember(woven: CodeType, code: CodeType, plan: FunctionPlan, annotations: object) -> None:
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


def plan_of(code: CodeType) -> FunctionPlan | None:
    """Give the plan whose checks are woven into the code."""
    record = _by_woven.get(id(code))
    return None if record is None else record.plan
