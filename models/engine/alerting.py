"""Fifth step: the verdict on each reading, and the alert with its hysteresis and cool-down."""

from typing import Any

from models.engine.codes import ANOMALOUS, CLOSED, NORMAL, OPEN, OPENED, QUIET, SCORABLE, UNSCORED
from models.engine.compiled import compiled
from models.engine.state import ALERT_SHIFT, KIND_SHIFT, LEFT_OUT


@compiled
def judge(
    slot: Any,  # n
    offset: Any,  # n
    time_ms: Any,  # n
    kind: Any,  # n
    sequence: Any,  # n
    median: Any,  # n x k
    surprise: Any,  # n
    driver: Any,  # n
    core: Any,
    alarm: Any,
    ring_verdict: Any,
    recent: Any,
    anomalous_at: float,
    open_after: int,
    close_at_share: float,
    close_after: int,
    cool_down_ms: int,
    cool_down_readings: int,
    verdict: Any,  # n, out
    alert: Any,  # n, out: QUIET, OPENED, OPEN or CLOSED after this reading
    opened_offset: Any,  # n, out: offset that opened the incident this reading belongs to; -1: none
    happened: Any,  # n of ALARM, out: the alarm (ALARM) as it stood where one opened or closed
) -> None:
    """An alert opens after ``open_after`` anomalous readings in a row, and not during a cool-down. It closes after
    ``close_after`` in a row below ``close_at_share`` of its highest surprise. A cool-down lasts for a time and for a number
    of scored readings, whichever is longer. Unscored readings change nothing.
    What is anomalous or belongs to an alert is marked in the ring: it stays out of training.
    """
    history = ring_verdict.shape[1]
    for i in range(slot.shape[0]):
        s = slot[i]
        machine = core[s]
        incident = alarm[s]
        was_open = machine.alert == OPEN
        state = OPEN if was_open else QUIET
        verdict[i] = UNSCORED
        if kind[i] == SCORABLE:
            machine.scored += 1
            anomalous = surprise[i] >= anomalous_at
            verdict[i] = ANOMALOUS if anomalous else NORMAL
            if was_open:
                incident.readings += 1
                if surprise[i] > incident.peak:
                    incident.peak = surprise[i]
                    incident.peak_ms = time_ms[i]
                    incident.peak_value = median[i, driver[i]]
                    incident.peak_feature = driver[i]
                machine.streak = machine.streak + 1 if surprise[i] < close_at_share * incident.peak else 0
                if machine.streak >= close_after:
                    state = CLOSED
                    machine.alert = QUIET
                    machine.streak = 0
                    machine.cool_until_ms = time_ms[i] + cool_down_ms
                    machine.cool_until = machine.scored + cool_down_readings
            else:
                cooled = time_ms[i] >= machine.cool_until_ms and machine.scored >= machine.cool_until
                counts = anomalous and cooled
                machine.streak = machine.streak + 1 if counts else 0
                if machine.streak >= open_after:
                    state = OPENED
                    machine.alert = OPEN
                    machine.streak = 0
                    incident.opened_offset = offset[i]
                    incident.opened_ms = time_ms[i]
                    incident.peak = surprise[i]
                    incident.peak_ms = time_ms[i]
                    incident.peak_value = median[i, driver[i]]
                    incident.peak_feature = driver[i]
                    incident.readings = 1
        if state in (OPENED, CLOSED):
            happened[i] = incident
        alert[i] = state
        opened_offset[i] = incident.opened_offset if state != QUIET else -1
        if sequence[i] >= 0:
            left_out = 0 if state == QUIET and verdict[i] != ANOMALOUS else LEFT_OUT
            ring_verdict[s, sequence[i] % history] = left_out | (state << ALERT_SHIFT) | (kind[i] << KIND_SHIFT)
            opened = offset[i] - incident.opened_offset if state != QUIET else 0
            recent[s, sequence[i] % recent.shape[1]].opened = opened
