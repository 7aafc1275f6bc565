def nothing():
    pass


def sometimes(a: int) -> None:
    if a:
        return
    a + 1
