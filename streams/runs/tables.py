"""Faust's tables, without a second's wait at each start for some that are declared late: ours all are by then."""

from faust.tables import TableManager


class ReadyTables(TableManager):  # type: ignore[misc]
    """Takes the tables that there are when the app starts."""

    async def on_start(self) -> None:
        """Start, as Faust does after a second of sleep."""
        await self._update_channels()
        await self.recovery.start()
