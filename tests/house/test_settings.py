"""Every flag and field of the configuration is in its document."""

import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
SETTING = re.compile(r'(?:USED|USED_OTHERWISE|IDLE)\(\s*(?:NULL|"([^"]+)"),\s*(?:NULL|"([^"]+)"),')


def test_settings_are_documented():
    table = (ROOT / "agent" / "config-settings.c").read_text(encoding="utf-8")
    document = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
    names = set()
    for field, flag in SETTING.findall(table):
        names |= {field, flag and f"--{flag}"} - {""}
    assert len(names) > 200
    assert {name for name in names if f"`{name}`" not in document} == set()
