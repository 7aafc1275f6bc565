"""Attributes whose types are guessed by their names (the harness knows these two): read under a guard, written without a box."""


def move(body, by: float):
    body.field_x += by
    body.field_n += 1
    return body.field_n, body.other
