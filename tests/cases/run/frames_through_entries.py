"""Compiled functions that call each other as methods, callables and classes: whoever looks finds all of their frames."""
# native: through_class, through_list, fails, catches_nothing, deep, swaps, items_look
# repetitions: 200

import sys
import threading
import traceback

from castiron import jit


def stack(limit=6):
    names = []
    frame = sys._getframe(1)
    while frame is not None and frame.f_code.co_name != "main" and len(names) < limit:
        names.append(f"{frame.f_code.co_name}:{frame.f_lineno - frame.f_code.co_firstlineno}")
        frame = frame.f_back
    return names


class Looker:
    def __init__(self, name):
        self.name = name

    def __getattr__(self, name):
        return (name, stack())

    def __getitem__(self, key):
        return (key, stack())

    def __contains__(self, key):
        print("contains", stack())
        return True

    def __setitem__(self, key, value):
        print("set", key, stack())

    def __delitem__(self, key):
        print("del", key, stack())

    def __eq__(self, other):
        print("eq", stack())
        return True

    def __hash__(self):
        print("hash", stack())
        return 1

    def __del__(self):
        print("dies", self.name, stack())

    def __len__(self):
        print("len", stack())
        return 3

    def __iter__(self):
        print("iter", stack())
        return iter((1, 2))


class Node:
    @jit
    def outer(self, look):
        return self.middle(look)

    @jit
    def middle(self, look):
        first = self.inner(look)
        return (first, self.inner(look))

    @jit
    def inner(self, look):
        return look()


class Made:
    @jit
    def __init__(self, look):
        self.seen = look()


outer, middle, inner = Node.outer, Node.middle, Node.inner


@jit
def through_class(look):
    return Made(look).seen


@jit
def through_list(functions, look):
    return functions[0](look)


@jit
def fails(node, look):
    return node.middle(look)


@jit
def catches_nothing(call, node, look):
    return call(node, look)


@jit
def deep(node, n, look):
    if n == 0:
        return look()
    return node.again(node, n - 1, look)


@jit
def swaps(node, look):
    before = node.inner(look)
    node.place = before
    return (before, node.inner(look))


@jit
def items_look(looker, container):
    looker[1] = 2
    del looker[3]
    seen = 4 in looker
    container[looker] = 5
    pair = {looker: 6}
    first, second = looker
    return (looker[7], looker.name, looker.other, seen, len(looker), first, second, len(pair), container[looker])


def boom():
    raise ValueError("boom")


def shown(function, *args):
    try:
        result = function(*args)
    except Exception as error:
        print(function.__name__, type(error).__name__, error)
        for entry in traceback.extract_tb(error.__traceback__):
            print("   ", entry.name, entry.lineno)
        trace = error.__traceback__
        while trace.tb_next is not None:
            trace = trace.tb_next
        back = trace.tb_frame
        names = []
        while back is not None and back.f_code.co_name != "main":
            names.append(back.f_code.co_name)
            back = back.f_back
        print("   ", names)
    else:
        print(function.__name__, result)


class Plain:
    pass


def in_threads(node):
    results = []

    def work():
        for _ in range(20):
            results.append(outer(node, stack))

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for _ in range(20):
        results.append(outer(node, stack))
    for thread in threads:
        thread.join()
    print(len(results), sorted({tuple(one[0][:3]) for one in results}))


def main():
    node = Node()
    for _ in range(3):
        shown(outer, node, stack)
    shown(outer, node, boom)
    shown(through_class, stack)
    shown(through_class, boom)
    shown(through_list, [through_class], stack)
    shown(fails, node, boom)
    shown(catches_nothing, fails, node, boom)
    shown(catches_nothing, outer, node, stack)
    plain = Plain()
    plain.again = deep
    shown(deep, plain, 5, stack)
    shown(deep, plain, 5, boom)
    shown(deep, plain, 40, lambda: len(stack(1000)))
    node.place = Looker("old")
    shown(swaps, node, lambda: 1)
    node.place = Looker("older")
    shown(outer, node, lambda: setattr(node, "place", None))
    shown(items_look, Looker("items"), {})
    kept = outer(node, sys._getframe)
    print(kept[0].f_code.co_name, kept[0].f_back and kept[0].f_back.f_code.co_name)
    in_threads(node)
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(limit + 50)
    try:
        deep(plain, 100_000, stack)
    except RecursionError as error:
        print("RecursionError", error)
    sys.setrecursionlimit(limit)
