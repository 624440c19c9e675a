"""The files people write: YAML with positions, the file format, and the tree as desired definitions.

Nothing here knows the store, a connector or a command. A finding is a Problem with a place, never an exception.
"""
