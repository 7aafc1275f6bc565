"""Random closures and comprehensions: functions inside functions that share variables with them.

What stands inside reads and writes the outer variables through cells; some of it runs while the outer function is
changing them, some of it behind. Variables of inner scopes have names of their own, or those of outer variables.
"""

from __future__ import annotations

import re

from tests.fuzz.scope import Type
from tests.fuzz.statements import Statements

MODULI = [2**31, 2**64, 97, 2**62, 1000003]


class Nested(Statements):
    """Expressions and statements with scopes of their own in them."""

    def start_nested(self) -> None:
        self.helpers: list[tuple[str, int]] = []
        self.defined = 0

    def inside(self, names: dict[str, Type], kind: Type, depth: int) -> str:
        """An expression of an inner scope that has these variables besides; it binds none."""
        scope = self.scope
        self.scope = scope.copy()
        self.scope.types.update(names)
        self.scope.unsure.difference_update(names)
        binds, self.binds = self.binds, False
        text = self.of(kind, depth)
        self.binds = binds
        self.scope = scope
        return text

    # Expressions.

    def int_of_nested(self, depth: int) -> str:
        roll = self.rng.random()
        if roll < 0.3 and self.helpers:
            name, count = self.rng.choice(self.helpers)
            self.cost += 3 * self.weight
            given = [self.integer(0) for _ in range(self.rng.choice([count, count, count, max(0, count - 1)]))]
            return f"{name}({', '.join(given)})"
        if roll < 0.45:
            default = self.integer(0)
            body = self.inside({"p": "int", "q": "int"}, "int", min(depth, 2))
            return f"(lambda p, q={default}: {body})({self.integer(0)})"
        made = self.comprehension(depth)
        return f"{self.rng.choice(['len', 'sum', 'max', 'len', 'sum'])}({made})"

    def comprehension(self, depth: int) -> str:
        """A list, set, dict or generator of ints, over a range or a variable."""
        variable = self.rng.choice(["p", "q", "j0", "i0"])
        source = self.source()
        self.cost += 8 * self.weight
        value = self.inside({variable: "int"}, "int", min(depth, 2))
        if self.rng.random() < 0.12 and self.binds:
            value = f"(w0 := ({value}) % {self.rng.choice(MODULI)})"
            self.scope.bind("w0", "int", sure=False)
        value = f"({value}) % {self.rng.choice(MODULI)}" if self.rng.random() < 0.7 else value
        condition = f" if {self.inside({variable: 'int'}, 'bool', 1)}" if self.rng.random() < 0.3 else ""
        clause = f"for {variable} in {source}{condition}"
        if self.rng.random() < 0.2:
            clause += f" for r in {self.rng.choice([f'range({variable} % 3)', '(1, 2)', f'[{variable}]'])}"
            value = f"{value} + r"
        form = self.rng.choice(["list", "list", "set", "generator", "dict"])
        if form == "dict":
            return f"{{{value}: {variable} {clause}}}"
        opening, closing = {"list": "[]", "set": "{}", "generator": ("list(", ")")}[form]
        return f"{opening}{value} {clause}{closing}"

    def source(self) -> str:
        names = [name for name in self.scope.of("list", "ints", "octets", "buffer") if name not in self.scope.unsure]
        if names and self.rng.random() < 0.5:
            return self.rng.choice(names)
        number = self.inside({}, "int", 0)
        return self.rng.choice(["range(4)", f"range({number} % 5)", "(3, 1, 2)", f"[{number}, 2]", f"({number},)"])

    # Statements.

    def about_nested(self, depth: int) -> bool:
        roll = self.rng.random()
        if roll < 0.4 and self.defined < 3 and self.scope.of("int"):
            self.define()
        elif roll < 0.5:
            self.late_binding()
        elif roll < 0.6 and self.scope.of("int"):
            self.class_inside()
        elif roll < 0.8:
            kind: Type = "ints" if "items" in self.topics else "list"
            name = "a1" if kind == "ints" else "l1"
            value = self.comprehension(2)
            self.line(f"{name} = list({value})[:9]")
            self.scope.bind(name, kind)
        elif roll < 0.88 and self.assignable("int") and self.defined:
            name = self.rng.choice(self.assignable("int"))
            self.line(f"del {name}")
            if self.rng.random() < 0.6:
                self.line(f"{name} = {self.rng.choice(['3', '2**65', '-7'])}")
            else:
                self.scope.unsure.add(name)
        else:
            self.line(f"print({self.int_of_nested(1)})")
        return False

    def define(self) -> None:
        """A function that reads, and perhaps writes, variables of the outer one."""
        self.defined += 1
        name = f"in{self.defined}"
        count = self.rng.choice([0, 1, 1, 2])
        parameters = ["p", "q"][:count]
        own: dict[str, Type] = dict.fromkeys(parameters, "int")
        spelled = list(parameters)
        native = self.rng.random() < 0.15
        if native:
            spelled = [f"{parameter}: int" for parameter in spelled]
            self.line("@jit")
        if spelled and self.rng.random() < 0.5:
            spelled[-1] += f"={self.integer(0)}"
        if not native and self.rng.random() < 0.15:
            spelled.append(self.rng.choice(["*rest", "*, r=3", "**named"]))
        self.line(f"def {name}({', '.join(spelled)}):")
        self.indent += 1
        changed = [known for known in self.assignable("int") if self.is_ours(known)]
        if changed and self.rng.random() < 0.6:
            target = self.rng.choice(changed)
            self.line(f"nonlocal {target}")
            self.line(f"{target} = ({self.inside(own, 'int', 2)}) % {self.rng.choice(MODULI)}")
            if self.rng.random() < 0.1:
                self.line(f"del {target}")
                self.scope.unsure.add(target)
        if self.rng.random() < 0.25:
            self.line(f"if {self.inside(own, 'bool', 1)}:")
            self.line(f"    raise ValueError({self.inside(own, 'int', 0)})")
        self.line(f"return {self.inside(own, 'int', 2)}")
        self.indent -= 1
        self.helpers.append((name, count))
        if native:
            given = ", ".join(["j7", "7"][:count])
            self.line(f"print([{name}({given}) for j7 in range({self.rng.choice([3, 12])})])")

    def is_ours(self, name: str) -> bool:
        """Whether an inner function can declare the variable: text that came to nothing may have named it."""
        if name in self.scope.unsure or name in self.rebound:
            return False
        bound = re.compile(rf"\b{name} (:|\S\S?)?= |\b(for|as) {name}\b")
        return name in self.parameters or any(bound.search(line) for line in self.lines)

    def late_binding(self) -> None:
        """Lambdas of a loop, called behind it."""
        value = self.inside({"j6": "int"}, "int", 1)
        default = self.rng.choice(["", "p=j6", f"p={self.inside({'j6': 'int'}, 'int', 0)}"])
        self.line("made = []")
        self.line(f"for j6 in range({self.rng.choice([1, 2, 3])}):")
        self.line(f"    made.append(lambda {default}: {value})")
        self.line("print([one() for one in made])")
        self.scope.bind("j6", "int")

    def class_inside(self) -> None:
        """A class whose body and methods see the outer variables."""
        name = self.rng.choice(self.scope.of("int"))
        self.line("class Inner:")
        self.line(f"    kept = {name if name in self.scope.types else '3'}")
        self.line("    def get(self, p=2):")
        self.line(f"        return {self.inside({'p': 'int'}, 'int', 1)}")
        self.line(f"print(Inner.kept, Inner().get({self.integer(0)}))")
