"""Generated class programs: frozen classes and plain dataclasses show the same, and leave nothing behind."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent.parent))

from tests.fuzz import classes


def test_frozen_classes_do_what_dataclasses_do() -> None:
    for seed in range(150):
        assert classes.divergence(seed) is None
    assert classes.left() == []
