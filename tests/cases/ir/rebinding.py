def rebind(a):
    x = a + 1
    x = a + 2
    y = x
    x = y
    return 0
