"""The chaos suite: real processes are disturbed in every way we could think of, and nothing may be lost or altered.

Each story has a seed, is fed by a fleet made from it (``fleet.py``), runs programs (``story.py``) that are killed somewhere
(``dying.py``), and ends in the same proof (``proof.py``) against a run that nobody disturbed (``undisturbed.py``).
"""
