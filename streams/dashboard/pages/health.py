"""Health: rates, lags, latency, verdicts, who is at work, what was rejected."""

from nicegui import ui

from streams.dashboard.pages.frame import frame


def health_page() -> None:
    """Register the page ``/health``."""

    @ui.page("/health")
    def health() -> None:
        with frame("Health", "health.js"):
            ui.html('<div id="health"><p>Waiting for the first figures.</p></div>', sanitize=False)
            ui.run_javascript("wellsentryHealth.begin()")
