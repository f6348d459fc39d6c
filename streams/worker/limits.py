"""What may be sent, so that no client takes the room of the others."""

from dataclasses import dataclass

from models.engine.engine import Engine


@dataclass(frozen=True, slots=True)
class Limits:
    """The settings ``worker.max_…``."""

    message_bytes: int
    machines_per_client: int  # in one partition
    machines: int = 200_000  # of all clients, in one partition

    def why_no_room(self, engine: Engine, client_id: str, machine_id: str) -> str | None:
        """Why a partition's engine takes no readings of this machine; None if it knows the machine or has room for it."""
        if (client_id, machine_id) in engine.slots:
            return None
        if engine.machines_of.get(client_id, 0) >= self.machines_per_client:
            return (
                f"client {client_id!r} has {self.machines_per_client} machines in this partition already; "
                "raise worker.max_machines_per_client if that is right"
            )
        if len(engine.slots) >= self.machines:
            return (
                f"this partition has {self.machines} machines already; "
                "raise worker.max_machines if there is memory for more"
            )
        return None
