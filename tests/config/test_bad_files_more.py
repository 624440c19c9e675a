"""More ways to break a file, as people and editors do: each has its place, a plain sentence and a next step."""

from __future__ import annotations

from pathlib import Path

import pytest

from gradesync.reporting import github, structured, text
from gradesync.reporting.style import PLAIN
from tests.config.test_bad_files import BAD_BYTES, BAD_VALUES, SECRET_FILES, bad
from tests.config.trees import GOOD, SECRET, account, errors, loaded, pointed_at, tree

CANVAS = "{url: https://riverside.instructure.com, token: env:RIVERSIDE_CANVAS_TOKEN}"
HEAD = GOOD[: GOOD.index("schedules:")]

# name: (text, code, line, what the caret stands under, a part of the hint)
MORE = {
    "a byte order mark": ("\ufeff" + GOOD + "qqq: 1\n", "GS-102", 16, "qqq", "known here"),
    "a key of look-alike letters": (bad("interval:", "int\u0435rval:"), "GS-102", 13, "int\u0435rval", "`interval`"),
    "a key with a space that is none": (GOOD + "\u00a0name: x\n", "GS-101", 16, "\u00a0", "no-break space (U+00A0)"),
    "a character that cannot be seen": (bad("Riverside P", "River\u200bside P"), "GS-101", 2, None, "again"),
    "wide digits": (bad("every 15", "every \uff11\uff15"), "GS-104", 13, "\uff11", "fullwidth digit one (U+FF11)"),
    "curly quotes": (bad("every 15 minutes", "\u201cdaily\u201d"), "GS-101", 13, "\u201c", "straight quotes"),
    "an interval of 900 characters": (bad("every 15", "every " + "9" * 900), "GS-104", 13, None, "daily at"),
    "a text of 300 KB": (GOOD + "reason: " + "x y " * 75_000 + "\n", "GS-110", 16, None, "shorten"),
    "a list as a key": (GOOD + "[a]: b\n", "GS-101", 16, "[", "key: value"),
    "nothing as a key": (GOOD + "~: b\n", "GS-101", 16, "~", "key: value"),
    "a number as a schedule's name": (bad("  grades:", "  2024:"), "GS-106", 11, "2024", "quotes"),
    "a number as the account": (bad("account: riverside", "account: 010"), "GS-106", 1, "010", 'in quotes: "010"'),
    "a number as an interval, quotes or not": (bad("every 15 minutes", "15"), "GS-106", 13, "15", "every 15 minutes"),
    "a time with pm": (bad("every 15 minutes", "daily at 3:15 PM"), "GS-104", 13, None, "write 15:15"),
    "noon with pm": (bad("every 15 minutes", "daily at 12 pm"), "GS-104", 13, None, "write 12:00"),
    "a zone as Canvas shows it": (
        bad("America/New_York", "Eastern Time (US & Canada)"), "GS-105", 3, None, "write America/New_York",
    ),
    "a schedule indented too far": (
        GOOD + "    more:\n      type: grade passback\n      interval: manual\n",
        "GS-102", 16, "more", "below `schedules:`",
    ),
    "a schedule not indented": (
        GOOD + "more:\n  type: grade passback\n  interval: manual\n", "GS-102", 16, "more", "below `schedules:`",
    ),
    "an address that is on no list": (
        bad("riverside.instructure.com", "canvas.riverside.test"), "GS-108", 4, None, "canvas.riverside.test",
    ),
    "a number of 60 digits": (bad("sis-admin", "9" * 60), "GS-106", 15, "9" * 60, "quotes"),
    "a path as the account": (bad("account: riverside", "account: ../x"), "GS-110", 1, "../x", "lower-case"),
    "a share over 100 %": (GOOD + "roster: {change_limit: {users: 150%}}\n", "GS-110", 16, "150%", "10%"),
    "a negative share": (GOOD + "roster: {change_limit: {users: -5%}}\n", "GS-110", 16, "-5%", "10%"),
    "a negative spread": (bad("    posted_by", "    spread: -5m\n    posted_by"), "GS-110", 15, "-5m", "30m"),
    "a blackout of no time": (
        GOOD + "blackouts:\n  - {name: x, from: 2027-02-02, until: 2027-02-02}\n", "GS-110", 17, "2027-02-02",
        "exchange",
    ),
    "an empty blackout": (GOOD + "blackouts: [~]\n", "GS-110", 16, "~", "remove it"),
    "a blackout without a list": (GOOD + "blackouts: {name: x}\n", "GS-110", 16, "{", "`- `"),
    "a schedule moved to itself": (GOOD + "moved: {grades: grades}\n", "GS-110", 16, "grades", "remove"),
    "an account moved from itself": (GOOD + "moved_from: riverside\n", "GS-110", 16, "riverside", "remove"),
    "a list of schedules": (HEAD + "schedules: []\n", "GS-110", 10, "[", "key: value"),
    "empty schedules": (HEAD + "schedules:\n", "GS-110", 10, "schedules", "fill it"),
    "an empty schedule": (HEAD + "schedules:\n  grades:\n", "GS-110", 11, "grades", "fill it"),
    "a schedule in one line": (HEAD + "schedules:\n  grades: daily\n", "GS-110", 11, "daily", "key: value"),
    "an address for a block": (bad(CANVAS, "https://x.example"), "GS-110", 4, "https://x.example", "key: value"),
    "an empty account": (bad("riverside\nname", "\nname"), "GS-106", 1, "account", "fill it"),
    "an address without https": (bad("https://riverside.i", "riverside.i"), "GS-108", 4, None, "https://"),
    "an address with a host in front": (
        bad("riverside.instructure.com", "riverside.instructure.com@evil.test"), "GS-107", 4, None, "rotate",
    ),
    "a port of 99999": (bad("instructure.com", "instructure.com:99999"), "GS-108", 4, None, "https://"),
    "a shell variable for a secret": (bad("env:RIVERSIDE_SIS_ID", "$SIS_ID"), "GS-107", 8, "$SIS_ID", "env:NAME"),
    "a merge key": (GOOD + "<<: {state: paused}\n", "GS-102", 16, "<<", "_defaults.yaml"),
    "an anchor": (bad("account: riverside", "account: &a riverside"), "GS-101", 1, "&", "_defaults.yaml"),
    "an alias": (bad("sis-admin", "*admin"), "GS-101", 15, "*", "_defaults.yaml"),
    "a nickname of cron": (bad("every 15 minutes", "'@daily'"), "GS-104", 13, "'@daily'", "daily at"),
    "a nickname without quotes": (bad("every 15 minutes", "@daily"), "GS-101", 13, "@", "quotes"),
    "cron without its word": (bad("every 15 minutes", "'0 2 * * *'"), "GS-104", 13, "'0 2 * * *'", "write cron 0 2"),
    "a first run without a time": (bad("-01 07:00", "-01"), "GS-104", 14, "2026-09-01", "2026-09-01 02:00"),
    "a first run with a zone": (
        bad("2026-09-01 07:00", "2026-09-01T07:00:00Z"), "GS-104", 14, "2026-09-01T07:00:00Z", "2026-09-01 02:00",
    ),
    "an endless number": (bad("genesis\n  url", "genesis\n  concurrency: .inf\n  url"), "GS-110", 7, ".inf", "digits"),
    "a half": (bad("genesis\n  url", "genesis\n  concurrency: 4.5\n  url"), "GS-110", 7, "4.5", "digits"),
    "yes where true is wanted": (GOOD + "shared: yes\n", "GS-110", 16, "yes", "true"),
    "Paused for paused": (GOOD + "state: Paused\n", "GS-110", 16, "Paused", "paused"),
    "a path with a question": (
        bad("genesis\n  url", "genesis\n  rostering_path: /a?b\n  url"), "GS-110", 7, "/a?b", "/oauth/token",
    ),
    "a line that only a diff has": (GOOD + "=======\n", "GS-101", 16, "=", "key: value"),
    "an order to the parser": ("%FOO\n" + GOOD, "GS-101", 1, None, "remove the line"),
    "a second value": ("{}\n" + GOOD, "GS-101", 2, "a", "one map"),
    "a reference cut by a brace": (bad("env:RIVERSIDE_CANVAS_TOKEN", "env:"), "GS-101", 4, None, "quotes"),
    "a line end of another alphabet": (GOOD + "reason: a\u2028b\n", "GS-101", 16, "\u2028", "line separator (U+2028)"),
    "three thousand equal keys": (GOOD + "name: x\n" * 3000, "GS-103", 16, "name", "remove one"),
    "nothing but braces": ("{}\n", "GS-111", 1, "{", "add `account:`"),
}  # fmt: skip


@pytest.mark.parametrize("name", MORE)
def test_each_mistake_has_its_place_and_its_next_step(name: str, tmp_path: Path) -> None:
    content, code, line, caret, hint = MORE[name]
    root = tree(tmp_path, {"riverside.yaml": content, "hillside.yaml": account("hillside")})
    result = loaded(root)
    found = [p for p in errors(result) if p.code == code]
    assert found, [(p.code, str(p.place), p.message) for p in result.problems]
    assert found[0].place.line == line
    if caret is not None:
        written = pointed_at(root, found[0])
        assert written.startswith(caret) if found[0].code == "GS-101" else written == caret
    assert hint in f"{found[0].hint} {found[0].message}"
    assert set(result.desired.accounts) == {"hillside"}


EVERY = {
    **{f"value: {name}": one[0].encode() for name, one in BAD_VALUES.items()},
    **{f"more: {name}": one[0].encode() for name, one in MORE.items()},
    **{f"bytes: {name}": one for name, one in BAD_BYTES.items()},
    **{f"secret: {name}": one.encode() for name, one in SECRET_FILES.items()},
    "windows line ends": (GOOD + "qqq: 1\n").replace("\n", "\r\n").encode(),
    "old line ends": (GOOD + "qqq: 1\n").replace("\n", "\r").encode(),
    "three hundred thousand no-break spaces": ("key" + "\u00a0" * 300_000 + "b: c: d\n").encode(),
    "nine hundred thousand returns": b"a: x" + b"\r" * 900_000 + b"\n",
    "five thousand maps on one line": b"{a: " * 5000,
    "fifty thousand colons": b"a: " * 50_000,
    "a hundred thousand commas": b"[" + b"," * 100_000,
    "an archive": b"PK\x03\x04" + bytes(range(256)) * 8,
    "three thousand unknown keys": GOOD.encode() + b"".join(b"k%d: 1\n" % at for at in range(3000)),
    "a very long line without end": b"a" * 900_000,
}


@pytest.mark.parametrize("name", EVERY)
def test_every_bad_file_is_shown_in_every_format_without_secrets_or_control_signs(
    name: str, tmp_path: Path
) -> None:
    root = tree(tmp_path, {"riverside.yaml": EVERY[name]})
    result = loaded(root)
    assert errors(result)
    source = EVERY[name].decode("utf-8", "replace")
    shown = [
        text.problems(result.problems, lambda _: source, style=PLAIN),
        str(structured.problems(result.problems, lambda _: source)),
        github.problems(result.problems, lambda _: source),
    ]
    for one in shown:
        assert SECRET not in one
        assert "my-client-id" not in one
        assert not any(sign in one for sign in "\x00\x1b\u202e\x9b")
    assert all(p.message and p.hint and "\n" not in p.message + p.hint for p in result.problems)
    assert not any(
        word in p.message for p in result.problems for word in ("pydantic", "Traceback", "None", "dict")
    )
