counter = 0


def count():
    global counter
    counter += 1
    for counter in range(3):
        pass
    (counter := 2)
    del counter  # error[unsupported-statement]: a deletion of a global can't be compiled yet
    return counter
