"""`with`: entering, leaving by every way, suppression, several managers, managers that fail."""
# native: plain, named, several, returns, loops, in_try, nested_with, not_a_manager, target_fails, unpacks, reads_handled
# repetitions: 200

import sys

from castiron import jit


def show(function, *args):
    """What a call gives, or raises and where: the frames of an exception that a `with` has seen have no variables."""
    try:
        print(function.__name__, repr(function(*args)))
    except Exception as error:
        trace, lines = error.__traceback__.tb_next, []
        while trace is not None:
            lines.append(f"{trace.tb_frame.f_code.co_name}:{trace.tb_lineno}")
            trace = trace.tb_next
        print(function.__name__, "raised", repr(error), repr(error.__context__), *lines)


class Manager:
    def __init__(self, name, suppress=False, enter_fails=None, exit_fails=None):
        self.name, self.suppress, self.enter_fails, self.exit_fails = name, suppress, enter_fails, exit_fails

    def __repr__(self):
        return f"Manager({self.name})"

    def __enter__(self):
        print("  enter", self.name)
        if self.enter_fails:
            raise self.enter_fails
        return [self.name]

    def __exit__(self, kind, value, trace):
        print("  exit", self.name, kind and kind.__name__, repr(value), trace and trace.tb_lineno, repr(sys.exception()))
        if self.exit_fails:
            raise self.exit_fails
        return self.suppress


class Truth:
    def __bool__(self):
        print("  asked for truth")
        raise OSError("truth")


class OnlyEnter:
    def __enter__(self):
        print("  never called")


class OnlyExit:
    def __exit__(self, *_):
        print("  never called")


def fail(error):
    raise error


@jit
def plain(manager, error):
    with manager:
        print("  body", repr(error))
        if error:
            raise error
    return "end", sys.exception()


@jit
def named(name, error, suppress):
    with Manager(name, suppress) as found:
        if error:
            fail(error)
        found.append(1)
    return found


@jit
def several(first, second, third, error):
    with first as a, second as b, third:
        if error:
            raise error
        return a, b
    return "suppressed"


@jit
def returns(manager, how: int):
    for i in range(3):
        with manager as found:
            if how == 0:
                return found, i
            if how == 1:
                break
            if how == 2:
                continue
            found.append(i)
    else:
        return "else"
    return "end"


@jit
def loops(n: int):
    entered = 0
    for i in range(n):
        with Manager(str(i), i % 2 == 0):
            entered += 1
            if i < 3:
                raise ValueError(i)
    return entered


@jit
def in_try(manager, error):
    try:
        with manager:
            raise error
    except ValueError as found:
        return "caught", repr(found), repr(found.__context__)
    finally:
        print("  finally")
    return "suppressed"


@jit
def nested_with(error):
    with Manager("outer", True):
        with Manager("inner"):
            raise error
        print("never here")
    return "end"


@jit
def not_a_manager(manager):
    with manager:
        print("never here")


@jit
def target_fails(manager):
    with manager as missing.attribute:
        print("never here")
    return "suppressed"


@jit
def unpacks(manager):
    with manager as (a, b):
        return a, b
    return "suppressed"


@jit
def reads_handled(manager):
    try:
        raise KeyError("first")
    except KeyError:
        with manager:
            raise ValueError("second")
        return repr(sys.exception())


def main():
    for suppress in (False, True, 1, ""):
        for error in (None, ValueError("v"), KeyError):
            show(plain, Manager("m", suppress), error)
            show(named, "n", error, suppress)
    show(plain, Manager("m", Truth()), None)
    show(plain, Manager("m", Truth()), ValueError("v"))
    show(plain, Manager("m", exit_fails=OSError("exit")), None)
    show(plain, Manager("m", exit_fails=OSError("exit")), ValueError("v"))
    show(plain, Manager("m", enter_fails=OSError("enter")), None)
    for error in (None, ValueError("v")):
        show(several, Manager(1), Manager(2), Manager(3), error)
        show(several, Manager(1, True), Manager(2), Manager(3), error)
        show(several, Manager(1), Manager(2, True), Manager(3), error)
        show(several, Manager(1, True), Manager(2, enter_fails=KeyError(2)), Manager(3), error)
        show(several, Manager(1), Manager(2), Manager(3, exit_fails=KeyError(3)), error)
    for how in range(4):
        show(returns, Manager("r"), how)
    show(returns, Manager("r", exit_fails=OSError("exit")), 0)
    show(returns, Manager("r", exit_fails=OSError("exit")), 1)
    for n in (0, 1, 2, 5):
        show(loops, n)
    for suppress in (False, True):
        for error in (ValueError("v"), KeyError("k")):
            show(in_try, Manager("t", suppress), error)
    show(in_try, Manager("t", exit_fails=ValueError("exit")), KeyError("k"))
    show(nested_with, ValueError("v"))
    for manager in (5, None, OnlyEnter, OnlyExit):
        show(not_a_manager, manager)
    for make in (OnlyEnter, OnlyExit):
        try:
            not_a_manager(make())
        except TypeError as error:
            print(error)
    show(target_fails, Manager("t"))
    show(target_fails, Manager("t", True))
    show(unpacks, Manager("u"))
    show(unpacks, Manager("u", True))
    show(reads_handled, Manager("h", True))
    show(reads_handled, Manager("h"))
