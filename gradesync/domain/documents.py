"""How a hint names a page of the documents: it is mostly read in a repository of schedules, which has none of them."""

from __future__ import annotations


def in_docs(page: str) -> str:
    """`gradesync's docs/alarms.md`, for the page `alarms`: true in gradesync's own repository and in any other."""
    return f"gradesync's docs/{page}.md"


__all__ = ["in_docs"]
