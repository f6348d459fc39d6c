"""The board in the terminal: figures to something rich can draw."""
