"""YAML 1.2: what words stay words, and every fault with its line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from survey.errors import InstrumentError
from survey.yaml12 import read, read_text, spell

if TYPE_CHECKING:
    from pathlib import Path


def fault_of(text: str) -> tuple[int | None, str, str]:
    with pytest.raises(InstrumentError) as caught:
        read_text(text, "f.yaml")
    (fault,) = caught.value.faults
    return fault.line, fault.key, str(fault)


@pytest.mark.parametrize("word", ["Yes", "No", "yes", "on", "Off", "y", "NO"])
def test_words_of_yaml_1_1_stay_words(word: str) -> None:
    assert read_text(f"a: [{word}]\n", "f").value == {"a": [word]}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("true", True),
        ("False", False),
        ("12", 12),
        ("-3", -3),
        ("1.0", 1.0),
        ("1e3", 1000.0),
        ("null", None),
        ("~", None),
        ("", None),
        ("'1'", "1"),
        ('"true"', "true"),
        ("2026-11-23", "2026-11-23"),
        ("12:30", "12:30"),
    ],
)
def test_scalars(text: str, value: object) -> None:
    document = read_text(f"a: {text}\n", "f")
    assert document.value == {"a": value}
    assert type(document.value["a"]) is type(value)
    assert document.faults == []


def test_empty_text_has_no_value() -> None:
    assert read_text("", "f").value is None
    assert read_text("# only a comment\n", "f").value is None


def test_lines_of_places() -> None:
    document = read_text("a: 1\nb:\n  - x\n  - c: 2\n    d: [3,\n      4]\n", "f")
    assert document.line(("a",)) == 1
    assert document.line(("b",)) == 2
    assert document.line(("b", 0)) == 3
    assert document.line(("b", 1, "c")) == 4
    assert document.line(("b", 1, "d", 1)) == 6
    assert document.line(("b", 1, "absent")) == 4


def test_every_duplicate_key_is_a_fault_and_the_first_one_counts() -> None:
    document = read_text("a: 1\nb: 2\na: 3\nc:\n  d: 1\n  d: 2\n", "f.yaml")
    assert document.value == {"a": 1, "b": 2, "c": {"d": 1}}
    assert [(fault.line, fault.key) for fault in document.faults] == [
        (3, "a"),
        (6, "c.d"),
    ]
    assert "first on line 1" in document.faults[0].problem


@pytest.mark.parametrize("text", ["a:\n\tb: 1\n", "a:\n  - b: 1\n\t  c: 2\n"])
def test_a_tab_is_named(text: str) -> None:
    line, _, message = fault_of(text)
    assert line == text.count("\n")
    assert "a tab" in message
    assert message.endswith("Indent with spaces.")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a: b: c\n", 1),
        ("x: 1\na: [1, 2\nb: 3\n", 3),
        ("x: 1\na: 'open\n", 2),
        ("a: *unknown\n", 1),
        ("a: {b: 1]\n", 1),
        ("a: @b\n", 1),
        ("a: 1\n---\nb: 2\n", 2),
        ("a: 1\nb: \x07\n", 2),
    ],
)
def test_no_yaml_is_one_fault_with_its_line(text: str, line: int) -> None:
    found, _, message = fault_of(text)
    assert found in {line, line + 1}
    assert message.startswith("f.yaml: line ")
    assert "\n" not in message


@pytest.mark.parametrize(
    "text", ["[" * 3000, "a: &x [*x]\n", "a: " + "{a: " * 3000], ids=["[", "&", "{"]
)
def test_endless_nesting_is_a_fault(text: str) -> None:
    assert "nested without end" in fault_of(text)[2]


def test_tags_and_keys_that_mean_nothing_are_faults() -> None:
    document = read_text("a: !!python/object:os.system x\n? [b, c]\n: 1\n", "f.yaml")
    assert document.value == {"a": "x"}
    assert [fault.line for fault in document.faults] == [1, 2]


@pytest.mark.parametrize("number", ["0x1F", ".inf", ".nan", "9" * 5000])
def test_numbers_that_cannot_be_read_are_faults(number: str) -> None:
    document = read_text(f"a:\n  b: {number}\n", "f.yaml")
    (fault,) = document.faults
    assert (fault.line, fault.key) == (2, "a.b")


@pytest.mark.parametrize("encoding", ["utf-16", "latin-1", "utf-32"])
def test_other_encodings_are_refused(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "bad.yaml"
    path.write_bytes("title: Nähe und Größe\n".encode(encoding))
    with pytest.raises(InstrumentError, match=r"bad\.yaml: file: not UTF-8 .*UTF-8"):
        read(path)


def test_a_byte_order_mark_does_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "bom.yaml"
    path.write_bytes("title: Nähe\r\n".encode("utf-8-sig"))
    assert read(path).value == {"title": "Nähe"}


def test_unreadable_path(tmp_path: Path) -> None:
    with pytest.raises(InstrumentError, match="cannot be read"):
        read(tmp_path)


def test_spell() -> None:
    assert spell(("scales", 1, "items")) == "scales[2].items"
    assert spell(()) == "instrument"
