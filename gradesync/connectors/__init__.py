"""The other sides over the network: Canvas and OneRoster, and their stand-ins in memory.

A connector turns wire shapes into the domain's values and back. It decides nothing about a grade or a roster, and
only `http` knows the HTTP library.
"""
