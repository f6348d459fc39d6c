"""Making a label again, and a case of it that runs anywhere.

``gathering.py`` finds what a label was made of, ``again.py`` makes it again, ``case_files.py`` keeps it all in a directory.
"""
