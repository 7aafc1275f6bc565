counter = 0


def count():
    global counter
    counter += 1
    for counter in range(3):
        pass
    (counter := 2)
    del counter
    return counter
