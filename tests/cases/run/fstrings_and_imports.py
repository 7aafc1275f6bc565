"""f-strings, imports inside functions and names of the module that are unbound."""
# native: pieces, conversions, specs, debug, order, nothing, joined, import_plain, import_dotted, import_names, import_missing, import_part, forget, name_global, annotated, count_globals
# repetitions: 300

from castiron import jit
from support import show, version


class Shown:
    def __init__(self, name, fail=False):
        self.name, self.fail = name, fail

    def __format__(self, spec):
        print("  format", self.name, repr(spec))
        if self.fail:
            raise ValueError(f"format of {self.name}")
        return f"<{self.name}>"

    def __str__(self):
        print("  str", self.name)
        return f"str-{self.name}"

    def __repr__(self):
        return f"Shown({self.name})"

    def __del__(self):
        print("  del", self.name)


def made(name, fail=False):
    print("  made", name)
    return Shown(name, fail)


@jit
def pieces(a, b: int):
    return f"{a}, {b} and {a!r}!{{{b + 1}}}"


@jit
def conversions(a):
    return f"{a!s}{a!r}{a!a}", f"{a}", f"{a!s:>8}"


@jit
def specs(x: float, width, precision):
    return f"{x:.3f}", f"{x:{width}.{precision}}", f"{x:{width}}|"


@jit
def debug(x):
    return f"{x=}", f"{x = !s}", f"{x=:>5}", f"{ x + 1 = }"


@jit
def order(fails):
    return f"{made('one')} {made('two', fails)} {made('three')}"


@jit
def nothing():
    return f"", f"text", f"more"


@jit
def joined(items):
    text = ""
    for item in items:
        text += f"{item},"
    return text


@jit
def import_plain(x):
    import math

    return math.floor(x)


@jit
def import_dotted():
    import os.path
    import os.path as other

    return os.path is other, other.basename("a/b")


@jit
def import_names():
    from os import path as p, sep
    from os.path import join

    return p.basename("a/b"), sep, join("a", "b")


@jit
def import_missing(which):
    if which == 0:
        import no_such_module
    elif which == 1:
        from os import no_such_name
    elif which == 2:
        from . import anything
    return which


@jit
def import_part():
    from xml import dom

    return dom.__name__


@jit
def forget():
    global volatile
    del volatile


@jit
def name_global(value):
    global volatile
    volatile = value
    return volatile


@jit
def annotated(items, key):
    items[0]: int
    items[key]: int = 5
    items.nothing_is_read: int
    return items


@jit
def count_globals():
    return "volatile" in globals(), globals()["__name__"]


def main():
    show(pieces, 1, 2)
    show(pieces, "text", 2**70)
    show(conversions, "ä'")
    show(conversions, Shown("c"))
    show(specs, 3.14159, 10, 3)
    show(specs, float("nan"), "<10", 3)
    show(specs, 1.0, "x", 3)
    show(debug, 41)
    show(debug, "text")
    show(order, False)
    show(order, True)
    show(nothing)
    show(joined, ["a", 1, None])
    show(import_plain, 2.5)
    show(import_dotted)
    show(import_names)
    for which in range(4):
        if which != 2 or version() >= (3, 11):
            show(import_missing, which)
    show(import_part)
    show(name_global, 5)
    show(count_globals)
    show(forget)
    show(forget)
    show(annotated, [1, 2, 3], 1)
    show(annotated, [1, 2, 3], 7)
