"""Random work on objects: lists, dicts, slices, membership, attributes of plain objects, rebound globals.

A list or dict never keeps more than a few items: whatever makes one longer cuts it again in the same statement or the
next. Lists hold ints mostly, dicts have small ints for keys.
"""

from __future__ import annotations

from tests.fuzz.expressions import Expressions

BOX = [
    "class Box:",
    "    def __init__(self, a, b):",
    "        self.a = a",
    "        self.b = b",
    "",
    "    def __repr__(self):",
    "        return f'Box({vars(self)})'",
    "",
    "    def total(self, more=0):",
    "        return self.a + more",
]
"""A class of the module whose objects are passed around."""

CONTAINERS = {"l0": "list", "l1": "list", "m0": "dict", "o0": "box"}
"""Variables that hold objects."""


class Objects(Expressions):
    """Expressions and statements about containers, over the variables that hold some."""

    def index(self) -> str:
        """Mostly one that exists."""
        roll = self.rng.random()
        if roll < 0.5:
            return self.rng.choice(["0", "0", "-1", "1"])
        return f"{self.integer(0)} % {self.rng.choice([1, 2, 2, 4])}" if roll < 0.95 else self.integer(0)

    def key(self) -> str:
        return self.rng.choice(["0", "1", "2", "True", "1.0", f"{self.integer(0)} % 3"])

    def bound_text(self) -> str:
        return self.rng.choice(["", "", "1", "2", "-1", "0", f"{self.integer(0)} % 4", self.integer(0)])

    # Values.

    def items_of(self, depth: int) -> str:
        """A list of a few ints."""
        name = self.variable("list") if self.rng.random() < 0.7 else None
        if name is None:
            return f"[{', '.join(self.integer(depth - 1) for _ in range(self.rng.choice([0, 1, 2, 3])))}]"
        return self.rng.choice([
            name,
            f"{name}[{self.bound_text()}:{self.bound_text()}]",
            f"{name}[{self.bound_text()}:{self.bound_text()}:{self.rng.choice(['-1', '2', '1', '0'])}]",
            f"({name} + [{self.integer(0)}])[-4:]",
            f"sorted({name})",
            f"[*{name}, {self.integer(0)}][:4]",
            f"[{self.integer(0)}, *{self.rng.choice(['range(2)', name, '(1, 2)'])}][:4]",
            f"list({{*{name}}})[:3]",
        ])  # fmt: skip

    def table_of(self, depth: int) -> str:
        """A dict of a few numbers by small keys."""
        name = self.variable("dict") if self.rng.random() < 0.6 else None
        if name and self.rng.random() < 0.3:
            return "{" + f"**{name}, {self.key()}: {self.number(depth - 1)}" + "}"
        count = self.rng.choice([0, 1, 2])
        return name or "{" + ", ".join(f"{self.key()}: {self.number(depth - 1)}" for _ in range(count)) + "}"

    def box_of(self, depth: int) -> str:
        name = self.variable("box") if self.rng.random() < 0.7 else None
        return name or f"Box({self.integer(depth - 1)}, {self.real(depth - 1)})"

    def int_from_objects(self) -> str | None:
        """An int that is read out of an object, if there is one to read from."""
        choices = []
        for name in self.scope.of("list"):
            choices += [f"{name}[{self.index()}]", f"len({name})", f"sum({name})", f"max({name})", f"{name}.pop()"]
            choices += [f"max(*{name}, {self.integer(0)})", f"len({{{self.integer(0)}, *{name}}})", f"min(0, *{name})"]
            choices += [f"len(f'{{{name}}} {{{name}!r:>9}}')", f"len((*{name}, 1))"]
        for name in self.scope.of("box"):
            choices += [f"{name}.a", f"{name}.a", f"{name}.total({self.integer(0)})"]
            choices += [f"{name}.total(**{{'more': {self.integer(0)}}})", f"{name}.total(*[{self.integer(0)}])"]
        for name in self.scope.of("dict"):
            choices += [f"len({name})", f"int({name}[{self.key()}])", f"int({name}.get({self.key()}, 3))"]
        return self.rng.choice(choices) if choices else None

    def number_from_objects(self) -> str | None:
        choices = [f"{name}.b" for name in self.scope.of("box")]
        choices += [f"{name}[{self.key()}]" for name in self.scope.of("dict")]
        return self.rng.choice(choices) if choices else None

    def truth_from_objects(self) -> str:
        op = self.rng.choice(["in", "not in"])
        names = self.scope.of("list", "dict")
        if names and self.rng.random() < 0.7:
            name = self.rng.choice(names)
            return self.rng.choice([
                f"({self.number(0)} {op} {name})", f"({self.key()} {op} {name})", f"bool({name})",
                f"({name} == {self.rng.choice(names)})", f"(not {name})",
            ])  # fmt: skip
        return f"({self.number(0)} {op} ({self.number(0)}, {self.number(0)}, {self.integer(0)}))"

    # Statements.

    def change_of_object(self) -> list[str]:
        """The lines of a statement that changes an object; none where there is no object."""
        choices: list[list[str]] = []
        for name in self.scope.of("list"):
            choices += [
                [f"{name}[{self.index()}] = {self.integer(1)}"],
                [f"{name}[{self.index()}] {self.rng.choice(['+=', '-=', '^='])} {self.integer(1)} % 1000003"],
                [f"{name}.append({self.integer(1)})", f"del {name}[4:]"],
                [f"if {name}:", f"    del {name}[{self.rng.choice(['0', '-1', self.index()])}]"],
                [f"{name}[{self.bound_text()}:] = [{self.integer(0)}]", f"del {name}[4:]"],
            ]
        for name in self.scope.of("dict"):
            choices += [
                [f"{name}[{self.key()}] = {self.number(1)}"],
                [f"if {self.key()} in {name}:", f"    del {name}[{self.key()}]"],
                [f"{name}[{self.key()}] {self.rng.choice(['+=', '*='])} {self.rng.choice(['1', '0.5', 'True'])}"],
            ]
        for name in self.scope.of("box"):
            choices += [
                [f"{name}.a = {self.integer(1)}"],
                [f"{name}.a {self.rng.choice(['+=', '-=', '|='])} {self.integer(0)} % 1000003"],
                [f"{name}.b = {self.real(1)}"],
                [f"{name}.b = {self.truth(1)}"],
                [f"del {name}.{self.rng.choice(['a', 'b'])}"] if self.rng.random() < 0.1 else [f"{name}.b *= 0.5"],
            ]
        return self.rng.choice(choices) if choices else []
