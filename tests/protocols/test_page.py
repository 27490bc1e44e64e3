from pathlib import Path

from unheard.protocols import PROTOCOLS, usage

PAGE = Path(__file__).parents[2] / "docs" / "protocols.md"


def test_the_page_lists_every_protocol_as_it_is_written():
    rows = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| `")]
    listed = {line.split("`")[1] for line in rows}
    assert {name.partition(":")[0].partition("[")[0] for name in listed} == set(PROTOCOLS)
    for name in PROTOCOLS:
        arguments = usage(name).replace("...", "")
        written = name + arguments.removeprefix(name).upper()
        assert written in listed or name == "leave-one-speaker-out", written
