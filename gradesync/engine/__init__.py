"""One pass, one run, one operator's act: the order in which things happen, over ports and pure decisions.

No SQL, no HTTP, no file, no printing and no clock of its own: all of these are handed in through `Tools`.
"""
