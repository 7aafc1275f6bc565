def walrus(f, a):
    if (x := f(a)) and (y := f(x)):
        return x, y
    return x, (x := 1)
