"""Attributes read, written and called at one place while everything a cache could remember changes."""
# native: read, own, shared, call, call_with, write, count, make
# repetitions: 12

import types
from unittest import mock

from castiron import jit


@jit
def read(o):
    return o.x


@jit
def own(o):
    return o.own


@jit
def shared(o):
    return o.shared


@jit
def call(o):
    return o.method()


@jit
def call_with(o, a, b):
    return o.method(a, key=b)


@jit
def write(o, value):
    o.x = value


@jit
def count(o, n):
    total = 0
    while n > 0:
        o.x = o.x + 1
        total = total + o.x
        n -= 1
    return total


@jit
def make(cls, x):
    o = cls()
    o.x = x
    o.y = o.x
    return o


def show(function, *args):
    try:
        result = function(*args)
    except Exception as error:
        print(function.__name__, "raised", type(error).__name__, error)
    else:
        print(function.__name__, result if type(result) in (int, str, tuple) else type(result).__name__)


def fresh():
    """New classes, so that a repetition finds them unchanged."""

    class Plain:
        shared = "class"

        def __init__(self, x=0):
            self.x = x

        def method(self, a=1, key=2):
            return (self.x, a, key)

    class Derived(Plain):
        pass

    class Slotted:
        __slots__ = ("x", "own")
        shared = "slots"

        def method(self, a=1, key=2):
            return ("slotted", a, key)

    class Mixed(Slotted):
        pass

    return Plain, Derived, Slotted, Mixed


class Hooked:
    def __getattr__(self, name):
        return "hook " + name


def several_kinds():
    Plain, Derived, Slotted, Mixed = fresh()
    simple = types.SimpleNamespace(x=1, own=2)
    text = ["x"]
    for o in (Plain(1), Derived(2), Slotted(), Mixed(), Hooked(), Plain, Slotted, 5, None, simple, text, Plain(3)):
        for function in (read, own, shared, call):
            for _ in range(2):
                show(function, o)


def class_changes():
    Plain, Derived, _, _ = fresh()
    o = Derived(3)
    show(shared, o)
    Plain.shared = "set"
    show(shared, o)
    Derived.shared = "derived"
    show(shared, o)
    with mock.patch.object(Derived, "shared", "patched"):
        show(shared, o)
        show(shared, Derived)
    show(shared, o)
    del Derived.shared
    show(shared, o)
    Plain.x = property(lambda self: "property on a base")
    show(read, o)
    show(write, o, 1)
    del Plain.x
    show(read, o)
    Plain.x = 99
    show(read, o)
    del Plain.x
    for method in (
        lambda self: "replaced",
        staticmethod(lambda: "static"),
        classmethod(lambda cls: cls.__name__),
        property(lambda self: lambda: "from a property"),
        5,
        lambda self, a=1, key=2: (a, key),
    ):
        Plain.method = method
        show(call, o)
        show(call_with, o, 3, 4)
        show(call, Plain)
    Derived.__bases__ = (fresh()[0],)
    show(call, o)
    show(shared, o)


def instance_first():
    Plain, _, _, _ = fresh()
    o = Plain(1)
    show(shared, o)
    o.shared = "own"
    show(shared, o)
    del o.shared
    show(shared, o)
    o.method = lambda *args, **named: ("own", args, len(named))
    show(call, o)
    show(call_with, o, 1, 2)
    show(call, Plain(2))
    del o.method
    show(call, o)


def instance_dict():
    Plain, _, _, _ = fresh()
    o = Plain(1)
    show(read, o)
    kept = o.__dict__
    show(read, o)
    write(o, 2)
    print(kept)
    kept["x"] = 3
    show(read, o)
    o.__dict__ = {"x": 4, "own": 5}
    show(read, o)
    show(own, o)
    write(o, 6)
    print(o.__dict__, kept)
    kept.clear()
    show(read, o)
    o.__dict__.clear()
    show(read, o)
    show(shared, o)
    o.__dict__["shared"] = "through the dict"
    show(shared, o)
    o.__dict__.update({f"n{i}": i for i in range(40)})
    o.x = 7
    show(read, o)
    for name in list(o.__dict__):
        del o.__dict__[name]
    show(read, o)
    o.__dict__["".join(["x", ""])] = "made at run time"
    show(read, o)
    o.__dict__[1] = "no name"
    show(read, o)
    write(o, 8)
    show(call, o)
    p = Plain(1)
    del p.x
    show(read, p)
    write(p, 2)
    show(read, p)
    p.__dict__["method"] = lambda: "in the dict"
    show(call, p)


def other_class():
    Plain, Derived, _, _ = fresh()

    class Other:
        shared = "other"

        def method(self):
            return "other"

    o = Plain(8)
    show(read, o)
    show(call, o)
    o.__class__ = Other
    show(read, o)
    show(shared, o)
    show(call, o)
    write(o, 9)
    show(read, o)
    o.__class__ = Derived
    show(call, o)


def slots():
    Plain, _, Slotted, Mixed = fresh()
    for s in (Slotted(), Mixed()):
        show(read, s)
        write(s, 1)
        show(read, s)
        del s.x
        show(read, s)
        write(s, 2)
        show(call, s)
    s = Slotted()
    write(s, 3)
    slot, Slotted.x = Slotted.x, 5
    show(read, s)
    show(write, s, 3)
    Slotted.x = slot
    show(read, s)
    del Slotted.own
    show(own, s)
    Plain.x = slot
    show(read, Plain.__new__(Plain))


def hooks():
    Plain, _, _, _ = fresh()
    o = Plain(1)
    show(own, o)
    Plain.__getattr__ = lambda self, name: "late " + name
    show(own, o)
    show(read, o)
    Plain.__getattribute__ = lambda self, name: "all " + name
    show(read, o)
    del Plain.__getattribute__, Plain.__getattr__
    show(own, o)
    show(read, o)
    Plain.__setattr__ = lambda self, name, value: print("set", name, value)
    write(o, 5)
    del Plain.__setattr__
    write(o, 6)
    show(read, o)


def metaclasses():
    Plain, Derived, _, _ = fresh()

    class Meta(type):
        pass

    M = Meta("M", (), {"shared": "class"})
    for cls in (Plain, Derived, M, Plain):
        show(shared, cls)
    Meta.shared = property(lambda cls: "meta")
    show(shared, M)
    Meta.shared = "behind the class"
    show(shared, M)
    del M.shared
    show(shared, M)
    Plain.shared = "again"
    show(shared, Plain)
    show(shared, Derived)
    Derived.shared = "nearer"
    show(shared, Derived)
    del Derived.shared
    show(shared, Derived)


def many_versions():
    Plain, _, _, _ = fresh()
    for number in range(150):
        cls = type(f"C{number % 3}", (Plain,), {"shared": number})
        o = cls(number)
        assert (read(o), shared(o), call(o)) == (number, number, (number, 1, 2)), number
    for number in range(1100):
        Plain.shared = number
        assert shared(Plain()) == number
        assert shared(Plain) == number


def descriptors_later():
    """What a class has becomes a descriptor when its own class changes, which the first class does not know."""
    Plain, _, _, _ = fresh()

    class Late:
        def __repr__(self):
            return "late"

    Plain.shared = Late()
    o = Plain(1)
    o.x = 5
    Plain.x = Late()
    for _ in range(2):
        show(shared, o)
        show(shared, Plain)
        show(read, o)
        write(o, 6)
    Late.__get__ = lambda self, instance, owner: "descriptor"
    show(shared, o)
    show(shared, Plain)
    show(read, o)
    Late.__set__ = lambda self, instance, value: print("set", value)
    show(read, o)
    write(o, 7)
    del Late.__set__, Late.__get__
    show(read, o)
    write(o, 8)
    show(read, o)
    show(shared, o)


def deaths():
    Plain, _, Slotted, _ = fresh()

    class Dying:
        def __init__(self, name):
            self.name = name

        def __del__(self):
            print("dies", self.name, own(self.holder) if hasattr(self.holder, "own") else "", end=" ")
            show(read, self.holder)

    for holder in (Plain(0), Slotted()):
        for name in ("first", "second"):
            dying = Dying(name)
            dying.holder = holder
            write(holder, dying)
            del dying
        write(holder, 0)


def called_late():
    """A method is looked up before the arguments are evaluated; the object lives while it runs."""
    Plain, Derived, _, _ = fresh()

    class Changing:
        def __getattr__(self, name):
            Plain.method = lambda self, a, key: ("changed", a, key)
            return name

    o = Plain(1)
    show(call_with, o, Changing().one, Changing().two)
    show(call_with, o, 1, 2)


def main():
    several_kinds()
    class_changes()
    instance_first()
    instance_dict()
    other_class()
    slots()
    hooks()
    metaclasses()
    many_versions()
    descriptors_later()
    deaths()
    called_late()
    Plain, Derived, Slotted, _ = fresh()
    slotted = Slotted()
    slotted.x = 1
    print(count(Plain(5), 5), count(slotted, 300), vars(make(Plain, 3)), list(vars(make(Derived, 3))))
