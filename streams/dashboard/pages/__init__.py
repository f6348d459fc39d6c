"""The pages, by name."""
