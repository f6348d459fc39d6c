"""What readings look like, before anybody judges them: one small pure measure a file. ``docs/explore.md`` shows them."""
