"""Pure decisions of gradesync: the same values in give the same values out; no I/O and no clock.

Every "what should happen" of the product is decided here and tested here without a network or a database.
"""
