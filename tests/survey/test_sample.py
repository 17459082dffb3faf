"""What is made and committed is current: the sample and the codebook."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from ruamel.yaml import YAML

from survey import Instrument, codebook, simulate
from survey.archive import sha256
from survey.collect import tabular
from survey.validate import validate

DATA = Path(__file__).parents[2] / "data"
SAMPLE = DATA / "sample" / "responses.csv"
REMAKE = "remake it with the command in data/README.md"


@pytest.fixture(scope="module")
def instrument() -> Instrument:
    return Instrument.load("pushing_away")


@pytest.fixture(scope="module")
def manifest() -> dict[str, object]:
    text = (SAMPLE.parent / "manifest.yaml").read_text("utf-8")
    out: dict[str, object] = YAML(typ="safe", pure=True).load(text)
    return out


def test_sample_is_what_its_seed_makes(
    instrument: Instrument, manifest: dict[str, object], tmp_path: Path
) -> None:
    assert str(manifest["command"]) in (DATA / "README.md").read_text("utf-8")
    seed = manifest["seed"]
    assert isinstance(seed, int)
    drawn = simulate(instrument, 600, seed=seed, waves=2)
    again = tmp_path / "responses.csv"
    drawn.frame.to_csv(again, lineterminator="\n")
    ours, theirs = (pd.read_csv(path, dtype=str) for path in (SAMPLE, again))
    pd.testing.assert_frame_equal(ours, theirs, obj=REMAKE)


def test_manifest_names_file_and_instrument(
    instrument: Instrument, manifest: dict[str, object]
) -> None:
    assert manifest["synthetic"] is True
    assert manifest["hash"] == instrument.hash, REMAKE
    listed = manifest["sha256"]
    assert isinstance(listed, dict)
    assert listed[SAMPLE.name] == sha256(SAMPLE)


def test_sample_is_valid_and_has_couples_and_waves(instrument: Instrument) -> None:
    checked = validate(tabular.read(SAMPLE, instrument), instrument)
    assert checked.failures.empty
    assert checked.responses.n_respondents == 600
    assert checked.responses.waves == (1, 2)
    couples = checked.responses.at_wave(1).people["couple"].dropna().value_counts()
    assert (couples == 2).all()
    assert len(couples) == 150


def test_codebook_is_current(instrument: Instrument, tmp_path: Path) -> None:
    for made in codebook.write(instrument, tmp_path):
        committed = DATA / made.name
        assert committed.read_text("utf-8") == made.read_text("utf-8"), (
            f"{made.name} is old: pushaway codebook pushing_away --to data/"
        )
