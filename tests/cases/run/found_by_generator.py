"""What the program generator has found, shrunk: each of these was compiled wrongly once."""
# native: finally_first, finally_in_loop, finally_twice, names_while_handling

from castiron import jit
from support import show


class Loud:
    def __init__(self, name):
        self.name = name

    def __del__(self):
        print("gone", self.name)


@jit
def finally_first(how: int):
    """CPython numbers `last` before `found` and `other`: it writes the suite at the `return`."""
    try:
        try:
            if how == 0:
                return 0
            raise KeyError(how)
        except KeyError as found:
            other = Loud("other")
    finally:
        last = Loud("last")
        never |= how
    return 1


@jit
def finally_in_loop(how: int):
    for turn in range(3):
        try:
            if how == turn:
                break
            early = Loud("early")
            if how > 5:
                continue
            later = Loud("later")
        finally:
            inner = Loud("inner")
    behind = Loud("behind")
    return 1 // (how - 2)


@jit
def finally_twice(how: int):
    try:
        try:
            if how:
                return Loud("result").name
            first = Loud("first")
        finally:
            second = Loud("second")
            if how == 2:
                return 5
            third = Loud("third")
    finally:
        fourth = Loud("fourth")
    fifth = Loud("fifth")
    return 1 // how


@jit
def names_while_handling(names: dict):
    try:
        return 1 // len(names)
    finally:
        try:
            sorted((), **{"key": None}, **names)
        except (KeyError, TypeError) as error:
            print(type(error).__name__, error)


def main():
    for how in range(4):
        show(finally_first, how)
        show(finally_in_loop, how)
        show(finally_twice, how)
    show(finally_in_loop, 7)
    show(names_while_handling, {})
    show(names_while_handling, {"key": 1})
    show(names_while_handling, {1: 2})
