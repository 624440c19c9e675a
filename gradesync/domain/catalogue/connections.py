"""GS-2nn: keys, certificates and addresses of the two sides."""

from __future__ import annotations

from gradesync.domain.catalogue.entry import ACCOUNT, Code, I, P

_STOPPED = "The run ends at once and nothing is sent; the next run tries again, and nothing is lost."

ENTRIES = (
    Code(
        "GS-201",
        "Canvas refuses our key",
        "The Canvas token has expired or was revoked.",
        "Renew the Canvas token.",
        "Canvas admin",
        P,
        ACCOUNT,
        _STOPPED,
    ),
    Code(
        "GS-202",
        "SIS refuses our key",
        "The client id and secret that the SIS gave us have expired or were revoked.",
        "Renew the client id and secret in the SIS.",
        "SIS admin",
        P,
        ACCOUNT,
        _STOPPED,
    ),
    Code(
        "GS-203",
        "Key works but lacks a right",
        "The other side knows our key, but has not allowed it to do this.",
        "Grant the missing right or scope.",
        "admin",
        P,
        ACCOUNT,
        "What the key may do is done; the rest waits and is tried again.",
    ),
    Code(
        "GS-204",
        "Key expires soon",
        "The account file says that the key ends within days.",
        "Renew it now.",
        "admin",
        I,
        ACCOUNT,
        "Everything goes on until the key ends.",
    ),
    Code(
        "GS-205",
        "Secure connection failed",
        "The server's certificate has expired, names another host, or is not publicly trusted.",
        "Have the host renew its certificate.",
        "SIS admin",
        P,
        ACCOUNT,
        _STOPPED,
    ),
    Code(
        "GS-206",
        "Server sent us elsewhere",
        "The server answered with a redirect or a link to another host, which could be a mistake or an attack.",
        "Check the address; nothing was followed.",
        "admin",
        P,
        ACCOUNT,
        _STOPPED,
    ),
    Code(
        "GS-207",
        "Key or secret missing or not usable",
        "A variable or file with a secret is not there, or the ledger's key is too short or not the recorded one.",
        "Set the variable or file the message names, with the key it held before.",
        "support",
        P,
        ACCOUNT,
        "The run ends before anything is read; put the right key back and the next run goes on.",
    ),
    Code(
        "GS-208",
        "Other side is not the institution recorded",
        "Canvas or the SIS says that it is another institution than the one this account was first connected to.",
        "Check the address before anything else.",
        "admin",
        P,
        ACCOUNT,
        "A hold keeps every schedule of the account from starting until somebody resumes it.",
    ),
)
