import hashlib
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from reports.provenance import collect
from survey.instrument import Instrument

ANSWERS = b"respondent,x\n1,2\n"
SHA = hashlib.sha256(ANSWERS).hexdigest()


@pytest.fixture
def data(tmp_path: Path) -> Path:
    path = tmp_path / "data" / "answers.csv"
    path.parent.mkdir()
    path.write_bytes(ANSWERS)
    return path


def manifest(data: Path, text: str) -> None:
    data.with_name("manifest.yaml").write_text(text, encoding="utf-8")


def test_nothing_is_needed(tmp_path: Path) -> None:
    stamp = collect({}, tmp_path)
    assert (stamp.instrument, stamp.files, stamp.seed) == (None, (), None)
    assert (stamp.commit, stamp.changed, stamp.warnings) == (None, False, ())
    assert stamp.code == "not under version control"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", stamp.time)
    assert not stamp.synthetic
    assert list(stamp.packages)[:3] == ["python", "pushaway", "numpy"]
    assert "papermill" in stamp.packages


def test_data_are_hashed_and_the_manifest_is_told(data: Path, tmp_path: Path) -> None:
    manifest(data, f"synthetic: true\nseed: 3\nsource: simulate\nsha256: {SHA}\n")
    stamp = collect({"data": "data/answers.csv", "seed": 4, "school": "x"}, tmp_path)
    (file,) = stamp.files
    assert (file.path, file.sha256) == ("data/answers.csv", SHA)
    assert file.manifest == {"source": "simulate", "seed": "3"}
    assert stamp.synthetic
    assert stamp.seed == 4
    assert stamp.warnings == ()


@pytest.mark.parametrize(
    "text",
    ["sha256: abc\n", "sha256:\n  answers.csv: abc\n", f"sha256: {SHA[:-1]}0f\n"],
)
def test_a_changed_file_is_noticed(data: Path, tmp_path: Path, text: str) -> None:
    manifest(data, text)
    (warning,) = collect({"data": "data/answers.csv"}, tmp_path).warnings
    assert "is not the one that manifest.yaml beside it describes" in warning


def test_several_files_may_share_a_manifest(data: Path, tmp_path: Path) -> None:
    manifest(data, f"sha256:\n  answers.csv: {SHA.upper()}\n  other.csv: abc\n")
    assert collect({"data": "data/answers.csv"}, tmp_path).warnings == ()


def test_an_unreadable_manifest_is_said(data: Path, tmp_path: Path) -> None:
    manifest(data, "a: [1\n")
    (warning,) = collect({"data": "data/answers.csv"}, tmp_path).warnings
    assert warning.startswith("manifest.yaml beside the data cannot be read")


def test_missing_data_are_said(tmp_path: Path) -> None:
    stamp = collect({"data": str(tmp_path / "none.csv")}, tmp_path)
    assert stamp.warnings == ("none.csv: there is no such file.",)


def test_the_instrument_is_named_exactly(tmp_path: Path) -> None:
    instrument = Instrument.load("pushing_away")
    stamp = collect({"instrument": "pushing_away"}, tmp_path).instrument
    assert stamp is not None
    assert (stamp.id, stamp.version) == (instrument.id, instrument.version)
    assert stamp.hash == instrument.hash


def test_data_of_another_version_are_noticed(data: Path, tmp_path: Path) -> None:
    manifest(data, "instrument: pushing_away\nversion: 0.0.1\nhash: abcdef\n")
    asked = {"instrument": "pushing_away", "data": "data/answers.csv"}
    (warning,) = collect(asked, tmp_path).warnings
    assert "names version 0.0.1 of the instrument" in warning


def test_an_unknown_instrument_does_not_stop_the_page(tmp_path: Path) -> None:
    stamp = collect({"instrument": "nobody"}, tmp_path)
    assert stamp.instrument is None
    assert stamp.warnings[0].startswith("The instrument 'nobody' cannot be read")


@pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
def test_the_commit_is_told_and_what_differs_from_it(tmp_path: Path) -> None:
    def git(*words: str) -> str:
        who = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
        command = ["git", "-C", str(tmp_path), *who, *words]
        return subprocess.run(  # noqa: S603 (our own words)
            command, check=True, capture_output=True, text=True
        ).stdout.strip()

    git("init", "-q")
    assert collect({}, tmp_path).commit is None
    (tmp_path / "a").write_text("1", encoding="utf-8")
    git("add", "a")
    git("commit", "-q", "-m", "a")
    stamp = collect({}, tmp_path)
    assert (stamp.commit, stamp.changed) == (git("rev-parse", "HEAD"), False)
    (tmp_path / "a").write_text("2", encoding="utf-8")
    stamp = collect({}, tmp_path)
    assert stamp.changed
    assert stamp.code.endswith(" with local changes")
    (tmp_path / "inner").mkdir()
    assert collect({}, tmp_path / "inner").commit is None
