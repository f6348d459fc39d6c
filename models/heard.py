"""What people said of the machines of one partition, as far as training heeds it, in bounded room."""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Final

from models.feedback import standing
from schemas.feedback import Feedback

#: More of one machine nobody looks after: a history of 1,024 readings holds fewer incidents.
MOST_OF_A_MACHINE: Final = 200
#: Some ten megabytes.
MOST: Final = 10_000

#: Client and name.
_Whose = tuple[str, str]


class Heard:
    """Confirmations, false alarms and what undoes them, in the order of the topic. Beyond the bounds the oldest is forgotten.

    The oldest matters least: a history soon ends behind its stretch. What undoes it has nothing to undo then.
    """

    def __init__(
        self, forgotten: Callable[[Feedback], None], most_of_a_machine: int = MOST_OF_A_MACHINE, most: int = MOST
    ) -> None:
        """``forgotten`` is told what is forgotten, of all machines together or of one that has too much."""
        self._forgotten, self._most_of_a_machine, self._most = forgotten, most_of_a_machine, most
        self._all: OrderedDict[tuple[_Whose, str], Feedback] = OrderedDict()
        self._of_machine: dict[_Whose, OrderedDict[str, Feedback]] = {}

    def __len__(self) -> int:
        return len(self._all)

    def take(self, said: Feedback) -> str | None:
        """Take ``said`` in, be it again; the stack whose training it has a say in, None if in none."""
        whose = (said.client_id, said.machine_id)
        known: Mapping[str, Feedback] = self._of_machine.get(whose, {})
        stack = said.stack if said.undoes is None else _stack_of(known.get(said.undoes))
        if stack is None or said.kind not in ("confirm", "false_alarm", "undo"):
            return None
        if said.feedback_id not in known:
            self._add(whose, said.model_copy(update={"text": None, "stack": stack}))
        return stack

    def standing(self, client_id: str, machine_id: str, stack: str) -> list[Feedback]:
        """Confirmations and false alarms of a machine's stack that were not undone, in the order in which they were said."""
        known = self._of_machine.get((client_id, machine_id))
        return [] if known is None else [one for one in standing(known.values()) if one.stack == stack]

    def _add(self, whose: _Whose, said: Feedback) -> None:
        known = self._of_machine.setdefault(whose, OrderedDict())
        known[said.feedback_id] = self._all[whose, said.feedback_id] = said
        if len(known) > self._most_of_a_machine:
            self._forget(whose, next(iter(known)))
        elif len(self._all) > self._most:
            self._forget(*next(iter(self._all)))

    def _forget(self, whose: _Whose, feedback_id: str) -> None:
        del self._all[whose, feedback_id]
        known = self._of_machine[whose]
        said = known.pop(feedback_id)
        if not known:
            del self._of_machine[whose]
        self._forgotten(said)


def _stack_of(said: Feedback | None) -> str | None:
    return None if said is None else said.stack
