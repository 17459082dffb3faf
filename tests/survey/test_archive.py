"""The data folder: nothing replaced, nothing half written, all of it hashed."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

import pandas as pd
import pytest
from ruamel.yaml import YAML

from survey import archive
from survey.archive import keep_raw, report, safe_cells, sha256, store, write_manifest
from survey.collect import tabular
from survey.errors import ResponsesError
from survey.responses import RawResponses
from survey.synthetic import simulate
from survey.validate import Validation, validate

if TYPE_CHECKING:
    from pathlib import Path

    from survey.instrument import Instrument


@pytest.fixture
def outcome(small: Instrument) -> Validation:
    frame = pd.DataFrame(
        {
            "rs1": [5, 7, "=cmd|x", 4],
            "rs2": [1, 5, 3, 3],
            "rs3": [4, 2, 3, 3],
            "age": [30, 41, 25, 33],
            "remark": ["@a", "=1+1", "ok", "-"],
        },
        index=pd.Index(list("abcd"), name="respondent"),
    )
    return validate(RawResponses(frame, "answers.csv"), small)


def manifest(folder: Path) -> dict[str, object]:
    content: dict[str, object] = YAML(typ="safe").load(folder / "manifest.yaml")
    return content


def test_raw_files_are_kept_as_they_came(tmp_path: Path, small: Instrument) -> None:
    source = tmp_path / "export.csv"
    source.write_bytes(b"rs1;rs2\r\n1;\xff\r\n")
    folder = tmp_path / "data" / "raw" / "wave1-tabular"
    kept = keep_raw(source, folder, small)
    assert kept.read_bytes() == source.read_bytes()
    assert stat.S_IMODE(kept.stat().st_mode) == 0o444
    facts = manifest(folder)
    assert facts["instrument"] == "small"
    assert facts["version"] == "1.0.0"
    assert facts["hash"] == small.hash
    assert facts["sha256"] == {"export.csv": sha256(source)}
    assert facts["source"] == "export.csv"
    assert len(str(facts["date"])) == 10


def test_raw_files_are_never_replaced(tmp_path: Path, small: Instrument) -> None:
    source, folder = tmp_path / "export.csv", tmp_path / "raw"
    source.write_text("one", encoding="utf-8")
    keep_raw(source, folder, small)
    assert keep_raw(source, folder, small) == folder / "export.csv"
    source.write_text("two", encoding="utf-8")
    with pytest.raises(ResponsesError, match="never replaced"):
        keep_raw(source, folder, small)
    assert (folder / "export.csv").read_text(encoding="utf-8") == "one"


def test_two_files_in_one_folder_are_both_in_the_manifest(
    tmp_path: Path, small: Instrument
) -> None:
    for name in ("one.csv", "two.csv"):
        (tmp_path / name).write_text(name, encoding="utf-8")
        keep_raw(tmp_path / name, tmp_path / "raw", small)
    hashes = manifest(tmp_path / "raw")["sha256"]
    assert isinstance(hashes, dict)
    assert set(hashes) == {"one.csv", "two.csv"}


def test_store_writes_everything(
    tmp_path: Path, outcome: Validation, small: Instrument
) -> None:
    stored = store(outcome, tmp_path / "valid", tmp_path / "quarantine")
    table = pd.read_parquet(stored.responses)
    assert list(table["respondent"]) == ["a", "d"]
    assert list(table["rs1"]) == [5, 4]
    rejected = pd.read_csv(stored.quarantine, index_col="respondent")
    assert list(rejected.index) == ["b", "c"]
    assert rejected.loc["c", "rs1"] == "=cmd|x"
    failures = pd.read_csv(stored.failures)
    assert list(failures["row"]) == [3, 4]
    assert failures["value"].iloc[1] == "'=cmd|x"
    facts = manifest(tmp_path / "valid")
    assert facts["rows"] == 2
    assert facts["hash"] == small.hash
    assert facts["sha256"] == {"responses.parquet": sha256(stored.responses)}
    assert not list(tmp_path.rglob("*.part"))


def test_the_report_says_what_was_set_aside_and_why(outcome: Validation) -> None:
    said = report(outcome)
    assert said.startswith("# Validation of answers.csv\n")
    assert "2 of 4 responses valid, 2 in quarantine." in said
    assert "| rs1 | code not in 1..5 | 1 |" in said
    assert "=cmd\\|x" in said
    assert "Instrument small 1.0.0" in said


def test_a_report_without_failures(outcome: Validation) -> None:
    clean = validate(
        RawResponses(outcome.responses.frame, "again"), outcome.responses.instrument
    )
    assert "No answer was rejected." in report(clean)


def test_formulas_do_not_run() -> None:
    frame = pd.DataFrame(
        {
            "a": ["=1+1", "+1", "-1", "@x", "\tx", "fine", None, 3],
            "n": [-1, 2, 3, 4, 5, 6, 7, 8],
        }
    )
    for kind in ("object", "string", "str"):
        text = frame.astype({"a": "object" if kind == "object" else kind})
        safe = safe_cells(text)
        assert list(safe["a"].iloc[:6]) == [
            "'=1+1", "'+1", "'-1", "'@x", "'\tx", "fine",
        ]  # fmt: skip
        assert list(safe["n"]) == [-1, 2, 3, 4, 5, 6, 7, 8]
        assert text["a"].iloc[0] == "=1+1"


def test_an_interrupted_write_leaves_the_earlier_file(
    tmp_path: Path, small: Instrument, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "x.csv").write_text("x", encoding="utf-8")
    path = write_manifest(tmp_path, small, {"files": ["x.csv"]})
    before = path.read_bytes()

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device", str(descriptor))

    monkeypatch.setattr("survey.archive.os.fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_manifest(tmp_path, small, {"files": ["x.csv"], "note": "new"})
    assert path.read_bytes() == before


def test_refused_answers_survive_the_way_through_parquet(
    pushing_away: Instrument, tmp_path: Path
) -> None:
    raw = simulate(pushing_away, 40, seed=2)
    raw.frame.loc[raw.frame.index[0], "av1"] = 9
    first = validate(raw, pushing_away)
    assert first.responses.missingness["av1"].iloc[0] == "refused"
    stored = archive.store(first, tmp_path / "valid", tmp_path / "quarantine")
    again = validate(tabular.read(stored.responses, pushing_away), pushing_away)
    pd.testing.assert_frame_equal(
        again.responses.missingness, first.responses.missingness
    )
    pd.testing.assert_frame_equal(again.responses.frame, first.responses.frame)


def test_simulated_answers_stay_marked_when_they_are_validated(
    pushing_away: Instrument, tmp_path: Path
) -> None:
    source = tmp_path / "answers.csv"
    source.write_text("x", encoding="utf-8")
    facts = {"synthetic": True, "seed": 3, "command": "c", "files": [source.name]}
    archive.write_manifest(tmp_path, pushing_away, facts)
    found = archive.origin(source)
    assert found["synthetic"] is True
    assert found["seed"] == 3
    assert found["source_sha256"] == archive.sha256(source)
    other = tmp_path / "real.csv"
    other.write_text("y", encoding="utf-8")
    assert "synthetic" not in archive.origin(other)
