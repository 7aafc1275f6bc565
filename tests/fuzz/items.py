"""Random work on sequences: lists of one kind and of lists, bytes, bytearrays and strings, read, written and walked.

What compiled code bets on is attacked by what the calls pass: items of another class, subclasses, ints beyond 64 bits,
one list under two names. A sequence keeps a few dozen items at most.
"""

from __future__ import annotations

from tests.fuzz.scope import Type
from tests.fuzz.statements import Statements

ELEMENTS: dict[Type, Type] = {
    "ints": "int",
    "floats": "float",
    "bools": "bool",
    "grid": "ints",
    "rows": "floats",
    "octets": "int",
    "buffer": "int",
    "text": "text",
}
"""What an item of a sequence is taken to be."""

WRITABLE: list[Type] = ["ints", "floats", "bools", "grid", "rows", "buffer"]
NAMES: dict[str, Type] = {
    "a0": "ints",
    "a1": "ints",
    "y0": "floats",
    "y1": "floats",
    "z0": "bools",
    "g0": "grid",
    "h0": "rows",
    "s0": "text",
    "s1": "text",
    "c0": "octets",
    "e0": "buffer",
}
"""Local variables that hold sequences."""

WORDS = ["'abcde'", "'abcabc'", "''", "'x'", "'äöü€'", "'a\\U0001f600b'", "'zebra crossing'", "'0123456789'"]


class Items(Statements):
    """Expressions and statements about sequences, over the variables that hold some."""

    def at(self, name: str) -> str:
        """An index: mostly one that exists."""
        counter = self.variable("int") or "0"
        return self.rng.choice(
            [
                "0",
                "-1",
                "1",
                "2",
                f"{counter} % (len({name}) or 1)",
                f"{counter} % 3",
                f"-1 - {counter} % 2",
                f"{counter} & 3",
                counter if self.rng.random() < 0.3 else "0",
                "True" if self.rng.random() < 0.3 else "1",
            ]
        )

    def sequence(self, kind: Type, depth: int) -> str:
        """A sequence of the kind: a variable, a part of one, or a new one."""
        name = self.variable(kind) if self.rng.random() < 0.75 else None
        if name is not None:
            low, high = self.bound_text(), self.bound_text()
            return self.rng.choice(
                [name, name, name, f"{name}[{low}:{high}]", f"({name} + {name})[:6]", self.copied(kind, name)]
            )
        return self.new_sequence(kind, depth)

    def copied(self, kind: Type, name: str) -> str:
        if kind in ("octets", "buffer", "text"):
            of = {"octets": "bytes", "buffer": "bytearray", "text": "str"}[str(kind)]
            return self.rng.choice([f"{of}({name})", f"{name}[::-1]", f"({name} * 2)[:9]"])
        return self.rng.choice([f"list({name})", f"sorted({name})", f"{name}[::-1]", f"[*{name}]", f"{name}.copy()"])

    def new_sequence(self, kind: Type, depth: int) -> str:
        size = self.rng.choice([0, 1, 2, 3, 5])
        if kind == "text":
            return self.rng.choice([*WORDS, f"str({self.integer(0)})", f"chr({self.integer(0)} % 300)"])
        if kind in ("octets", "buffer"):
            of = "bytes" if kind == "octets" else "bytearray"
            return self.rng.choice([f"{of}(b'hello')", f"{of}({size})", f"{of}([{self.integer(0)} & 255, 7, 255])"])
        item = ELEMENTS[kind]
        if kind == "ints" and self.rng.random() < 0.3:
            low, high = self.integer(0), self.integer(0)
            return self.rng.choice(
                [f"list(range({size}))", f"list(range({low} % 9, {high} % 20, {self.rng.choice([1, 2, -1, 3])}))"]
            )
        if self.rng.random() < 0.35:
            return f"[{self.of(item, depth - 1)}] * {size}"
        return f"[{', '.join(self.of(item, depth - 1) for _ in range(size))}]"

    def of(self, kind: Type, depth: int) -> str:
        return self.sequence(kind, depth) if kind in ELEMENTS else super().of(kind, depth)

    # What is read out of them.

    def int_of_items(self) -> str | None:
        choices = []
        for name in self.scope.of("ints", "octets", "buffer"):
            at = self.at(name)
            choices += [f"{name}[{at}]"] * 4 + [
                f"len({name})",
                f"sum({name})",
                f"max({name})",
                f"{name}.count({self.integer(0)})",
            ]
        for name in self.scope.of("ints", "buffer"):
            choices += [f"{name}.pop()", f"{name}.index({name}[{self.at(name)}])"]
        for name in self.scope.of("grid"):
            choices += [f"{name}[{self.at(name)}][{self.at(name)}]"] * 4 + [
                f"len({name}[{self.at(name)}])",
                f"len({name})",
            ]
        for name in self.scope.of("text"):
            choices += [f"ord({name}[{self.at(name)}])"] * 3 + [f"len({name})", f"{name}.find({name}[{self.at(name)}])"]
        for name in self.scope.of("bools"):
            choices += [f"sum({name})", f"len({name})", f"(+{name}[{self.at(name)}])"]
        return self.rng.choice(choices) if choices else None

    def real_of_items(self) -> str | None:
        choices = [f"{name}[{self.at(name)}]" for name in self.scope.of("floats")]
        choices += [f"{name}[{self.at(name)}][{self.at(name)}]" for name in self.scope.of("rows")]
        return self.rng.choice(choices) if choices else None

    def truth_of_items(self) -> str | None:
        choices = [f"{name}[{self.at(name)}]" for name in self.scope.of("bools")]
        texts, op = self.scope.of("text"), self.rng.choice(["==", "!=", "<", "is", "in"])
        for name in texts:
            other = self.rng.choice([*texts, "'a'", "'abc'", "'€'"])
            choices += [f"({name}[{self.at(name)}] == {other}{f'[{self.at(other)}]' if other in texts else ''})"] * 3
            choices += [f"({name} {op if op != 'is' else '=='} {other})", f"{name}[{self.at(name)}].isdigit()"]
        for name in self.scope.of("ints", "octets", "buffer", "floats"):
            choices += [f"({self.number(0)} in {name})", f"(not {name})"]
        for kind in ("ints", "grid", "floats"):
            names = self.scope.of(kind)
            if len(names) > 1:
                a, b = self.rng.sample(names, 2)
                choices += [f"({a} {self.rng.choice(['==', '!=', '<', 'is'])} {b})"]
        return self.rng.choice(choices) if choices else None

    # Statements.

    def about_items(self, depth: int) -> bool:
        """One statement about a sequence."""
        roll = self.rng.random()
        known = self.scope.of(*ELEMENTS)
        if roll < 0.2 or not known:
            name = self.rng.choice(list(NAMES))
            self.line(f"{name} = {self.of(NAMES[name], 2)}")
            self.scope.bind(name, NAMES[name])
        elif roll < 0.45 and self.loop_depth < 2 and self.cost < 2500:
            self.walk(self.rng.choice(known), depth)
        elif roll < 0.52:
            kind = self.rng.choice(WRITABLE)
            names = self.scope.of(kind)
            if names:
                alias = self.rng.choice([name for name, of in NAMES.items() if of == kind])
                self.line(f"{alias} = {self.rng.choice(names)}")
                self.scope.bind(alias, kind)
        else:
            for text in self.change_of_items():
                self.line(text)
        return False

    def change_of_items(self) -> list[str]:
        """The lines of a statement that changes a sequence or rebinds a string."""
        names = self.scope.of(*WRITABLE)
        texts = self.scope.of("text")
        if texts and (not names or self.rng.random() < 0.2):
            name = self.rng.choice(texts)
            return self.rng.choice(
                [
                    [f"{name} += {name}[{self.at(name)}]", f"{name} = {name}[-9:]"],
                    [f"{name} = {name}[{self.bound_text()}:{self.bound_text()}]"],
                    [f"{name} = {name}[{self.at(name)}]"],
                    [f"{name} += 'é'", f"{name} = {name}[-9:]"],
                    [f"print({name}[{self.at(name)}], {name})"],
                ]
            )
        if not names:
            return []
        name = self.rng.choice(names)
        kind = self.scope.types[name]
        return self.write(name, kind) if self.rng.random() < 0.6 else self.reshape(name, kind)

    def write(self, name: str, kind: Type) -> list[str]:
        """An item is stored, computed in place, or changes places with another."""
        at, item = self.at(name), ELEMENTS[kind]
        if kind == "buffer":
            value = f"{self.integer(1)}{' & 255' if self.rng.random() < 0.9 else ''}"
            return self.rng.choice([[f"{name}[{at}] = {value}"], [f"{name}[{at}] ^= {self.integer(0)} & 127"]])
        if kind in ("grid", "rows"):
            part = self.of(ELEMENTS[item], 1)
            return self.rng.choice(
                [
                    [f"{name}[{at}][{self.at(name)}] = {part}"],
                    [
                        f"{name}[{at}][{self.at(name)}] {self.rng.choice(['+=', '-=', '*='])} {part}",
                        *self.tamed(f"{name}[{at}]", item),
                    ],
                    [f"{name}[{at}] = {self.sequence(item, 1)}"],
                ]
            )
        if kind == "bools":
            return [f"{name}[{at}] = {self.rng.choice([self.truth(1), f'not {name}[{self.at(name)}]'])}"]
        value = self.odd_value() if self.rng.random() < 0.06 else self.of(item, 1)
        other = self.at(name)
        return self.rng.choice(
            [
                [f"{name}[{at}] = {value}"],
                [f"{name}[{at}] {self.rng.choice(['+=', '-=', '*='])} {self.of(item, 0)}", *self.tamed(name, kind)],
                [f"{name}[{at}], {name}[{other}] = {name}[{other}], {name}[{at}]"],
                [f"{name}[{at}] = {name}[{other}] + {self.of(item, 0)}", *self.tamed(name, kind)],
            ]
        )

    def tamed(self, name: str, kind: Type) -> list[str]:
        """Ints in a list keep a bounded number of bits."""
        if kind != "ints":
            return []
        return (
            [f"{name}[:] = [q % {self.rng.choice([2**64, 2**31, 2**62, 2**70, 1000])} for q in {name}]"]
            if self.rng.random() < 0.5
            else [f"if max({name}) > {2**80} or min({name}) < -{2**80}:", f"    {name}[:] = [1] * len({name})"]
        )

    def odd_value(self) -> str:
        return self.rng.choice(["True", "None", "1.5", "2**70", "'x'", "(1, 2)", "math.nan", "SubInt(7)"])

    def reshape(self, name: str, kind: Type) -> list[str]:
        """Items come, go or change places."""
        item = self.of(ELEMENTS[kind], 1) if kind != "buffer" else f"{self.integer(0)} & 255"
        cut = f"del {name}[{self.rng.choice([6, 9, 12])}:]"
        changes = [
            [f"{name}.append({item})", cut],
            [f"{name}.append({item})", cut],
            [f"{name}.insert({self.at(name)}, {item})", cut],
            [f"if {name}:", f"    {name}.pop({self.rng.choice(['', '', '0', '-1'])})"],
            [f"{name}.reverse()"],
            [f"{name}[{self.bound_text()}:{self.bound_text()}] = {self.sequence(kind, 1)}", cut],
            [f"if len({name}) > 1:", f"    del {name}[{self.rng.choice(['0', '-1', '1'])}]"],
            [f"{name} += {self.sequence(kind, 1)}", cut],
            [f"{name}.extend({self.sequence(kind, 1)})", cut],
            [f"{name} *= {self.rng.choice([1, 1, 2, 0])}", cut],
            [f"{name}.clear()"],
        ]
        if kind in ("ints", "floats", "grid"):
            changes.append([f"{name}.sort()"])
        return self.rng.choice(changes)

    def walk(self, name: str, depth: int) -> None:
        """A loop over a sequence, by its items or its positions; the body may change it."""
        kind = self.scope.types[name]
        item = ELEMENTS[kind]
        counter, limit = self.fresh(), self.rng.choice([3, 8, 15])
        self.line(f"{counter} = 0")
        self.scope.bind(counter, "int")
        variable = {"int": "j2", "float": "j3", "bool": "j4", "ints": "a0", "floats": "y0", "text": "s1"}[str(item)]
        form = self.rng.choice(["item", "item", "position", "position", "enumerate", "zip", "reversed", "while"])
        names = [(variable, item)]
        if form in ("item", "reversed"):
            head = f"for {variable} in {name if form == 'item' else f'reversed({name})'}:"
        elif form == "position":
            names = [("j5", "int")]
            head = f"for j5 in range({self.rng.choice(['', '', '1, '])}len({name})):"
        elif form == "while":
            names = []
            head = f"while {counter} < len({name}):"
        else:
            names = [("j5", "int"), (variable, item)]
            source = f"enumerate({name})" if form == "enumerate" else f"zip(range({limit}), {name})"
            head = f"for j5, {variable} in {source}:"
        self.line(head)
        before = set(self.scope.types)
        for bound, of in names:
            self.scope.bind(bound, of, sure=False)
        surely = [bound for bound, _ in names if bound not in before]
        self.scope.unsure.difference_update(surely)
        first = [f"{counter} += 1", f"if {counter} > {limit}:", "    break"]
        if form in ("position", "while") and self.rng.random() < 0.2:
            first.append(f"print({name}[{'j5' if form == 'position' else f'{counter} - 1'}])")
        self.loop_body(min(limit, 6), max(0, depth - 1), first)
        self.scope.unsure.update(surely)
