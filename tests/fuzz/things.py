"""Random work on objects of ordinary classes: attributes, methods, properties, slots, classes changed meanwhile.

All classes have the same interface, so that one place meets several of them. Some say when they die.
"""

from __future__ import annotations

from tests.fuzz.statements import Statements

CLASSES = [
    "class Thing:",
    "    kind = 3",
    "    shared = [1, 2]",
    "",
    "    def __init__(self, a, b=0.5):",
    "        self.a = a",
    "        self.b = b",
    "",
    "    def __repr__(self):",
    "        return f'{type(self).__name__}({self.a!r})'",
    "",
    "    def get(self, more=0):",
    "        return self.a + more",
    "",
    "    def bump(self, n=1):",
    "        self.a = (self.a + n) % 1000003",
    "        return self",
    "",
    "    @property",
    "    def twice(self):",
    "        return self.a * 2",
    "",
    "    @twice.setter",
    "    def twice(self, value):",
    "        self.a = value // 2",
    "",
    "    @staticmethod",
    "    def fixed(n=4):",
    "        return n % 7",
    "",
    "    @classmethod",
    "    def named(cls, n=1):",
    "        return len(cls.__name__) + n % 5",
    "",
    "    @jit",
    "    def fast(self, n: int) -> int:",
    "        return n % 1000 + self.kind",
    "",
    "",
    "class Child(Thing):",
    "    def get(self, more=0):",
    "        return super().get(more) + 1",
    "",
    "    def __getattr__(self, name):",
    "        if name == 'ghost':",
    "            return 5",
    "        raise AttributeError(name)",
    "",
    "",
    "class Slotted:",
    "    __slots__ = ('a', 'b')",
    "    kind = 4",
    "    shared = ()",
    "    __init__, __repr__, get, bump, twice = Thing.__init__, Thing.__repr__, Thing.get, Thing.bump, Thing.twice",
    "    fixed, named, fast = Thing.__dict__['fixed'], Thing.__dict__['named'], Thing.__dict__['fast']",
    "",
    "",
    "class Loud(Thing):",
    "    alive = 0",
    "",
    "    def __init__(self, a, b=0.5):",
    "        super().__init__(a, b)",
    "        Loud.alive += 1",
    "",
    "    def __del__(self):",
    "        Loud.alive -= 1",
    "        print('gone', self.__dict__.get('a'))",
]
"""Classes of the module; all of them have the same interface."""

MAKERS = ["Thing", "Thing", "Thing", "Child", "Slotted", "Loud"]
NAMES = ["o1", "o2", "o3"]
PATCHES = [
    "{c}.kind = {n}",
    "{c}.kind += 1",
    "{c}.get = lambda self, more=0: {n} + more",
    "{c}.extra = {n}",
    "{c}.fixed = staticmethod(abs)",
    "setattr({c}, 'get', GET)",
    "{c}.kind = property(lambda self: {n} % 9)",
    "{c}.twice = {n}",
    "{c}.bump = lambda self, n=1: self",
]
RESTORES = [
    "{c}.kind = 3",
    "setattr({c}, 'get', GET)",
    "{c}.twice = TWICE",
    "{c}.fixed = FIXED",
    "{c}.bump = BUMP",
]
KEPT = ["GET, TWICE, FIXED, BUMP = Thing.get, Thing.twice, Thing.__dict__['fixed'], Thing.bump"]


class Things(Statements):
    """Expressions and statements about such objects."""

    def thing(self) -> str:
        """An object: a variable that holds one, or a new one that says nothing when it dies."""
        name = self.variable("thing") if self.rng.random() < 0.85 else None
        return name or self.new_thing(self.rng.choice(MAKERS[:-1]))

    def new_thing(self, maker: str) -> str:
        second = self.rng.choice(["", "", f", {self.real(0)}", f", b={self.integer(0)}"])
        return f"{maker}({self.integer(1)}{second})"

    def int_of_things(self) -> str | None:
        names = self.scope.of("thing")
        if not names:
            return None
        name, number = self.rng.choice(names), self.integer(0)
        return self.rng.choice(
            [
                f"{name}.a",
                f"{name}.a",
                f"{name}.a",
                f"{name}.kind",
                f"{name}.get()",
                f"{name}.get({number})",
                f"{name}.get(more={number})",
                f"{name}.bump({number}).a",
                f"{name}.twice",
                f"{name}.fixed({number})",
                f"{name}.named()",
                f"{name}.fast({number})",
                f"type({name}).kind",
                f"len({name}.shared)",
                f"{name}.ghost" if self.rng.random() < 0.3 else f"{name}.a",
                f"getattr({name}, 'extra', 1)",
                f"{name}.extra" if self.rng.random() < 0.3 else f"{name}.kind",
                f"Thing.get({name})",
                f"{name}.get(*[{number}])",
                f"{name}.b",
                f"hasattr({name}, 'a') + 0",
                f"Loud.alive + {number}",
            ]
        )

    def truth_of_things(self) -> str:
        name = self.thing()
        return self.rng.choice(
            [
                f"isinstance({name}, {self.rng.choice(['Thing', 'Child', '(Child, Slotted)'])})",
                f"({name}.a {self.rng.choice(['<', '==', '>'])} {self.number(0)})",
                f"({name} is {self.thing()})",
                f"({name} == {self.thing()})",
                f"hasattr({name}, {self.rng.choice(['extra', 'b', 'kind'])!r})",
            ]
        )

    def about_things(self) -> bool:
        """One statement about such objects."""
        names = self.scope.of("thing")
        roll = self.rng.random()
        if roll < 0.22 or not names:
            name = self.rng.choice(NAMES)
            self.line(
                f"{name} = {self.new_thing(self.rng.choice(MAKERS)) if self.rng.random() < 0.8 else self.thing()}"
            )
            self.scope.bind(name, "thing")
        elif roll < 0.4:
            self.patch()
        elif roll < 0.5 and self.loop_depth < 2 and self.cost < 2500:
            self.walk_things()
        else:
            self.line(self.change_of_thing(self.rng.choice(names)))
        return False

    def patch(self) -> None:
        """A class changes, at once or at one turn of the loop around."""
        found = self.rng.choice(["Thing", "Thing", "Child", "Slotted", "type(" + self.thing() + ")"])
        text = self.rng.choice([*PATCHES, *RESTORES, *RESTORES]).format(c=found, n=self.integer(0))
        counter = f"k{self.loops}"
        if self.loop_depth and counter in self.scope.types and counter not in self.scope.unsure:
            self.line(f"if {counter} == {self.rng.choice([1, 2, 3])}:")
            self.line(f"    {text}")
        else:
            self.line(text)

    def change_of_thing(self, name: str) -> str:
        number = self.integer(1)
        return self.rng.choice(
            [
                f"{name}.a = {number}",
                f"{name}.a = {number}",
                f"{name}.a {self.rng.choice(['+=', '-=', '^='])} {number} % 1000003",
                f"{name}.b = {self.number(1)}",
                f"{name}.b = {self.thing()}" if self.rng.random() < 0.3 else f"{name}.b = {self.truth(1)}",
                f"{name}.twice = {number}",
                f"{name}.bump({number})",
                f"{name}.new{self.rng.randrange(3)} = {number}",
                f"{name}.__dict__['a'] = {number}",
                f"{name}.__dict__.update(kind={number})",
                f"{name}.get = lambda more=0: more + 7",
                f"del {name}.{self.rng.choice(['a', 'b', 'get', 'kind', 'new0'])}",
                f"setattr({name}, 'a', {number})",
                f"{name}.__class__ = {self.rng.choice(['Child', 'Thing'])}",
                f"{name} = None" if self.rng.random() < 0.2 else f"print({name}, {name}.a)",
                f"{name}.kind = {number}",
                f"{name}.__dict__.clear()" if self.rng.random() < 0.2 else f"{name}.a = {number}",
            ]
        )

    def walk_things(self) -> None:
        """One place meets objects of several classes."""
        counter = self.fresh()
        self.line(f"{counter} = 0")
        self.scope.bind(counter, "int")
        several = ", ".join(self.thing() for _ in range(self.rng.choice([2, 3, 4])))
        name = self.rng.choice(NAMES)
        self.line(f"for {name} in [{several}]{self.rng.choice([' * 2', '', ' * 3'])}:")
        known = name in self.scope.types
        self.scope.bind(name, "thing", sure=False)
        self.scope.unsure.discard(name)
        self.loop_body(6, 0, [f"{counter} += 1", f"print({name}.{self.rng.choice(['a', 'kind', 'get()', 'twice'])})"])
        if not known:
            self.scope.unsure.add(name)
