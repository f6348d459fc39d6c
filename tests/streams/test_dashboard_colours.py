"""Text on the dashboard can be read: WCAG 2.2's contrast of 4.5 (AA), in light and in dark."""

import re
from pathlib import Path

import pytest

import streams.dashboard

STYLES = (Path(streams.dashboard.__file__).parent / "static" / "board.css").read_text()
MODES = [
    dict(re.findall(r"--ws-([\w-]+): (#\w{6})", block)) for block in re.findall(r"\{([^}]*--ws-ink[^}]*)\}", STYLES)
][:2]
ON_PAPER = ("ink", "dim", "incident", "anomalous", "normal", "quiet", "silent")


def luminance(colour: str) -> float:
    """Relative luminance, as WCAG 2.2 defines it."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("mode", MODES, ids=["light", "dark"])
def test_every_colour_of_text_stands_out_from_what_is_behind_it(mode: dict[str, str]) -> None:
    assert {name for name in ON_PAPER if contrast(mode[name], mode["paper"]) < 4.5} == set()
    assert contrast(mode["bar-ink"], mode["bar"]) >= 4.5
