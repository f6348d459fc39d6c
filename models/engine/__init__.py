"""The one engine: runs of readings in, labels, incidents and touched state out.

The worker, ``score``, ``replay`` and every test call this and nothing else; that is why a label can be made again. State
lies in columns (one row a machine), each step is a small compiled function over a whole run of readings::

    readings ──▶ intake ──▶ feature ──▶ window ──▶ scoring ──▶ alerting ──▶ labels
                 which      the         rolling    surprise    verdict,
                 count      stack's     median     of the      alert
                            ten lines              median
"""
