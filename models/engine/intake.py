"""First step: which readings count, in which order of time, and which tags make a pair."""

from typing import Any, Final

import numpy as np

from models.engine.codes import BAD, DUPLICATE, HELD, LATE, MISSING, SCORABLE, SEEN, SPOILT, STALE
from models.engine.compiled import compiled

#: What :func:`_newer` says of a moment that is known.
_KNOWN: Final = -1


@compiled
def _newer(ring_ms: Any, readings: int, time_ms: int) -> int:
    """How many of the readings kept are newer than that moment; _KNOWN if one is of that very moment.

    A repeat may come long after what it repeats.
    """
    kept = min(readings, ring_ms.shape[0])
    for back in range(kept):
        at = ring_ms[(readings - 1 - back) % ring_ms.shape[0]]
        if at <= time_ms:
            return _KNOWN if at == time_ms else int(back)
    return int(kept)


@compiled
def full_offset(last: int, low: int) -> int:
    """The offset with these low 32 bits that is not beyond ``last``, the newest one seen."""
    return last - ((last - low) & 0xFFFF_FFFF)


@compiled
def note_offsets(machine: Any, recent: Any, history: int) -> None:
    """After a reading was put into its place: every ``history`` readings note the smallest offset of the newest ones.

    Readings before ``recent`` (LATENESS of them) cannot be moved any more, and those to come have larger offsets.
    """
    if machine.readings % history != 0:
        return
    oldest = machine.last_offset
    for i in range(recent.shape[0]):
        oldest = min(oldest, full_offset(machine.last_offset, int(recent[i].offset)))
    machine.oldest_offset[machine.readings // history % 2] = oldest


@compiled
def bring(values: Any, quality: Any, places: Any, own_values: Any, own_quality: Any) -> None:
    """Copy what a stack looks at: of ``values`` and ``quality`` (n x v) the columns at ``places`` (s)."""
    for i in range(values.shape[0]):
        for j in range(places.shape[0]):
            own_values[i, j] = values[i, places[j]]
            own_quality[i, j] = quality[i, places[j]]


@compiled
def take_in(
    slot: Any,  # n
    offset: Any,  # n
    time_ms: Any,  # n, changed for pairs: the later of the two
    tag: Any,  # n: index in the vocabulary, -1 wide, -2 none of it
    own_tag: Any,  # v: index among the stack's signals, -2 none of them
    values: Any,  # n x s, partners filled in
    quality: Any,  # n x s, likewise
    core: Any,
    pairing: Any,
    tag_value: Any,
    tag_quality: Any,
    tag_ms: Any,
    tag_offset: Any,
    ring_ms: Any,
    ring_signal: Any,
    recent: Any,
    tolerance_ms: int,
    stale_ms: int,
    lateness: int,  # a late reading has its place if fewer readings than this are newer; 0: never
    first: int,
    kind: Any,  # n, out
    sequence: Any,  # n, out: the reading's number in its machine's history, by event time; -1: not put there
    partner: Any,  # n, out: offset of the other half of a pair; -1: none
) -> tuple[int, int]:
    """Decide the kind of each reading from ``first`` on and put the accepted ones into the ring.

    A reading whose offset the state already holds was labelled before a crash. By tag, signals measured within
    ``tolerance_ms`` of each other make one reading; when one of them stays away for a whole turn its last value is held
    until it is older than ``stale_ms``.

    Returns where it stopped, and a slot. It stops at the first late reading that has a place: its kind and sequence are
    decided, but it is not in the ring, for what comes before it must be judged first. It stops behind a reading in order
    of time whose machine has labels waiting to be issued again, and only then the slot, that machine's, is not -1.
    """
    signals = values.shape[1]
    history = ring_ms.shape[1]
    for i in range(first, slot.shape[0]):
        s = slot[i]
        machine = core[s]
        sequence[i] = -1
        partner[i] = -1
        if offset[i] <= machine.last_offset:
            kind[i] = SEEN
            continue
        if machine.last_offset < 0:
            machine.oldest_offset[0] = offset[i]
        machine.last_offset = offset[i]
        j = tag[i] if tag[i] < 0 else own_tag[tag[i]]
        if j == -2:
            kind[i] = HELD
            continue
        stale = False
        if j >= 0:
            machine.by_tag = 1
            t = time_ms[i]
            tag_value[s, j] = values[i, j]
            tag_quality[s, j] = quality[i, j]
            tag_ms[s, j] = t
            tag_offset[s, j] = offset[i]
            pair = pairing[s]
            everything = (1 << signals) - 1
            bit = 1 << j
            turn_over = False
            if pair.fresh != 0 and abs(t - pair.since_ms) <= tolerance_ms and (pair.fresh & bit) == 0:
                pair.fresh |= bit
            else:
                turn_over = pair.fresh != 0
                pair.fresh = bit
                pair.since_ms = t
            complete = pair.fresh == everything
            if not complete and not turn_over:
                kind[i] = HELD
                continue
            moment = t
            other = -1
            for m in range(signals):
                values[i, m] = tag_value[s, m]
                quality[i, m] = tag_quality[s, m]
                if m == j:
                    continue
                if tag_offset[s, m] > other:
                    other = tag_offset[s, m]
                if complete:
                    moment = max(moment, tag_ms[s, m])
                elif tag_ms[s, m] >= 0 and abs(t - tag_ms[s, m]) > stale_ms:
                    stale = True
                    values[i, m] = np.nan
            if complete:
                pair.fresh = 0
            time_ms[i] = moment
            partner[i] = other
        made = SCORABLE
        for m in range(signals):
            if quality[i, m] == SPOILT:
                made = BAD
            elif quality[i, m] != 0 and made == SCORABLE:
                made = MISSING
        if stale and made != BAD:
            made = STALE
        kind[i] = made
        if machine.readings > 0 and time_ms[i] <= ring_ms[s, (machine.readings - 1) % history]:
            newer = _newer(ring_ms[s], machine.readings, time_ms[i])
            if newer == _KNOWN:
                kind[i] = DUPLICATE
            elif newer >= lateness:
                kind[i] = LATE
            else:
                sequence[i] = machine.readings - newer
                return i, -1
            continue
        position = machine.readings % history
        sequence[i] = machine.readings
        machine.readings += 1
        ring_ms[s, position] = time_ms[i]
        for m in range(signals):
            ring_signal[s, position, m] = values[i, m]
        note = recent[s, sequence[i] % recent.shape[1]]
        note.offset = offset[i]
        note.partner = offset[i] - partner[i] if partner[i] >= 0 else 0
        note.revision = 0
        note.changed = 0
        note_offsets(machine, recent[s], history)
        machine.late_in_a_row = 0
        if machine.waiting == 1:
            return i + 1, int(s)
    return int(slot.shape[0]), -1
