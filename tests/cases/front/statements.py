def statements(a):
    import math  # error[unsupported-statement]: an import can't be compiled yet
    from math import sqrt  # error[unsupported-statement]: an import can't be compiled yet
    type T = int  # error[unsupported-statement]: this statement can't be compiled yet

    def inner():  # error[unsupported-statement]: a nested function can't be compiled yet
        pass

    class Inner:  # error[unsupported-statement]: a nested class can't be compiled yet
        pass

    with a as b:  # error[unsupported-statement]: a `with` statement can't be compiled yet
        {b}  # error[unsupported-expression]: a set display can't be compiled yet
    try:  # error[unsupported-statement]: a `try` statement can't be compiled yet
        {a}  # error[unsupported-expression]: a set display can't be compiled yet
    except ValueError:
        raise  # error[unsupported-statement]: a `raise` without an exception can't be compiled yet
    match a:  # error[unsupported-statement]: a `match` statement can't be compiled yet
        case 1:
            pass
    a.x = 1
    a.x += 1
    a.x: int  # error[unsupported-statement]: an annotation of anything but a variable can't be compiled yet
    a[0] = 1
    a[0] += 1
    a, *b = a  # error[unsupported-statement]: unpacking with a star can't be compiled yet
    del a.x
