"""Answers of the web survey as a table: the latest of each, None where none is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from survey.collect import own
from survey.store import answers, people, progress, studies
from survey.store.database import reading, writing

if TYPE_CHECKING:
    import pandas as pd
    import sqlalchemy as sa

    from survey.instrument import Instrument
    from survey.store.codes import Key
    from survey.store.studies import Study

PANEL = {"PROLIFIC_PID": "p1"}
SHUFFLED = {"fourth": ("fourth1", "fourth0")}


def answer(
    engine: sa.Engine,
    study: Study,
    key: Key,
    *pages: tuple[dict[str, str | None], float | None, dict[str, float]],
    **given: Any,
) -> str:
    """Let somebody send pages; their name in the data."""
    with writing(engine) as connection:
        person = people.add(connection, study, key, invited=False, **given)
        progress.begin(
            connection, study, study.waves[0], person,
            form="full", language="en", page="first",
            orders=SHUFFLED if given else {},
        )  # fmt: skip
        for number, (values, seconds, spent) in enumerate(pages):
            now = progress.find(connection, person, 1)
            assert now is not None
            name = f"{person.code}-{number}"
            progress.store(
                connection, study, now,
                progress.Sent(name, "first", "next", values, seconds, spent),
                page="second", reached=2, finished=False,
            )  # fmt: skip
    return person.code


def cells_of(frame: pd.DataFrame) -> list[Any]:
    return [cell for _, column in frame.items() for cell in column]


def test_latest_answers_stand_in_the_table(
    engine: sa.Engine, database: str, study: Study, walk: Instrument, key: Key
) -> None:
    one = answer(
        engine, study, key,
        ({"first0": "1", "first1": "2"}, 3.25, {"first0": 0.5, "first1": 1.5}),
        ({"first0": "5", "first1": None}, 1.0, {"first0": 2.125}),
        panel=PANEL, couple="c", role="a",
    )  # fmt: skip
    two = answer(engine, study, key, ({"remark": 'é "\\\n\t'}, None, {}))
    frame = own.read(database, walk).frame
    assert list(frame.index) == [one, two]
    assert list(frame["first0"]) == ["5", None]
    assert list(frame["remark"]) == [None, 'é "\\\n\t']
    assert list(frame["seconds"]) == [4.2, None]
    assert list(frame["seconds_first0"]) == [2.125, None]
    assert list(frame["couple"]) == ["c", None]
    assert list(frame["panel_PROLIFIC_PID"]) == ["p1", None]
    assert list(frame["order_fourth"]) == ["fourth1 fourth0", None]
    # Taken back: nobody answered it, so that its column is the instrument's alone.
    assert list(frame["first1"]) == [None, None]
    assert "seconds_first1" not in frame


def test_cell_without_an_answer_is_none(
    engine: sa.Engine, database: str, study: Study, walk: Instrument, key: Key
) -> None:
    answer(engine, study, key, ({"first0": "1"}, None, {}), panel=PANEL)
    answer(engine, study, key)
    raw = own.read(database, walk)
    assert set(walk.item_ids) <= set(raw.frame)
    assert {str(kind) for kind in raw.frame.dtypes} == {"object"}
    missing = [cell for cell in cells_of(raw.frame) if cell is None]
    assert len(missing) == int(raw.frame.isna().to_numpy().sum())
    absent = raw.report[raw.report["status"] == "absent"]["item"]
    assert "first1" in set(absent)


def test_nobody_makes_an_empty_table(
    engine: sa.Engine, database: str, study: Study, walk: Instrument, key: Key
) -> None:
    nobody = own.read(database, walk).frame
    answer(engine, study, key, ({"first0": "1"}, None, {}))
    for frame in (nobody, own.read(database, walk, wave=2).frame):
        assert frame.shape[0] == 0
        assert frame.index.name == "respondent"
        assert set(walk.item_ids) <= set(frame)


def test_table_is_of_one_study(
    engine: sa.Engine, study: Study, walk: Instrument, key: Key
) -> None:
    with writing(engine) as connection:
        other = studies.begin(connection, "other", walk, studies.Settings(), key)
    name = answer(engine, study, key, ({"first0": "1"}, None, {}))
    answer(engine, other, key, ({"first0": "2"}, None, {}))
    with reading(engine) as connection:
        assert list(answers.table(connection, study).index) == [name]
