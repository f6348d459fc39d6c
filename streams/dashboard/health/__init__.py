"""How the installation does: rates, lags, latency, verdicts, what was rejected, who is at work."""
