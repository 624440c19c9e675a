"""Telling people: the words of a message, and the channels that carry it.

What is told, to whom and when is decided in `domain.alarm_*`; here it is only said. apprise is imported here alone, and
only when something is sent through it.
"""
