"""What `show --effective` prints of a file in which somebody pasted a secret: never the secret."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from gradesync.cli.main import group
from gradesync.config.effective import effective
from tests.config.trees import GOOD, SECRET, tree

PASTED = "hunter2pw"
URL = "https://genesis.riverside.example/genesis"


def values(root: Path, text: str) -> dict[str, Any]:
    return {key: value for key, value, _ in effective(tree(root, {"riverside.yaml": text}), "riverside")}


@pytest.mark.parametrize(
    ("line", "key"),
    [
        (f"  password: {PASTED}", "sis.password"),
        (f"  headers: {{Authorization: Basic {PASTED}}}", "sis.headers.Authorization"),
        (f"  headers: {{X-Vendor: {PASTED}}}", "sis.headers.X-Vendor"),
        (f"  colour: {PASTED}", "sis.colour"),
        (f"  colours: [{PASTED}]", "sis.colours"),
        (f"  roster: {PASTED}", "sis.roster"),
        (f"  roster: {{sftp: {{pass: {PASTED}}}}}", "sis.roster.sftp.pass"),
        (f"  version: {{a: {PASTED}}}", "sis.version.a"),
        (f"oauth: {{secret: {PASTED}}}", "oauth.secret"),
        (f"oauth: {PASTED}", "oauth"),
        (f"pw: {PASTED}", "pw"),
        (f"reason: {'word ' * 300}{PASTED}", "reason"),
        ("pw: 12345678", "pw"),
        (f"labels: {{pw: {PASTED}}}", "labels.pw"),
        (f"reason: 'password={PASTED}'", "reason"),
        (f"reason: see https://u:my {PASTED}@host", "reason"),
        (f"  token_url: genesis.example/token?{PASTED}", "sis.token_url"),
        (f"  token_url: u:{PASTED}@genesis.example/token", "sis.token_url"),
        (f"  token_url: https://u:p@{PASTED}@genesis.example/token", "sis.token_url"),
    ],
)
def test_what_may_be_a_secret_is_hidden(line: str, key: str, tmp_path: Path) -> None:
    text = GOOD.replace("  profile: genesis\n", f"  profile: genesis\n{line}\n")
    if not line.startswith(" "):
        text = GOOD + line + "\n"
    shown = values(tmp_path, text)
    assert shown[key] == "(hidden)"
    assert PASTED not in repr(shown)


@pytest.mark.parametrize("key", ["token", "client_id", "client_secret"])
@pytest.mark.parametrize(
    "pasted", ["hunter2pw", "12345678", "[hunter2pw]", f"env:{SECRET}", "env:hunter2-pw"]
)
def test_a_secret_in_the_place_of_a_reference_is_hidden(key: str, pasted: str, tmp_path: Path) -> None:
    name = {"token": "CANVAS_TOKEN", "client_id": "SIS_ID", "client_secret": "SIS_SECRET"}[key]
    text = GOOD.replace(f"env:RIVERSIDE_{name}", pasted)
    shown = values(tmp_path, text)
    assert shown["canvas.token" if key == "token" else f"sis.{key}"] == "(hidden)"


@pytest.mark.parametrize(
    "more", [f"?token={PASTED}", f"?{PASTED}", f"#{PASTED}", f"&k={PASTED}", f";k={PASTED}"]
)
def test_an_address_ends_before_its_query_and_fragment(more: str, tmp_path: Path) -> None:
    shown = values(tmp_path, GOOD.replace(URL, f'"{URL}{more}"'))
    assert shown["sis.url"] == URL


def test_an_address_has_no_user(tmp_path: Path) -> None:
    shown = values(tmp_path, GOOD.replace(URL, URL.replace("//", f"//u:{PASTED}@")))
    assert shown["sis.url"] == URL


def test_a_right_file_is_shown_whole(tmp_path: Path) -> None:
    more = "passback: {category_map: {Key skills: Pass}}\nlabels: {region: north}\nreason: see https://x.example/a\n"
    shown = values(tmp_path, GOOD + more + "scope: {schools: ['010']}\n")
    assert "(hidden)" not in shown.values()
    assert shown["canvas.token"] == "env:RIVERSIDE_CANVAS_TOKEN"
    assert shown["canvas.url"] == "https://riverside.instructure.com"
    assert shown["passback.category_map.Key skills"] == "Pass"
    assert shown["reason"] == "see https://x.example/a"


@pytest.mark.parametrize("form", ["text", "json"])
def test_no_form_of_the_command_prints_the_secret(form: str, tmp_path: Path) -> None:
    text = GOOD.replace(URL, f'"http://u:{PASTED}@host/genesis?password={PASTED}"').replace(
        "canvas: {", f"canvas: {{api_key: {PASTED}, {SECRET}: x, "
    )
    root = tree(tmp_path, {"riverside.yaml": text + f"pw: {PASTED}\n"})
    told = CliRunner().invoke(group, ["-C", str(root), "show", "riverside", "--effective", "--format", form])
    assert told.exit_code == 0, told.output
    assert PASTED not in told.output
    assert SECRET not in told.output
    assert "http://host/genesis" in told.output
    if form == "json":
        assert {row["path"]: row["value"] for row in json.loads(told.stdout)["settings"]}["pw"] == "(hidden)"
