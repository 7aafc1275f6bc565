def augmented(x, f):
    x += f()
    x -= x
    x **= 2
    return x
