"""Studies, people, codes, progress and erasure, on SQLite and on PostgreSQL."""

from __future__ import annotations

import threading
import time
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from survey.errors import RefusedError, StoreError
from survey.store import (
    erasure,
    overview,
    people,
    progress,
    standing,
    studies,
    tables,
)
from survey.store.codes import VARIABLE, Key, key_file, key_for, normal, spaced
from survey.store.database import connect, forget, reading, url_of, writing
from survey.store.versions import require_current

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from survey.instrument import Instrument
    from survey.store.progress import Response, Sent
    from survey.store.studies import Study

LEAST = """\
id: least
version: "1.0.0"
title: {title}
response_scales:
  - id: agree
    labels: [No, Rather no, Neither, Rather, Yes]
items:
  - {{id: one, type: likert, text: {text}, response_scale: agree}}
  - {{id: two, type: likert, text: Second., response_scale: agree}}
scales:
  - {{id: both, label: {label}, items: [one, two], reversed: [{reversed}]}}
"""
PLAIN = {"title": "Least", "text": "First.", "label": "Both", "reversed": "two"}
#: What is changed, and how grave that is.
CHANGES = [
    ({"title": "Another title"}, "cosmetic"),
    ({"text": "Quite another question?"}, "wording"),
    ({"reversed": "one, two"}, "scoring"),
]


def least(build: Callable[[str], Instrument], **change: str) -> Instrument:
    return build(LEAST.format(**(PLAIN | change)))


def begun(engine: sa.Engine, study: Study, key: Key) -> tuple[people.Person, Response]:
    with writing(engine) as connection:
        person = people.add(connection, study, key, invited=False)
        return person, progress.begin(
            connection,
            study,
            study.waves[0],
            person,
            form="full",
            language="en",
            page="first",
            orders={"fourth": ("fourth1", "fourth0")},
        )


def sent(key: str, **values: str | None) -> Sent:
    return progress.Sent(key, "first", "next", values, 3.0, {})


def store(engine: sa.Engine, study: Study, person: people.Person, one: Sent) -> bool:
    with writing(engine) as connection:
        now = progress.find(connection, person, 1)
        assert now is not None
        return progress.store(
            connection, study, now, one, page="second", reached=2, finished=False
        )


def answers(connection: sa.Connection, person: people.Person) -> Mapping[str, str]:
    found = progress.find(connection, person, 1)
    assert found is not None
    return found.answers


def progress_of(engine: sa.Engine, person: people.Person) -> Response | None:
    with reading(engine) as connection:
        return progress.find(connection, person, 1)


def rows(engine: sa.Engine, table: sa.Table) -> int:
    with reading(engine) as connection:
        query = sa.select(sa.func.count()).select_from(table)
        return connection.execute(query).scalar_one()


# -- studies ---------------------------------------------------------------------------


def test_study_is_found_as_it_was_begun(engine: sa.Engine, study: Study) -> None:
    with reading(engine) as connection:
        assert studies.find(connection, "main") == study
    assert study.settings.open
    assert [w.number for w in study.waves] == [1]


def test_study_begins_once(
    engine: sa.Engine, study: Study, walk: Instrument, key: Key
) -> None:
    with pytest.raises(RefusedError, match="'main' exists already"):  # noqa: SIM117
        with writing(engine) as connection:
            studies.begin(connection, study.name, walk, study.settings, key)


def test_unknown_study_lists_the_known(engine: sa.Engine, study: Study) -> None:
    with reading(engine) as connection, pytest.raises(RefusedError, match=study.name):
        studies.find(connection, "mian")


def test_other_key_is_refused(engine: sa.Engine, study: Study) -> None:
    with (
        reading(engine) as connection,
        pytest.raises(StoreError, match="not the key it was begun with"),
    ):
        studies.require_key(connection, study.name, Key(b"another"))


def test_settings_are_kept_and_changed(engine: sa.Engine, study: Study) -> None:
    other = studies.Settings(anonymous=True, profile=True, days=3.0, panel=("pid",))
    with writing(engine) as connection:
        assert studies.change_settings(connection, study, lambda _: other).settings == (
            other
        )
    with reading(engine) as connection:
        assert studies.find(connection, study.name).settings == other


def test_unchanged_instrument_goes_on(
    engine: sa.Engine, study: Study, walk: Instrument
) -> None:
    with writing(engine) as connection:
        assert studies.field(connection, study, walk) == (study, "")


@pytest.mark.parametrize(("change", "severity"), CHANGES)
def test_begun_wave_keeps_what_people_were_asked(
    engine: sa.Engine,
    key: Key,
    instrument_from: Callable[[str], Instrument],
    change: dict[str, str],
    severity: str,
) -> None:
    first, other = least(instrument_from), least(instrument_from, **change)
    with writing(engine) as connection:
        own = studies.begin(connection, "own", first, studies.Settings(), key)
        person = people.add(connection, own, key)
        progress.begin(
            connection, own, own.waves[0], person,
            form="full", language="en", page="p", orders={},
        )  # fmt: skip
    if severity == "cosmetic":
        with writing(engine) as connection:
            after, said = studies.field(connection, own, other)
        assert after.waves[0].instrument == other.hash
        assert severity in said
        return
    with pytest.raises(RefusedError, match=f"gravest change is {severity}"):  # noqa: SIM117
        with writing(engine) as connection:
            studies.field(connection, own, other)
    with reading(engine) as connection:
        assert studies.find(connection, "own").waves[0].instrument == first.hash


def test_wave_that_has_not_begun_may_change(
    engine: sa.Engine, key: Key, instrument_from: Callable[[str], Instrument]
) -> None:
    other = least(instrument_from, text="Another?")
    with writing(engine) as connection:
        own = studies.begin(
            connection, "own", least(instrument_from), studies.Settings(), key
        )
        after, said = studies.field(connection, own, other)
    assert after.waves[0].instrument == other.hash
    assert "wording" in said
    with reading(engine) as connection:
        assert studies.stored_instrument(connection, other.hash).hash == other.hash


def test_next_wave_closes_the_one_before(
    engine: sa.Engine, study: Study, walk: Instrument
) -> None:
    start = datetime(2030, 1, 1, 12)  # noqa: DTZ001 - stored without a zone
    with writing(engine) as connection:
        later = studies.add_wave(connection, study, walk, opens=start)
    assert later.waves[0].closes == later.waves[1].opens == start
    assert later.current(start - timedelta(seconds=1)) == later.waves[0]
    assert later.current(start) == later.waves[1]


def test_window_that_closes_before_it_opens_is_refused(
    engine: sa.Engine, study: Study
) -> None:
    start = datetime(2030, 1, 1)  # noqa: DTZ001 - stored without a zone
    with pytest.raises(RefusedError, match="before it opens"):  # noqa: SIM117
        with writing(engine) as connection:
            studies.set_window(connection, study, 1, opens=start, closes=start)


# -- codes and people ------------------------------------------------------------------


def test_codes_are_made_again_and_only_hashes_are_stored(
    engine: sa.Engine, study: Study, key: Key
) -> None:
    with writing(engine) as connection:
        (person,) = people.invite(connection, study, key, people=1)
    codes = {kind: person.access(key, kind) for kind in ("invitation", "resume")}
    with reading(engine) as connection:
        again = people.everyone(connection, study)[0]
        assert {k: again.access(key, k) for k in codes} == codes
        for kind, code in codes.items():
            found = people.by_code(connection, study, key, (kind,), code)
            assert found == person
        stored = connection.execute(sa.select(tables.access)).all()
        everything = [
            str(row)
            for table in tables.metadata.sorted_tables
            for row in connection.execute(sa.select(table))
        ]
    assert len(stored) == 3
    assert not any(code in text for code in codes.values() for text in everything)


def test_code_of_another_kind_key_or_study_opens_nothing(
    engine: sa.Engine, study: Study, key: Key, walk: Instrument
) -> None:
    with writing(engine) as connection:
        other = studies.begin(connection, "other", walk, studies.Settings(), key)
        person = people.add(connection, study, key)
    code = person.access(key, "invitation")
    with reading(engine) as connection:
        assert people.by_code(connection, study, key, ("receipt",), code) is None
        assert people.by_code(connection, other, key, ("invitation",), code) is None
        wrong = Key(b"another")
        assert people.by_code(connection, study, wrong, ("invitation",), code) is None


@pytest.mark.parametrize(
    "spelled", [str.upper, spaced, lambda c: f" {c} ", lambda c: c.replace("o", "0")]
)
def test_code_may_be_spelled_as_people_do(
    key: Key, spelled: Callable[[str], str]
) -> None:
    code = key.code("resume", "nonce")
    assert key.hash_of("resume", spelled(code)) == key.hash_of("resume", code)
    assert normal(spaced(code)) == code


def test_key_is_not_shown(key: Key) -> None:
    assert key.secret.hex() not in repr(key)


def test_key_file_is_for_its_owner_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    database = tmp_path / "study.db"
    with pytest.raises(StoreError, match="there is no key"):
        key_for(database)
    made = key_for(database, make=True)
    place = key_file(database)
    assert place is not None
    assert place.stat().st_mode & 0o777 == 0o600
    assert key_for(database).secret == made.secret
    place.write_text("no key", encoding="ascii")
    with pytest.raises(StoreError, match="no key"):
        key_for(database)


def test_couple_has_two_linked_sides(engine: sa.Engine, study: Study, key: Key) -> None:
    with writing(engine) as connection:
        made = people.invite(connection, study, key, couples=3)
    couples = {p.couple for p in made}
    assert len(made) == 6
    assert len(couples) == 3
    assert all(
        sorted(p.role or "" for p in made if p.couple == c) == ["a", "b"]
        for c in couples
    )
    with pytest.raises(RefusedError, match="two different roles"):  # noqa: SIM117
        with writing(engine) as connection:
            people.invite(connection, study, key, couples=1, roles=("a", "a"))


def test_visit_ends(engine: sa.Engine, study: Study, key: Key) -> None:
    with writing(engine) as connection:
        person = people.add(connection, study, key)
        people.connect(connection, study, person, "hash")
    now, day = studies.now(), timedelta(days=1, seconds=1)
    with reading(engine) as connection:
        assert standing.find(connection, "main", "hash", now).person == person
        assert standing.find(connection, "main", "hash", now + day).person is None
        assert standing.find(connection, "main", "other", now).person is None
    with writing(engine) as connection:
        people.disconnect(connection, "hash")
        assert standing.find(connection, "main", "hash", now).person is None


def test_answers_are_those_of_the_open_wave(
    engine: sa.Engine, study: Study, walk: Instrument, key: Key
) -> None:
    person, _ = begun(engine, study, key)
    store(engine, study, person, sent("k", first0="4"))
    moment, day = studies.now(), timedelta(days=1)
    with writing(engine) as connection:
        people.connect(connection, study, person, "hash")
        # Another process changes the study; the next request sees it.
        studies.add_wave(connection, study, walk, opens=moment + day / 2)
    with reading(engine) as connection:
        now = standing.find(connection, "main", "hash", moment)
        then = standing.find(connection, "main", "hash", moment + day / 2)
    assert (now.wave, then.wave) == (now.study.waves[0], now.study.waves[1])
    assert now.response == progress_of(engine, person)
    assert now.response is not None
    assert now.response.answers == {"first0": "4"}
    assert (now.person, then.person, then.response) == (person, person, None)


def test_nobody_stands_anywhere_else(
    engine: sa.Engine, study: Study, walk: Instrument, key: Key
) -> None:
    person, _ = begun(engine, study, key)
    with writing(engine) as connection:
        people.connect(connection, study, person, "hash")
        studies.begin(connection, "other", walk, studies.Settings(), key)
        moment = studies.now()
        for name, visit in (("other", "hash"), ("main", ""), ("main", "else")):
            found = standing.find(connection, name, visit, moment)
            assert found.study.name == name
            assert (found.person, found.response) == (None, None)
            assert found.wave == found.study.waves[0]
        with pytest.raises(RefusedError, match="It has main, other"):
            standing.find(connection, "third", "hash", moment)


def test_anonymous_study_keeps_days_and_no_panel(
    engine: sa.Engine, walk: Instrument, key: Key
) -> None:
    with writing(engine) as connection:
        own = studies.begin(
            connection, "own", walk, studies.Settings(anonymous=True), key
        )
        person = people.add(connection, own, key, panel={"pid": "P1"})
        created = connection.scalar(sa.select(tables.person.c.created))
    assert person.panel == {}
    assert created is not None
    assert (created.hour, created.minute, created.second) == (0, 0, 0)


# -- progress --------------------------------------------------------------------------


def test_beginning_again_goes_on(engine: sa.Engine, study: Study, key: Key) -> None:
    person, first = begun(engine, study, key)
    with writing(engine) as connection:
        again = progress.begin(
            connection, study, study.waves[0], person,
            form="other", language="de", page="third", orders={},
        )  # fmt: skip
    assert again == first
    assert again.orders == {"fourth": ("fourth1", "fourth0")}


def test_page_is_stored_once(engine: sa.Engine, study: Study, key: Key) -> None:
    person, _ = begun(engine, study, key)
    assert store(engine, study, person, sent("k", first0="1", first1="2"))
    assert not store(engine, study, person, sent("k", first0="1", first1="2"))
    with pytest.raises(RefusedError, match="sent before, with other answers"):
        store(engine, study, person, sent("k", first0="1", first1="3"))
    assert (rows(engine, tables.submission), rows(engine, tables.answer)) == (1, 2)


def test_page_that_another_process_stores_meanwhile_is_stored_once(
    engine: sa.Engine, study: Study, key: Key
) -> None:
    if engine.dialect.name == "sqlite":
        pytest.skip("one at a time writes to SQLite")
    person, now = begun(engine, study, key)
    one = sent("k", first0="1")
    there, again = threading.Event(), []

    def second() -> None:
        there.set()
        again.append(store(engine, study, person, one))

    thread = threading.Thread(target=second)
    with writing(engine) as connection:
        assert progress.store(
            connection, study, now, one, page="second", reached=2, finished=False
        )
        thread.start()
        assert there.wait(10)
        # The other one waits until this one is committed, or begins after it.
        time.sleep(0.2)
        assert not again
    thread.join(10)
    assert again == [False]
    assert (rows(engine, tables.submission), rows(engine, tables.answer)) == (1, 1)


def test_very_long_page_is_stored_whole(
    engine: sa.Engine, study: Study, key: Key
) -> None:
    person, _ = begun(engine, study, key)
    many = {f"i{k}": str(k) for k in range(2500)}
    assert store(engine, study, person, sent("k", **many))
    with reading(engine) as connection:
        assert answers(connection, person) == many


def test_history_is_kept(engine: sa.Engine, study: Study, key: Key) -> None:
    person, _ = begun(engine, study, key)
    store(engine, study, person, sent("k1", first0="1", first1="2"))
    store(engine, study, person, sent("k2", first0="1", first1="5"))
    store(engine, study, person, sent("k3", first0=None, first1="5"))
    with reading(engine) as connection:
        assert answers(connection, person) == {"first1": "5"}
        history = connection.execute(
            sa.select(tables.answer.c.item, tables.answer.c.value).order_by(
                tables.answer.c.id
            )
        ).all()
    assert [tuple(row) for row in history] == [
        ("first0", "1"),
        ("first1", "2"),
        ("first1", "5"),
        ("first0", None),
    ]


def test_hidden_answers_are_taken_back_and_the_page_may_come_again(
    engine: sa.Engine, study: Study, key: Key
) -> None:
    person, _ = begun(engine, study, key)
    store(engine, study, person, sent("k1", first0="1", first1="2"))
    hiding = sent("k2", first0="5")
    for again in range(2):
        with writing(engine) as connection:
            now = progress.find(connection, person, 1)
            assert now is not None
            new = progress.store(
                connection, study, now, hiding,
                page="second", reached=2, finished=False,
                hidden=[] if again else ["first1"],
            )  # fmt: skip
        assert new is not again
    with reading(engine) as connection:
        assert answers(connection, person) == {"first0": "5"}


def test_what_is_finished_and_reached_stays_so(
    engine: sa.Engine, study: Study, key: Key
) -> None:
    person, _ = begun(engine, study, key)
    for name, reached, finished in (("a", 4, True), ("b", 1, False)):
        with writing(engine) as connection:
            now = progress.find(connection, person, 1)
            assert now is not None
            progress.store(
                connection, study, now, sent(name, first0="1"),
                page="first", reached=reached, finished=finished,
            )  # fmt: skip
    with reading(engine) as connection:
        now = progress.find(connection, person, 1)
    assert now is not None
    assert now.finished is not None
    assert now.reached == 4


def test_person_answers_a_wave_once(engine: sa.Engine, study: Study, key: Key) -> None:
    person, first = begun(engine, study, key)
    row: dict[str, object] = {"person": person.id, "wave": 1, "form": "f", "page": "p"}
    row |= {"instrument": first.instrument, "language": "en", "orders": "{}"}
    row |= {"started": studies.now(), "reached": 1}
    with pytest.raises(StoreError, match=r"(?i)unique"):  # noqa: SIM117
        with writing(engine) as connection:
            connection.execute(tables.response.insert(), row)


# -- erasure ---------------------------------------------------------------------------

PRIVATE = "what nobody else may ever read"


def test_erased_person_leaves_a_tombstone(
    engine: sa.Engine, study: Study, key: Key
) -> None:
    person, _ = begun(engine, study, key)
    kept, _ = begun(engine, study, key)
    store(engine, study, person, sent("k", remark=PRIVATE))
    store(engine, study, kept, sent("k2", remark="stays"))
    receipt = person.access(key, "receipt")
    with writing(engine) as connection:
        people.connect(connection, study, person, "hash")
        erasure.erase(connection, study, person, key, by="respondent")
    assert forget(engine)
    with reading(engine) as connection:
        assert erasure.erased(connection, study, key, receipt)
        assert not erasure.erased(connection, study, key, kept.access(key, "receipt"))
        assert people.by_code(connection, study, key, ("receipt",), receipt) is None
        assert overview.erased(connection, study) == 1
        assert answers(connection, kept) == {"remark": "stays"}
        everything = [
            str(row)
            for table in tables.metadata.sorted_tables
            for row in connection.execute(sa.select(table))
        ]
    assert not any(
        bit in text
        for text in everything
        for bit in (PRIVATE, person.code, person.nonce)
    )
    assert rows(engine, tables.visit) == 0


def test_erased_answers_are_gone_from_the_disk(
    tmp_path: Path, walk: Instrument, key: Key
) -> None:
    place = tmp_path / "study.db"
    engine = connect(place)
    require_current(engine)
    with writing(engine) as connection:
        own = studies.begin(connection, "main", walk, studies.Settings(), key)
    person, _ = begun(engine, own, key)
    long = " ".join([PRIVATE] * 400)
    store(engine, own, person, sent("k", remark=long))
    forget(engine)
    files = [place, tmp_path / "study.db-wal"]
    assert any(PRIVATE.encode() in f.read_bytes() for f in files)
    with writing(engine) as connection:
        erasure.erase(connection, own, person, key, by="researcher")
    assert forget(engine)
    assert not any(PRIVATE.encode() in f.read_bytes() for f in files)
    assert not any(person.nonce.encode() in f.read_bytes() for f in files)
    engine.dispose()


def test_reader_who_stays_is_not_waited_for_for_ever(
    tmp_path: Path, walk: Instrument, key: Key
) -> None:
    engine = connect(tmp_path / "study.db")
    require_current(engine)
    with reading(engine) as connection:
        connection.execute(sa.select(tables.study)).all()
        with writing(engine) as other:
            studies.begin(other, "main", walk, studies.Settings(), key)
        assert not forget(engine)
    assert forget(engine)
    engine.dispose()


# -- urls ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "driver"),
    [
        ("a/study.db", "sqlite"),
        ("sqlite:///a/study.db", "sqlite"),
        ("postgresql://u:p@h/n", "postgresql+psycopg"),
        ("postgres://u:p@h/n", ""),
        ("mysql://u:p@h/n", ""),
    ],
)
def test_database_is_a_path_or_a_url(name: str, driver: str) -> None:
    if driver:
        assert url_of(name).drivername == driver
        return
    with pytest.raises(StoreError, match="postgresql://user:password@host/name"):
        url_of(name)


def test_database_that_cannot_be_reached_is_named_without_password() -> None:
    engine = connect("postgresql://survey:hush@127.0.0.1:1/none")
    with pytest.raises(StoreError, match="Nothing of this was stored") as caught:  # noqa: SIM117
        with reading(engine):
            pass
    assert "hush" not in str(caught.value)
    engine.dispose()
