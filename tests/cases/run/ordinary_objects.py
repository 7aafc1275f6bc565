"""Objects of ordinary classes: the order in which attributes are set, `super`, bound methods that are called later, deques."""
# native: fill, refill, up, through, pump, limited, pick, of_many, made, function_dies, drops, list_dies, finds
# repetitions: 12

import collections
import functools
import gc
import sys
import weakref

from castiron import jit


class Noisy:
    def __init__(self, name):
        self.name = name

    def __del__(self):
        print("gone", self.name, sys._getframe(1).f_code.co_name)


class Record:
    def __init__(self, *names):
        for name in names:
            setattr(self, name, name)


class Other(Record):
    pass


@jit
def fill(o, a):
    o.first = a
    o.second = (a, a)
    o.third = [a]
    return list(vars(o).items())


@jit
def refill(o, a):
    o.third = a
    o.first = o.third
    o.second = o.first
    return a


@jit
def up(o, a):
    return o.told(a)


@jit
def made(cls, a, b):
    o = cls(a, b)
    return (o.a, o.b, o.told(b))


@jit
def through(steps, a):
    for step in steps:
        a = step(a)
    return a


@jit
def pump(queue, n):
    for i in range(n):
        queue.append(i)
        if len(queue) > 3:
            queue.popleft()
    return [item for item in queue]


@jit
def limited(queue, item):
    queue.append(item)
    item = None
    if queue:
        return len(queue)
    return 0


@jit
def pick(container, key):
    return container[key]


@jit
def of_many(objects):
    found = []
    for o in objects:
        found.append(o.value)
    return found


def put(o, name, value):
    setattr(o, name, value)


@jit
def function_dies(how, text):
    def inner(a=None):
        return a

    put(inner, how, Noisy(text))
    inner = None
    return text


@jit
def closure_of(text):
    noisy = Noisy(text)
    return lambda: noisy


@jit
def drops(text):
    held = closure_of(text)
    name = held().name
    held = None
    return name


@jit
def list_dies(text):
    found = [Noisy(text), 1]
    found = None
    shared = Noisy(text + " twice")
    twice = (shared, shared)
    shared = None
    twice = None
    alone = [[Noisy(text + " nested")]]
    alone = None
    return text


class Clears:
    """The comparison drops the only reference to the object that is compared."""

    def __init__(self, queue, answer):
        self.queue = queue
        self.answer = answer

    @jit
    def __eq__(self, other):
        self.queue.clear()
        gc.collect()
        return self.answer


@jit
def finds(queue, item):
    return queue.index(item)


def renamed(name):
    def decorate(function):
        @functools.wraps(function)
        @jit
        def inner(*args: object) -> object:
            return function(*args)

        inner.__name__ = name
        return inner

    return decorate


class Generic:
    @renamed("__class_getitem__")
    def __class_getitem__(cls, item):
        return (cls.__name__, item)

    @renamed("__init_subclass__")
    def __init_subclass__(cls):
        print("made", cls.__name__)

    @renamed("other")
    def other(self):
        return self


class Base:
    def __init__(self, a, b):
        self.a = a
        self.b = b

    @jit
    def told(self, text):
        return ["base", text, sys._getframe(1).f_code.co_name]

    @classmethod
    def of_class(cls, text):
        return (cls.__name__, text)

    @staticmethod
    def alone(text):
        return ("static", text)

    @property
    def computed(self):
        return ("computed", self.a)


class Left(Base):
    def __init__(self, a, b):
        super().__init__(a, b)
        self.left = a

    @jit
    def told(self, text):
        return ["left", *super().told(text)]

    def of_class(self, text):
        return super().of_class(text)

    def alone(self, text):
        return (super().alone(text), super().computed)


class Right(Base):
    @jit
    def told(self, text):
        return ["right", *super().told(text)]


class Both(Left, Right):
    def __init__(self, a, b):
        super().__init__(b, a)
        self.both = (self.a, self.b)

    @jit
    def told(self, text):
        found = super().told(text)
        found.append(super(Left, self).told(text))
        return found

    @jit
    def missing(self):
        return super().nothing_of_this_name()


class Odd(Base):
    def told(self, text):
        return super().told.__name__ + super().__class__.__name__


def shown(function, *args):
    try:
        print(function.__name__, function(*args))
    except Exception as error:
        print(function.__name__, "raised", type(error).__name__, error)


def orders():
    for cls in (Record, Other):
        for names in ((), ("third",), ("second", "first"), ("other", "third", "first"), tuple("abcdefghijklmnopqrstuvwxyzABCDEFG")):
            o = cls(*names)
            shown(fill, o, 1)
            for name in ("first", "second"):
                delattr(o, name)
            refill(o, 2)
            print(vars(o))
            del o.third
            vars(o)["second"] = "through the dict"
            refill(o, 3)
            print(list(vars(o)), o.__dict__ is vars(o))
            o.__dict__ = {"fresh": 1}
            shown(fill, o, 4)


class Step:
    def __init__(self, by):
        self.by = by

    @jit
    def add(self, a):
        return a + self.by

    def plain(self, a):
        return a * self.by

    def fails(self, a):
        raise ValueError(a)


def bound():
    step = Step(3)
    steps = [step.add, step.plain, Step(5).add, [].__class__, len, "a".__add__, str]
    for end in range(len(steps) + 1):
        shown(through, steps[:end], 2)
    shown(through, [step.add, step.fails], 1)
    shown(through, [step.add] * 50, 0)
    held = Step(1).add
    reference = weakref.ref(held.__self__)
    steps = [held, held]
    del held
    shown(through, steps, 1)
    steps.clear()
    print(reference() is None)


def deques():
    shown(pump, collections.deque(), 10)
    shown(pump, collections.deque([7], 2), 10)
    shown(pump, [1, 2], 3)
    queue = collections.deque((), 2)
    for name in "abcd":
        shown(limited, queue, Noisy(name))
    queue.clear()
    queue = collections.deque()
    for name in "ef":
        shown(limited, queue, Noisy(name))
    shown(pick, queue, 5)
    queue.clear()


class Many:
    pass


def classes(count):
    for number in range(count):
        cls = type(f"Kind{number}", (Many,), {} if number % 3 else {"__slots__": ("value",)})
        o = cls()
        o.value = number
        yield o


def deaths():
    for how in ("__doc__", "__module__", "extra", "__annotations__"):
        try:
            print(function_dies(how, how))
        except TypeError as error:
            print(error)
    print(drops("closure"), list_dies("list"))


def borrowed():
    for answer in (False, True):
        queue = collections.deque(range(5))
        queue[2] = Clears(queue, answer)
        shown(finds, queue, 7)
        queue = [1, 2, 3]
        queue[1] = Clears(queue, answer)
        shown(finds, queue, 7)

    class Made(Generic):
        pass

    print(Generic["item"], Made[int], Generic.other(5), type(Generic().other()).__name__)


def items():
    for container in ([1, 2, 3], (1, 2, 3), "abc", b"abc", {0: "zero", -1: "last"}, range(5), collections.deque([1, 2])):
        for key in (0, 1, 2, 3, -1, -3, -4, True, 2**70, 1.0, "a", slice(1, 2), None):
            shown(pick, container, key)


def main():
    orders()
    for cls in (Base, Left, Right, Both):
        shown(made, cls, 1, 2)
        o = cls(1, 2)
        print(list(vars(o).items()))
        shown(up, o, "text")
        shown(o.of_class, "c")
        shown(o.alone, "s")
    shown(Both(1, 2).missing)
    shown(up, Odd(1, 2), "odd")
    Base.told, old = (lambda self, text: ["changed", text]), Base.told
    shown(up, Both(1, 2), "text")
    Base.told = old
    Right.told, old = Left, Right.told
    shown(up, Both(1, 2), "class")
    Right.told = old
    shown(up, Both(1, 2), "again")
    bound()
    deques()
    deaths()
    borrowed()
    items()
    objects = list(classes(12))
    for _ in range(3):
        print(of_many(objects), of_many(objects[:4] * 2))
    gc.collect()


if __name__ == "__main__":
    main()
