"""Who may look at the dashboard and what they may do: sign-in, roles, limits, and what keeps other sites out.

``gate.py`` stands before everything else; all that decides is pure and beside it.
"""
