"""A model in the changelog: what scoring reads of it is what was written."""

from collections.abc import Callable

import pytest

from models.engine.model_records import pack_model, unpack_look_up, unpack_model
from schemas.errors import StateError
from tests.models.engines import model


def test_scoring_reads_back_the_numbers_that_were_written() -> None:
    update = model()
    record = pack_model(update, 17)
    assert (unpack_model(record).update, unpack_model(record).since_offset) == (update, 17)
    kept = unpack_look_up(record)
    assert kept.digest == update.digest
    for one, other in zip(kept.features, update.features, strict=True):
        for name in ("edges", "scores", "surprises", "expected_low", "expected_high"):
            assert getattr(one, name) == getattr(other, name)


@pytest.mark.parametrize("unpack", [unpack_model, unpack_look_up])
def test_a_damaged_model_is_told(unpack: Callable[[bytes], object]) -> None:
    record = pack_model(model(), 17)
    for damaged in (record[:-9], record[:1], record[:1] + b"?" + record[2:]):
        with pytest.raises(StateError, match="is damaged"):
            unpack(damaged)
