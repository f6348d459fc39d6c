"""What a machine costs: memory, and changelog for each reading (the settled design gives both a limit)."""

from models.engine.engine import Engine
from models.engine.ensemble import EnsembleScorer
from models.engine.machines import Machines
from models.engine.settings import EngineSettings
from models.stacks import choose_stacks
from tests.models.engines import R, batch_of, run

_MEMORY_BYTES = 64 * 1024
_CHANGELOG_BYTES = 300


def test_a_machine_of_the_load_stack_fits_into_64_kib() -> None:
    one = Engine(Machines(choose_stacks(["load"]), EngineSettings())).stacks["load"]
    scorer = one.scorer
    assert isinstance(scorer, EnsembleScorer)
    assert one.state.row_bytes + scorer.views.row_bytes <= _MEMORY_BYTES


def test_a_reading_that_is_committed_alone_costs_no_more_than_300_bytes_of_changelog() -> None:
    engine = Engine(Machines(choose_stacks(["load"]), EngineSettings(refits=False)))
    readings = [R(float(m), 200 + m % 7, 100 + m % 5) for m in range(2048)]
    run(engine, readings[:1024])
    for _ in range(2):  # what was too much for one commit comes with the next
        engine.records([("load", 0)], ())
    written = 0
    for offset, reading in enumerate(readings[1024:], 1024):
        engine.step(batch_of(engine, [reading], offset))
        written += sum(len(key) + len(value) for key, value in engine.records([("load", 0)], ()))
    assert written / 1024 <= _CHANGELOG_BYTES
