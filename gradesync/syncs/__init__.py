"""The two syncs: read one side, let the domain decide, write the other side, verify what arrived.

They know only the ports and the domain: no URL, no HTTP, no YAML, no SQL, no clock of their own, and no decision
either. A decision that is found here belongs in `domain.roster` or `domain.passback`, where it can be tested without
a network.
"""
