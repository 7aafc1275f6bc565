"""The native part: conversions around the compiler, its runtime and the check plans."""

from collections.abc import Callable
from types import CodeType, FunctionType
from typing import Any, Final

__version__: Final[str]

class InternalError(RuntimeError):
    """castiron itself failed; raised only under CASTIRON_STRICT=1."""

class Explanation:
    """What `explain` found out."""

    native: Final[bool]
    signature: Final[str]
    @property
    def reasons(self) -> tuple[str, ...]: ...
    @property
    def bets(self) -> tuple[str, ...]: ...
    @property
    def unchecked(self) -> tuple[str, ...]: ...

class Text:
    """A parsed text."""

    def __init__(self, path: str, text: str) -> None: ...

class FunctionPlan:
    """The enforced annotations of one function."""

    def __init__(
        self,
        function: FunctionType,
        annotations: dict[str, object],
        *,
        deep: bool = False,
        strict: bool = False,
        warn: Callable[[BaseException], None] | None = None,
    ) -> None: ...
    def woven(self, code: CodeType, /) -> CodeType | None: ...
    def same(self, other: FunctionPlan) -> bool: ...
    def wants_call(self) -> bool: ...
    def gaps(self) -> list[tuple[str, str]]: ...

def cannot_seal(cls: type, /) -> str | None: ...
def seal(cls: type, function: FunctionType, plan: FunctionPlan, order: dict[str, Any], /) -> None: ...

class OperandDeclined(BaseException):
    """A second operand breaks its annotation; woven code answers it with NotImplemented."""

class Finding:
    """A diagnostic."""

    code: Final[str]
    message: Final[str]
    line: Final[int]
    column: Final[int]
    rendered: Final[str]

class FunctionReport:
    """A function of a text."""

    name: Final[str]
    line: Final[int]
    signature: Final[str]
    native: Final[bool]
    reasons: Final[list[Finding]]

class TextReport:
    """A text."""

    errors: Final[list[Finding]]
    functions: Final[list[FunctionReport]]

def explain(function: Callable[..., object], /) -> Explanation: ...
def is_compiled(function: Callable[..., object], /) -> bool: ...
def stats() -> dict[str, Any]: ...
def prepare(function: FunctionType, text: Text, plan: FunctionPlan, /) -> FunctionType | None: ...
def remember(function: FunctionType, reason: str, /) -> None: ...
def compile_now(function: FunctionType, /) -> None: ...
def is_jitted(function: object, /) -> bool: ...
def is_native_callable(function: object, /) -> bool: ...
def switch_off() -> None: ...
def switch_on() -> None: ...
def install_hooks(
    typed: Callable[[FunctionType], FunctionType], stand_in: Callable[[FunctionType], FunctionType], /
) -> None: ...
def install_enforcement(
    describe: Callable[..., dict[str, Any]],
    accepts: Callable[..., bool],
    settles: Callable[..., bool],
    rebound: Callable[..., set[int]],
    violation: Callable[..., BaseException],
    /,
) -> None: ...
def insert_checks(
    code: CodeType,
    arguments: list[tuple[int, Any]],
    result: Any = None,
    *,
    yields: Any = None,
    sends: Any = None,
    declines: bool = False,
) -> CodeType | None: ...
def set_code(function: FunctionType, code: CodeType, /) -> None: ...
def install_revival(plan_for: Callable[[FunctionType, bool, bool, bool], FunctionPlan], /) -> None: ...
def build_text(module: str, path: str, text: str, /) -> tuple[bytes, list[str]]: ...
def check_text(path: str, text: str, /) -> TextReport: ...
def dump_text(path: str, text: str, function: str, stage: str, after: str | None, all_passes: bool, /) -> str: ...
def examine() -> list[tuple[bool, str]]: ...
def call_helper(name: str, args: tuple[Any, ...], /) -> Any: ...
