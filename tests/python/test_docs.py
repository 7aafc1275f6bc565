"""The guide's examples are true."""

import doctest
from pathlib import Path

import pytest

GUIDE = Path(__file__).parent.parent.parent / "docs" / "enforcement.md"


@pytest.mark.skipif(not GUIDE.exists(), reason="the guide is not here")
def test_examples_of_the_guide() -> None:
    text = GUIDE.read_text(encoding="utf-8").replace("```python\n", "").replace("```\n", "\n")
    test = doctest.DocTestParser().get_doctest(text, {}, "enforcement.md", str(GUIDE), 0)
    assert len(test.examples) > 5
    output: list[str] = []
    result = doctest.DocTestRunner().run(test, out=output.append)
    assert result.failed == 0, "".join(output)
