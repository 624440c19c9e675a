"""A seeded school served over real HTTP on loopback: Canvas on one side, a OneRoster SIS on the other.

It plays the other side of every sync, so that demo, tests and benchmarks run the real thing without a real school.
It imports nothing of gradesync but `errors`: sharing a rule with the product would let both be wrong together.
"""
