"""What feedback comes to: of all that was said, what counts now. Pure: the order on the topic decides."""

from collections.abc import Iterable

from schemas.feedback import Feedback


def standing(said: Iterable[Feedback]) -> list[Feedback]:
    """Of one machine's feedback, in the order of its topic, what was not undone; without the undoing itself.

    What was sent twice counts once. An undo of an undo brings back what that one took away; an undo of what is not there,
    or comes later, changes nothing.
    """
    order: dict[str, Feedback] = {}
    undone: dict[str, set[str]] = {}
    for one in said:
        if one.feedback_id in order:
            continue
        if one.undoes is not None and one.undoes in order:  # so nothing undoes itself
            undone.setdefault(one.undoes, set()).add(one.feedback_id)
        order[one.feedback_id] = one
    counts: dict[str, bool] = {}
    for identifier in reversed(order):  # who undoes comes later than what it undoes
        counts[identifier] = not any(counts[by] for by in undone.get(identifier, ()))
    return [one for identifier, one in order.items() if counts[identifier] and one.kind != "undo"]
