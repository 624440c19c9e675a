"""Where a report may lead on a code host: to a line of a file, and to the run of CI that wrote it.

Pure text. Every part is checked or percent-encoded here, so that no file name can end a link and begin markup.
"""

from __future__ import annotations

from dataclasses import dataclass

from gradesync.domain.problem import Place
from gradesync.reporting.clean import clean, code, code_in_table

_SAFE = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._/")


@dataclass(frozen=True, slots=True)
class Links:
    """`base` is the repository's address, `ref` the commit whose files are shown, `under` the tree's folder in the
    repository (no slash at its end), `run` the address of the CI run. Empty: not known, and nothing is linked."""

    base: str = ""
    ref: str = ""
    under: str = ""
    run: str = ""

    def path(self, file: str) -> str:
        """The file's path from the top of the repository."""
        return f"{self.under}/{file}" if self.under else file

    def address(self, place: Place) -> str:
        """The address of a line; empty where the place is no line of a file."""
        path = self.path(place.file)
        if not (self.base and self.ref) or place.line < 1 or not path.endswith((".yaml", ".yml")):
            return ""
        if {"", ".", ".."} & set(path.split("/")):
            # A browser would walk up with it and arrive somewhere else than the text says.
            return ""
        return f"{self.base}/blob/{encoded(self.ref)}/{encoded(path)}#L{place.line}"

    @property
    def log(self) -> str:
        """Where all is told, for a sentence of Markdown: the run, linked where its address is known."""
        return f"[the run]({self.run})" if self.run else "the job's log"


NOWHERE = Links()


def encoded(path: str) -> str:
    """A path with everything percent-encoded that an address or markup might trip over."""
    return "".join(
        char if char in _SAFE else "".join(f"%{byte:02X}" for byte in char.encode("utf-8", "surrogatepass"))
        for char in path
    )


def placed(place: Place, links: Links, *, in_table: bool = False) -> str:
    """`file:line` as code, linked where it leads somewhere."""
    text = f"{clean(place.file)}:{place.line}" if place.line else clean(place.file)
    shown = code_in_table(text) if in_table else code(text)
    address = links.address(place)
    return f"[{shown}]({address})" if address else shown
