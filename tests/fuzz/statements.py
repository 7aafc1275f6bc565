"""Random statements: every loop is bounded, every variable keeps a bounded number of bits."""

from __future__ import annotations

from tests.fuzz.objects import CONTAINERS, Objects
from tests.fuzz.scope import Scope, Type

EXCEPTIONS = [
    "ValueError",
    "TypeError",
    "IndexError",
    "ArithmeticError",
    "RuntimeError",
    "KeyError",
    "ZeroDivisionError",
]
VARIABLES: dict[str, Type] = {
    "i0": "int", "i1": "int", "i2": "int", "x0": "float", "x1": "float", "b0": "bool",
    "n0": "num", "t0": ("int", "float"), "t1": ("int", "int"), "u0": "None", "v0": "maybe",
}  # fmt: skip


class Statements(Objects):
    """Makes the body of one function; `lines` grows."""

    def start(self, scope: Scope, result: Type) -> None:
        self.scope = scope
        self.result = result
        self.lines: list[str] = []
        self.indent = 1
        self.loops = 0
        self.loop_depth = 0
        self.certain = self.binds = True
        self.weight = 1
        self.cost = 1
        self.rebound: list[str] = []
        # Foreign code ends what compiled code knows of globals: not in every function.
        self.prints = self.rng.random() < 0.5
        # Time goes into compiling, and most of it into few long functions: these are rarer than they come about.
        self.length = self.rng.choice([300, 600, 600, 1000, 1000, 1500, 10_000])

    def line(self, text: str) -> None:
        self.cost += self.weight
        self.length -= len(text)
        self.lines.append("    " * self.indent + text)

    def block(self, count: int, depth: int) -> None:
        """At least one statement, indented; nothing follows one that leaves."""
        self.indent += 1
        written = len(self.lines)
        for _ in range(count):
            if self.statement(depth) or self.length < 0:
                break
        if len(self.lines) == written:
            self.line("pass")
        self.indent -= 1

    def statement(self, depth: int) -> bool:
        """One statement; whether control never passes it."""
        if self.prints and self.rng.random() < 0.15:
            self.line(f"print({self.observed()})")
            return False
        if self.objects and self.rng.random() < 0.25 and self.about_objects():
            return False
        if self.rebound and self.rng.random() < 0.06:
            name = self.rng.choice(self.rebound)
            self.line(f"{name} = {self.of(self.constants[name], 2)}")
            if self.constants[name] == "int":
                self.line(f"{name} %= {self.rng.choice([2**64, 97])}")
            if self.rng.random() < 0.2:
                self.line(f"del {name}")
                self.line(f"{name} = {self.rng.choice(['1', '2.5', 'True'])}")
            return False
        roll = self.rng.random()
        if depth > 0 and self.cost < 2500:
            if roll < 0.16:
                self.branches(depth - 1)
                return False
            if roll < 0.24 and self.loop_depth < 2:
                self.while_loop(depth - 1)
                return False
            if roll < 0.36 and self.loop_depth < 2:
                self.for_loop(depth - 1)
                return False
        if roll > 0.985 and self.indent > 1:
            self.raise_()
            return True
        if roll > 0.965 and self.indent > 1:
            self.return_(2)
            return True
        if roll > 0.94 and self.loop_depth and self.indent > 2:
            self.line(self.rng.choice(["break", "continue"]))
            return True
        if roll > 0.91:
            condition = f"{self.truth(1)} or True" if self.rng.random() < 0.6 else self.truth(2)
            message = self.rng.choice(["", lambda: f", {self.unlikely(lambda: self.number(1))}", ", 'odd'"])
            self.line(f"assert {condition}{message if isinstance(message, str) else message()}")
        elif roll > 0.89:
            self.line(self.of(self.rng.choice(["int", "float", "bool"]), 2))
        elif roll > 0.82:
            self.unpack()
        elif roll > 0.70:
            self.augment()
        else:
            self.assign()
        return False

    def about_objects(self) -> bool:
        """A statement that makes, changes or walks through an object; false where none came about."""
        roll = self.rng.random()
        if roll < 0.25:
            name = self.rng.choice(list(CONTAINERS))
            self.line(f"{name} = {self.of(CONTAINERS[name], 2)}")
            self.scope.bind(name, CONTAINERS[name])
            return True
        if roll < 0.4 and self.loop_depth < 2 and self.cost < 2500:
            return self.loop_over_list()
        if roll < 0.46:
            for text in self.import_or_show():
                self.line(text)
            return True
        lines = self.change_of_object()
        for text in lines:
            self.line(text)
        return bool(lines)

    def import_or_show(self) -> list[str]:
        """Imports inside a function, and text made of values."""
        name = self.variable("int", "float", "bool", "maybe") or "0"
        width = self.rng.choice(["", ":>12", "!r", "!s:<5"])
        if self.rng.random() < 0.3:
            self.scope.bind("q0", "int")
            return self.rng.choice([
                ["import math as mm", f"q0 = mm.floor({self.rng.choice(['1.5', '-2.5'])})"],
                ["from math import ceil as cc", f"q0 = cc({self.rng.choice(['1.5', '-0.5'])})"],
            ])  # fmt: skip
        return [f"print(f'{{{name}{width}}} and {{{self.integer(0)}}}')"]

    def loop_over_list(self) -> bool:
        """Bounded by a counter, for the body may make the list longer."""
        name = self.variable("list")
        if name is None:
            return False
        counter = self.fresh()
        self.line(f"{counter} = 0")
        self.scope.bind(counter, "int")
        self.line(f"for j2 in {name}:")
        self.scope.bind("j2", "int", sure=False)
        known = "j2" not in self.scope.unsure
        self.scope.unsure.discard("j2")
        self.loop_body(6, 0, [f"{counter} += 1", f"if {counter} > 6:", "    break"])
        if not known:
            self.scope.unsure.add("j2")
        return True

    def observed(self) -> str:
        """What a program shows of its insides."""
        names = [name for name in self.scope.types if name not in self.scope.unsure]
        if names and self.rng.random() < 0.4:
            return ", ".join(self.rng.sample(names, min(len(names), 4)))
        return self.rng.choice([self.number, self.truth, self.real])(2)

    def return_(self, depth: int) -> None:
        """Returns what was computed before, more often than something new."""
        name = self.variable(self.result) if self.rng.random() < 0.4 else None
        self.line(f"return {name or self.of(self.result, depth)}")

    # Assignments.

    def store(self, name: str, kind: Type, value: str) -> None:
        self.line(f"{name} = {value}")
        self.scope.bind(name, kind)
        self.bound(name, kind)

    def bound(self, name: str, kind: Type) -> None:
        """Keeps what a variable holds small enough to multiply it again."""
        if kind == "maybe":
            limit = self.rng.choice([2**63, 2**70, 1000])
            self.line(f"if {name} is not None and not -{limit} < {name} < {limit}:")
            self.line(f"    {name} = {self.rng.choice(['0', 'None', '7'])}")
        if kind in ("int", "num"):
            roll = self.rng.random()
            if roll < 0.25:
                modulus = self.rng.choice([2**31, 2**64, 1000000007, 2**127, 2**10, 97])
                self.line(f"{name} {self.rng.choice(['%='])} {modulus}")
            elif roll < 0.4 and kind == "int":
                self.line(f"{name} &= {self.rng.choice([255, 2**31 - 1, 2**63 - 1, 2**64 - 1, 2**100 - 1])}")
            else:
                limit = self.rng.choice([2**63, 2**70, 2**150, 2**31])
                self.line(f"if not -{limit} < {name} < {limit}:")
                self.line(f"    {name} = {self.rng.choice([0, 1, 7, -5])}")

    def assignable(self, *kinds: Type) -> list[str]:
        """Variables of these types but the counters that bound loops and recursion."""
        return [name for name in self.scope.of(*kinds) if name[0] not in "kd"]

    def target(self) -> tuple[str, Type]:
        """A variable to assign; one that exists may change its type outside of loops, or when it is a number."""
        name = self.rng.choice(list(VARIABLES))
        if not self.loop_depth and self.rng.random() < 0.15:
            return name, self.rng.choice(list(VARIABLES.values()))
        kind = self.scope.types.get(name, VARIABLES[name])
        return name, VARIABLES[name] if kind == "any" else kind

    def assign(self) -> None:
        name, kind = self.target()
        value = self.of(self.rng.choice(["int", "float", "bool"]) if kind == "num" else kind, 3)
        if self.rng.random() < 0.06 and kind in ("int", "float", "bool"):
            self.line(f"{name}: {kind} = {value}")
            self.scope.bind(name, kind)
            self.bound(name, kind)
        elif self.rng.random() < 0.06:
            other = self.rng.choice(["c0", "c1"])
            self.line(f"{name} = {other}_{kind if isinstance(kind, str) else 'tuple'} = {value}")
            self.scope.bind(name, kind)
            self.bound(name, kind)
        else:
            self.store(name, kind, value)

    def augment(self) -> None:
        names = self.assignable("int", "float", "num", "bool")
        if not names:
            self.assign()
            return
        name = self.rng.choice(names)
        kind = self.scope.types[name]
        in_loop = self.loop_depth > 0
        if kind == "int":
            op = self.rng.choice(["+=", "-=", "*=", "//=", "%=", "&=", "|=", "^=", ">>=", "<<="])
            value = f"{self.integer(0)} & 31" if op in (">>=", "<<=") else self.integer(2)
        elif kind == "bool" and not in_loop:
            op, value, kind = "+=", self.integer(1), "int"
        elif kind == "bool":
            op, value = self.rng.choice(["&=", "|=", "^="]), self.truth(1)
        else:
            op, value = self.rng.choice(["+=", "-=", "*=", "/=", "//=", "%="]), self.number(2)
        self.line(f"{name} {op} {value}")
        self.scope.bind(name, kind)
        self.bound(name, kind)

    def unpack(self) -> None:
        ints, floats = self.assignable("int"), self.assignable("float")
        roll = self.rng.random()
        if roll < 0.3 and len(ints) >= 2:
            a, b = self.rng.sample(ints, 2)
            self.line(f"{a}, {b} = {b}, {self.integer(1)}")
            for name in (a, b):
                self.scope.bind(name, "int")
                self.bound(name, "int")
            return
        if roll < 0.5 and len(floats) >= 2:
            a, b = self.rng.sample(floats, 2)
            self.line(f"({a}, {b}) = {b}, {a}")
            return
        tuples = [name for name, kind in self.scope.types.items() if isinstance(kind, tuple)]
        if not self.loop_depth and roll < 0.65 and tuples:
            self.take_apart(self.rng.choice(tuples))
            return
        names = ["q0", "q1"]
        kind: Type = self.rng.choice([("int", "int"), ("float", "float"), ("int", "float")])
        if self.loop_depth and any(
            self.scope.types.get(name, part) != part for name, part in zip(names, kind, strict=True)
        ):
            self.assign()
            return
        if roll > 0.85:
            self.line(f"({names[0]}, w9), {names[1]} = {self.packed((kind, 'bool'), 2)}")
            for name, part in zip([names[0], "w9", names[1]], [*kind, "bool"], strict=True):
                self.scope.bind(name, part)
                self.bound(name, part)
            return
        self.line(f"{names[0]}, {names[1]} = {self.packed(kind, 2)}")
        for name, part in zip(names, kind, strict=True):
            self.scope.bind(name, part)
            self.bound(name, part)

    def take_apart(self, name: str) -> None:
        """Unpacks all of a tuple at once, or all but some items behind a star."""
        parts: list[tuple[str, Type]] = []

        def pattern(kind: Type) -> str:
            if isinstance(kind, tuple):
                return f"({', '.join(map(pattern, kind))},)"
            parts.append((f"g{len(parts)}", kind))
            return parts[-1][0]

        kind = self.scope.types[name]
        assert isinstance(kind, tuple)
        if self.objects and self.rng.random() < 0.4 and isinstance(kind[0], str):
            self.line(f"g0, *{self.rng.choice(['r0', 'r1'])} = {name}")
            parts.append(("g0", kind[0]))
        else:
            self.line(f"{pattern(kind)} = {name}")
        for part, of in parts:
            self.scope.bind(part, of)
            self.bound(part, of)

    # Control flow.

    def path(self, count: int, depth: int, before: Scope) -> Scope:
        self.scope = before.copy()
        self.block(count, depth)
        return self.scope

    def branches(self, depth: int) -> None:
        self.line(f"if {self.truth(3)}:")
        before = self.scope
        after = self.path(self.rng.randrange(1, 4), depth, before)
        for _ in range(self.rng.choice([0, 0, 0, 1, 2])):
            self.scope = before
            self.line(f"elif {self.unlikely(lambda: self.truth(2))}:")
            after = after.merge(self.path(self.rng.randrange(1, 3), depth, before))
        if self.rng.random() < 0.6:
            self.line("else:")
            after = after.merge(self.path(self.rng.randrange(1, 4), depth, before))
        else:
            after = after.merge(before)
        self.scope = after

    def loop_body(self, turns: int, depth: int, first: list[str]) -> None:
        before = self.scope.copy()
        self.loop_depth += 1
        weight, self.weight = self.weight, self.weight * turns
        written = len(self.lines)
        self.indent += 1
        for text in first:
            self.line(text)
        self.indent -= 1
        self.block(self.rng.randrange(1, 5), depth)
        if self.lines[-1] == "    " * (self.indent + 1) + "pass" and len(self.lines) > written + 1:
            self.lines.pop()
        self.weight = weight
        self.loop_depth -= 1
        self.scope = before.merge(self.scope)
        if self.rng.random() < 0.25:
            self.line("else:")
            self.scope = self.scope.merge(self.path(1, 0, self.scope))

    def fresh(self) -> str:
        self.loops += 1
        return f"k{self.loops}"

    def while_loop(self, depth: int) -> None:
        """A counter that nothing else assigns bounds it."""
        counter, turns = self.fresh(), self.rng.choice([1, 3, 7, 12])
        self.line(f"{counter} = {self.rng.choice([0, 2**31 - 3, 2**63 - 5, 2**53 - 2])}")
        start = int(self.lines[-1].split(" = ")[1])
        if self.rng.random() < 0.5:
            condition = f"{counter} < {start + turns} and {self.unlikely(lambda: self.truth(2))}"
        else:
            condition = f"{self.truth(2)} and {counter} < {start + turns}"
        self.line(f"while {condition}:")
        self.scope.bind(counter, "int")
        self.loop_body(turns, depth, [f"{counter} += 1"])

    def for_loop(self, depth: int) -> None:
        turns = self.rng.choice([2, 5, 9])
        name = self.rng.choice(["j0", "j1"])
        number = self.integer
        small = lambda: f"{number(0)} % {turns + 1}"  # noqa: E731
        limited, make = self.rng.choice([
            (True, lambda: f"{turns}"),
            (True, small),
            (True, lambda: f"{small()}, {turns + 2}"),
            (True, lambda: f"{self.rng.choice([0, 2**63 - 4, -(2**63), 2**31 - 2])}, {{first}} + {turns}"),
            (True, lambda: f"{turns}, {self.rng.choice([-1, 0])}, -1"),
            (True, lambda: f"{small()}, -1, -1"),
            (True, lambda: f"0, {turns * 3}, {self.rng.choice([2, 3])}"),
            (False, lambda: f"{number(1)}, {number(1)}, {number(0)}"),
            (False, lambda: f"{number(1)}, {number(0)}"),
            (False, lambda: number(1)),
            (False, lambda: f"{number(0)}, {number(0)}, {self.rng.choice([-1, 1, -3, 2, 0, 2**62, -(2**63)])}"),
        ])  # fmt: skip
        bounds = make()
        bounds = bounds.replace("{first}", bounds.split(",")[0])
        first = []
        if not limited:
            counter = self.fresh()
            self.line(f"{counter} = 0")
            self.scope.bind(counter, "int")
            first = [f"{counter} += 1", f"if {counter} > {turns}:", "    break"]
        self.line(f"for {name} in range({bounds}):")
        inner = self.scope.types.get(name)
        self.scope.bind(name, "int", sure=False)
        sure = name not in self.scope.unsure
        self.scope.unsure.discard(name)
        self.loop_body(turns, depth, first)
        if inner is None or not sure:
            self.scope.unsure.add(name)

    def raise_(self) -> None:
        name = self.rng.choice(EXCEPTIONS)
        text = self.rng.choice([name, f"{name}()", f"{name}('bad')", f"{name}({self.number(0)}, {self.truth(0)})"])
        self.line(f"raise {text}{self.rng.choice(['', '', '', ' from None', ' from ValueError(1)'])}")
