"""What the demo counts, what it calls missing, and what its board shows."""

import io

import pytest
from rich.console import Console

from schemas.twins import write_twin
from streams.board.board import Rates, board
from streams.demo.figures import Figures, what_is_missing
from tests.models.engines import R, model, new_engine, run


def seen(load: float = 100.0, count: int = 40) -> Figures:
    engine = new_engine()
    engine.adopt(model(), 0)
    figures = Figures()
    for label in run(engine, [R(float(m), 200 + load, 200) for m in range(count)]):
        figures.latencies.reading((0, label.source_offset), 1_000)
        figures.add_label(write_twin(label), label, 1_012)
    return figures


def test_labels_are_counted_once_however_often_they_come() -> None:
    figures = seen()
    label = next(iter(figures.machines.values())).label
    figures.add_label(write_twin(label), label, 1_012)
    assert figures.labels == 40
    assert figures.differing == []
    figures.add_label(b"something else", label, 1_012)
    assert figures.differing == [label.label_id]


def test_nothing_is_missing_when_every_reading_has_its_label_and_every_label_is_stored() -> None:
    assert what_is_missing(seen(), 40, 1, 40) == []


@pytest.mark.parametrize(("sent", "stacks", "stored"), [(41, 1, 40), (40, 2, 40), (40, 1, 39)])
def test_what_is_missing_is_said(sent: int, stacks: int, stored: int) -> None:
    assert what_is_missing(seen(), sent, stacks, stored)


def test_latency_is_from_the_reading_s_record_to_the_label_s() -> None:
    assert seen().latencies.percentile(0.99) == 12.0
    assert Figures().latencies.percentile(0.5) is None


@pytest.mark.parametrize(("width", "height"), [(80, 24), (160, 50)])
def test_the_board_fits_its_terminal_and_shows_machines(width: int, height: int) -> None:
    console = Console(width=width, height=height, file=io.StringIO(), force_terminal=False)
    console.print(board(seen(load=150.0), Rates(12.0, 12.0), 5.0, width, height))
    output = console.file
    assert isinstance(output, io.StringIO)
    shown = output.getvalue()
    assert "well-1" in shown
    assert "anomalous" in shown
    assert "6.00" in shown, "the surprise"
    assert len(shown.splitlines()) <= height
    assert max(map(len, shown.splitlines())) <= width
