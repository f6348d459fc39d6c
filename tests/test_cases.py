"""Labels that somebody once asked about stay what they are: each case in tests/cases is made again, to the letter.

A case comes there as `wellsentry reproduce LABEL` saved it; picture and page may be left out.
"""

from pathlib import Path

import pytest

from streams.build_info import build_info
from streams.reproduce.again import make_again
from streams.reproduce.case_files import load_case

CASES = sorted((Path(__file__).parent / "cases").glob("*/case.json"))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.parent.name)
def test_a_case_is_made_again_to_the_letter(case: Path) -> None:
    _, evidence = load_case(case.parent)
    found = make_again(evidence, build_info()).reproduction
    assert found.outcome == "identical", found


def test_there_are_cases() -> None:
    assert CASES
