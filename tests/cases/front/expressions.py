def expressions(a):
    lambda: a  # error[unsupported-expression]: a lambda can't be compiled yet
    {1: a}
    {1: a, **a}  # error[unsupported-expression]: unpacking with a star can't be compiled yet
    {a}  # error[unsupported-expression]: a set display can't be compiled yet
    [a]
    [*a]  # error[unsupported-expression]: unpacking with a star can't be compiled yet
    [x for x in a]  # error[unsupported-expression]: a comprehension can't be compiled yet
    {x for x in a}  # error[unsupported-expression]: a comprehension can't be compiled yet
    {x: x for x in a}  # error[unsupported-expression]: a comprehension can't be compiled yet
    a(x for x in a)  # error[unsupported-expression]: a generator expression can't be compiled yet
    f"{a}"  # error[unsupported-expression]: an f-string can't be compiled yet
    t"{a}"  # error[unsupported-expression]: a t-string can't be compiled yet
    a[1], a[1:2]
    a[*a]  # error[unsupported-expression]: unpacking with a star can't be compiled yet
    a(*a)  # error[unsupported-expression]: unpacking with a star can't be compiled yet
    a(**a)  # error[unsupported-expression]: unpacking with a star can't be compiled yet
    a in a
    a not in a


def in_dead_code(a):
    if False:
        return {a}  # error[unsupported-expression]: a set display can't be compiled yet
    return a
    return {a}  # error[unsupported-expression]: a set display can't be compiled yet


def fine(a):
    return a
