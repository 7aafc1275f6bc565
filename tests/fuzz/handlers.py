"""Random `try` and `with` statements: what is caught where, what `finally` overrides, what is handled meanwhile.

After a `try` a variable that one of its parts binds is only perhaps bound. Handlers print what they caught, so that a
wrong context shows even where nobody reraises it.
"""

from __future__ import annotations

from tests.fuzz.scope import Scope
from tests.fuzz.statements import EXCEPTIONS, Statements

GATE = [
    "class Gate:",
    "    def __init__(self, name, how=0):",
    "        self.name, self.how = name, how",
    "",
    "    def __enter__(self):",
    "        print('enter', self.name)",
    "        if self.how == 3:",
    "            raise KeyError(self.name)",
    "        return self.name",
    "",
    "    def __exit__(self, kind, error, trace):",
    "        print('exit', self.name, kind and kind.__name__, sys.exception() is error)",
    "        if self.how == 2:",
    "            raise IndexError(self.name)",
    "        return self.how == 1",
    "",
    "",
    "def fail(n, how=0):",
    "    if n % 3 == 0:",
    "        raise ERRORS[n % len(ERRORS)](n % 1000)",
    "    if how:",
    "        try:",
    "            fail(n * 3)",
    "        except ValueError as error:",
    "            raise KeyError(how) from error",
    "    return n % 1000",
    "",
    "",
    f"ERRORS = [{', '.join(EXCEPTIONS)}]",
    "HELD = []",
    "",
    "",
    "def again():",
    "    raise",
    "",
    "",
    "@jit",
    "def again_natively(n: int):",
    "    here = n % 7",
    "    raise",
    "",
    "",
    "def hold(error):",
    "    HELD.append(error)",
    "    del HELD[:-3]",
    "",
    "",
    "def frames_of(errors):",
    "    found = []",
    "    for error in errors:",
    "        trace = error.__traceback__",
    "        is_sure = sys.version_info >= (3, 12) or type(error) is not UnboundLocalError",
    "        while trace is not None:",
    "            frame = trace.tb_frame",
    "            if frame.f_code.co_filename == frames_of.__code__.co_filename and frame.f_code.co_name != '<module>':",
    "                names = {name: value for name, value in frame.f_locals.items() if name != '.0'}",
    "                found.append((frame.f_code.co_name, is_sure and trace.tb_lineno, names))",
    "            trace = trace.tb_next",
    "    return found",
]
"""A context manager that swallows or raises, functions that raise by their argument or what is handled, and exceptions
that outlive those who caught them, with their frames."""

CLAUSES = [
    "except ValueError",
    "except (KeyError, IndexError)",
    "except Exception",
    "except ArithmeticError",
    "except LookupError",
    "except TypeError",
    "except RuntimeError",
    "except ZeroDivisionError",
    "except (TypeError, ValueError, OverflowError)",
    "except UnboundLocalError",
    "except ERRORS[0]",
    "except tuple(ERRORS)",
]


class Handlers(Statements):
    """Statements that catch what others raise."""

    def start_handlers(self) -> None:
        self.handled: list[str] = []
        self.handling = 0
        self.tries = 0

    def about_handlers(self, depth: int) -> bool:
        """One statement about exceptions; whether control never passes it."""
        roll = self.rng.random()
        if depth <= 0 or self.tries > 5 or roll < 0.15:
            return self.risk()
        if roll < 0.25 and self.handling:
            return self.reraise()
        self.tries += 1
        if roll < 0.75:
            self.try_(depth - 1)
        else:
            self.with_(depth - 1)
        return False

    def risk(self) -> bool:
        """Something that may well raise."""
        number = self.integer(1)
        how = self.rng.choice(["", "", ", 1"])
        self.line(
            self.rng.choice(
                [
                    f"fail({number}{how})",
                    f"print(fail({number}{how}))",
                    f"i0 = fail({number}{how})",
                    f"i1 = 1000 // ({number} % 3)",
                    f"[1, 2][{number} % 4]",
                    f"i0 = int('x' * ({number} % 2) + '7')",
                    f"assert {self.truth(1)}, {self.integer(0)}",
                    f"{{1: 2}}[{number} % 3]",
                    "None.nothing" if self.rng.random() < 0.2 else f"i1 = [4, 5][{number} % 3]",
                    self.rng.choice(["again()", f"again_natively({number})"]),
                ]
            )
        )
        text = self.lines[-1].strip()
        if text[:5] in ("i0 = ", "i1 = "):
            self.scope.bind(text[:2], "int")
        return False

    def part(self, head: str, before: Scope, depth: int, *, risky: bool = False) -> Scope:
        """One suite; the variables behind it."""
        self.line(head)
        self.scope = before.copy()
        if risky and self.rng.random() < 0.8:
            self.indent += 1
            self.risk()
            self.indent -= 1
            if self.rng.random() < 0.25:
                return self.scope
        self.block(self.rng.choice([1, 1, 2, 3]), depth)
        return self.scope

    def try_(self, depth: int) -> None:
        before = self.scope
        form = self.rng.choice(["except", "except", "except", "all", "finally", "finally"])
        body = self.part("try:", before, depth, risky=True)
        anywhere = before.merge(body)
        ends = [body]
        if form != "finally":
            for clause in self.clauses():
                ends.append(self.handler(clause, anywhere, depth))
            if form == "all" or self.rng.random() < 0.25:
                ends[0] = self.part("else:", body, depth)
        after = ends[0]
        for end in ends[1:]:
            after = after.merge(end)
        if form != "except":
            after = self.part("finally:", after.merge(anywhere), depth)
            if self.rng.random() < 0.12:
                self.leave_in_finally()
        self.scope = after

    def clauses(self) -> list[str]:
        found = self.rng.sample(CLAUSES, self.rng.choice([0, 1, 1, 2]))
        last = self.rng.choice([["except"], ["except Exception"], ["except Exception"], []])
        return (found + last) or ["except Exception"]

    def handler(self, clause: str, before: Scope, depth: int) -> Scope:
        """A clause; the name of what it caught is unbound behind it."""
        name = self.rng.choice(["e1", "e2", "i2"]) if clause != "except" and self.rng.random() < 0.6 else None
        if name in before.types or name in self.handled:
            name = None
        self.line(f"{clause} as {name}:" if name else f"{clause}:")
        self.handling += 1
        self.scope = before.copy()
        self.indent += 1
        if name:
            self.handled.append(name)
            told = f"type({name}).__name__, {name}.args, repr({name}.__context__)"
            self.line(f"print('caught', {told}, sys.exception() is {name})")
            if self.rng.random() < 0.15:
                self.line(f"hold({name})")
            if self.rng.random() < 0.1:
                self.line(
                    self.rng.choice(
                        [f"del {name}", f"{name} = 5", f"i0 = len({name}.args)", f"print({name}.__cause__)"]
                    )
                )
        else:
            self.line(self.rng.choice(["print('caught')", "print('caught', repr(sys.exception()))"]))
        self.indent -= 1
        if self.rng.random() < 0.75:
            self.block(self.rng.choice([1, 1, 2]), depth)
        else:
            self.indent += 1
            self.reraise(name)
            self.indent -= 1
        if name:
            self.handled.remove(name)
        self.handling -= 1
        return self.scope

    def reraise(self, name: str | None = None) -> bool:
        """Ends a handler by another exception or by the same one."""
        name = name or (self.handled[-1] if self.handled else None)
        error = self.rng.choice(EXCEPTIONS)
        texts = [
            "raise",
            f"raise {error}({self.integer(0)})",
            f"raise {error} from None",
            f"raise {error}('x') from sys.exception()",
        ]
        if name:
            texts += [f"raise {name}", f"raise {error}('new') from {name}", f"raise {error}({name}.args) from None"]
        self.line(self.rng.choice(texts))
        return True

    def leave_in_finally(self) -> None:
        """What stands at the end of a `finally` overrides whatever was on its way."""
        self.indent += 1
        texts = [f"return {self.of(self.result, 1)}", "raise KeyError('finally')", "print(sys.exception())"]
        if self.loop_depth:
            texts += ["break", "continue", "continue"]
        self.line(self.rng.choice(texts))
        self.indent -= 1

    def with_(self, depth: int) -> None:
        """One or two managers; what one swallowed leaves the body's variables unsure."""
        before = self.scope
        managers = []
        names = []
        for _ in range(self.rng.choice([1, 1, 1, 2])):
            how = self.rng.choice(["", "", ", 1", ", 1", ", 2", ", 3", f", {self.integer(0)} % 5"])
            target = ""
            if self.rng.random() < 0.5:
                target = self.rng.choice(["n1", "n2", "(n1)"])
                names.append(target.strip("()"))
                target = f" as {target}"
            managers.append(f"Gate({self.integer(0)} % 100{how}){target}")
        text = ", ".join(managers)
        body = self.part(
            f"with ({text}):" if self.rng.random() < 0.2 and " as (" not in text else f"with {text}:",
            before,
            depth,
            risky=True,
        )
        self.scope = before.merge(body)
        for name in names:
            self.scope.bind(name, "int", sure=False)
