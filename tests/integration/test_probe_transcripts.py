"""docs/probe-transcripts.md is what nodeagent probe says."""

import transcripts

from conftest import BUILD


def test_the_page_is_as_it_is_today():
    assert transcripts.fixed_parts(transcripts.run(BUILD)) == transcripts.fixed_parts(
        transcripts.PAGE.read_text()), "./dev transcripts makes the page anew"
