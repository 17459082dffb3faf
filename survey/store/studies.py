"""What is fielded: studies, their waves, and the questionnaire each wave keeps to."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from survey.changes import diff
from survey.errors import RefusedError, StoreError
from survey.instrument import Instrument
from survey.store import tables
from survey.store.database import reading
from survey.yaml12 import Document

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from survey.store.codes import Key

#: Parameters that panels add to a link; kept with the person.
PANEL: Final = (
    "PROLIFIC_PID",
    "STUDY_ID",
    "SESSION_ID",
    "workerId",
    "assignmentId",
    "hitId",
    "psid",
    "pid",
    "rid",
    "source",
)
_ADDRESS: Final = re.compile(r"https?://[!-~]{1,2000}")
_PARAMETER: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
#: Names that the page of consent has itself.
_TAKEN: Final = frozenset({"agree", "csrf", "lang", "language"})
_DAYS: Final = 366


@dataclass(frozen=True, slots=True)
class Settings:
    """How a study is run.

    Attributes
    ----------
    open
        Whether anyone who has the address may take part; else by invitation.
    anonymous
        Whether times are kept as days only, and panel parameters not at all.
    form
        The form people answer who were not invited to another.
    profile
        Whether the last page shows people their own scale means.
    panel
        Names of URL parameters that are kept.
    back_to
        Address the last page offers to go on to, e.g. that of a panel.
    days
        How long a browser stays connected, in days.
    """

    open: bool = False
    anonymous: bool = False
    form: str = ""
    profile: bool = False
    panel: tuple[str, ...] = PANEL
    back_to: str = ""
    days: float = 1.0

    def __post_init__(self) -> None:
        """Refuse what would lead people astray."""
        if self.back_to and not _ADDRESS.fullmatch(self.back_to):
            raise RefusedError(
                f"back_to: found {self.back_to[:80]!r}. Write an address that begins "
                "with https:// and has no spaces."
            )
        for name in self.panel:
            if not _PARAMETER.fullmatch(name) or name in _TAKEN:
                raise RefusedError(
                    f"panel: {name[:80]!r} cannot be the name of a URL parameter here. "
                    "Use letters, digits, _ and -; not agree, csrf, lang or language."
                )
        if not 0 < self.days <= _DAYS:
            raise RefusedError(
                f"days: found {self.days}. Write a number above 0, at most {_DAYS}."
            )

    @classmethod
    def read(cls, text: str) -> Settings:
        """Read what `json` wrote; settings of newer versions are left out."""
        known = {f.name for f in fields(cls)}
        found = {k: v for k, v in json.loads(text).items() if k in known}
        found["panel"] = tuple(found.get("panel", PANEL))
        return cls(**found)

    @property
    def json(self) -> str:
        """The settings as they are stored."""
        return json.dumps(asdict(self), sort_keys=True)


@dataclass(frozen=True, slots=True)
class Wave:
    """One wave of a study: when it is open, and the questionnaire it keeps to."""

    number: int
    instrument: str
    opens: datetime | None
    closes: datetime | None

    def is_open(self, now: datetime) -> bool:
        """Whether answers are taken now."""
        begun = self.opens is None or self.opens <= now
        return begun and (self.closes is None or now < self.closes)


@dataclass(frozen=True, slots=True)
class Study:
    """A study as it stands in the database."""

    id: int
    name: str
    settings: Settings
    waves: tuple[Wave, ...]

    def wave(self, number: int) -> Wave:
        """Look a wave up by its number."""
        return {w.number: w for w in self.waves}[number]

    def current(self, now: datetime) -> Wave | None:
        """Find the latest wave that is open now; None when there is none."""
        found = [w for w in self.waves if w.is_open(now)]
        return max(found, key=lambda w: w.number) if found else None


def now() -> datetime:
    """Now, in UTC, as it is stored."""
    return datetime.now(UTC).replace(tzinfo=None, microsecond=0)


def stamp(settings: Settings, moment: datetime) -> datetime:
    """Cut a time to what a study may keep: an anonymous one knows the day only."""
    if not settings.anonymous:
        return moment
    return moment.replace(hour=0, minute=0, second=0)


def begin(
    connection: sa.Connection,
    name: str,
    instrument: Instrument,
    settings: Settings,
    key: Key,
) -> Study:
    """Begin a study with its first wave, open at once.

    Raises
    ------
    RefusedError
        If there is a study of this name, or the form does not exist.
    """
    if _row(connection, name) is not None:
        raise RefusedError(f"study {name!r} exists already. Choose another name.")
    _require_form(instrument, settings.form)
    keep_instrument(connection, instrument)
    found = connection.execute(
        tables.study.insert().values(
            name=name, settings=settings.json, check=key.check, created=now()
        )
    )
    number = found.inserted_primary_key
    connection.execute(
        tables.wave.insert().values(
            study=number[0] if number else None, number=1, instrument=instrument.hash
        )
    )
    return find(connection, name)


def _require_form(instrument: Instrument, form: str) -> None:
    known = [f.id for f in instrument.all_forms]
    if form and form not in known:
        raise RefusedError(
            f"form {form!r} is not in {instrument.id}. Choose one of "
            f"{', '.join(known)}."
        )


def find(connection: sa.Connection, name: str) -> Study:
    """Read a study.

    Raises
    ------
    RefusedError
        If there is none of this name; lists those there are.
    """
    rows = connection.execute(_FIND, {"name": name}).all()
    if not rows:
        known = connection.scalars(sa.select(tables.study.c.name)).all()
        raise RefusedError(
            f"study {name!r} is not in this database. "
            + (f"It has {', '.join(sorted(known))}." if known else "It has none yet.")
        )
    return of(rows)


def of(rows: Sequence[Sequence[Any]]) -> Study:
    """Make a study of its rows of `COLUMNS`, one a wave."""
    number, name, settings = rows[0][:3]
    return Study(number, name, _settings(settings), tuple(Wave(*w[3:7]) for w in rows))


#: What a study is read from, with one of its waves.
COLUMNS: Final = (
    tables.study.c.id,
    tables.study.c.name,
    tables.study.c.settings,
    tables.wave.c.number,
    tables.wave.c.instrument,
    tables.wave.c.opens,
    tables.wave.c.closes,
)
_FIND: Final = (
    sa.select(*COLUMNS)
    .join_from(tables.study, tables.wave)
    .where(tables.study.c.name == sa.bindparam("name"))
    .order_by(tables.wave.c.number)
)
_settings: Final = lru_cache(maxsize=16)(Settings.read)


def _row(connection: sa.Connection, name: str) -> sa.Row[tuple[object, ...]] | None:
    return connection.execute(
        sa.select(tables.study).where(tables.study.c.name == name)
    ).one_or_none()


def exist(engine: sa.Engine) -> bool:
    """Whether a database holds a study, whose key must not be made anew."""
    with reading(engine) as connection:
        found = connection.scalar(sa.select(tables.study.c.id).limit(1))
    return found is not None


def require_key(connection: sa.Connection, name: str, key: Key) -> None:
    """Refuse a key that is not the one a study was begun with.

    Raises
    ------
    StoreError
        If it is another: every code would be wrong, and new ones would lock people out.
    """
    row = _row(connection, name)
    if row is not None and row.check != key.check:
        raise StoreError(
            f"study {name!r}: this is not the key it was begun with, so no invitation "
            "and no receipt would work. Restore that key."
        )


def keep_instrument(connection: sa.Connection, instrument: Instrument) -> None:
    """Store a version of a questionnaire, once."""
    known = connection.scalar(
        sa.select(tables.instrument.c.hash).where(
            tables.instrument.c.hash == instrument.hash
        )
    )
    if known is None:
        content = instrument.model_dump(mode="json", exclude_defaults=True)
        connection.execute(
            tables.instrument.insert().values(
                hash=instrument.hash,
                id=instrument.id,
                version=instrument.version,
                document=json.dumps(content, ensure_ascii=False),
                added=now(),
            )
        )


def stored_instrument(connection: sa.Connection, hash_: str) -> Instrument:
    """Read a version of a questionnaire that was fielded."""
    text = connection.scalar(
        sa.select(tables.instrument.c.document).where(tables.instrument.c.hash == hash_)
    )
    if text is None:
        raise StoreError(
            f"instrument {hash_[:12]}…: not in the database. Restore a backup of it."
        )
    return Instrument.from_document(Document("instrument", json.loads(text)))


def field(
    connection: sa.Connection, study: Study, instrument: Instrument
) -> tuple[Study, str]:
    """Let a study go on with a questionnaire, if its current wave may.

    Returns
    -------
    tuple
        The study as it is then, and a sentence on what changed (empty for nothing).

    Raises
    ------
    RefusedError
        If the questionnaire differs by more than what nobody answers differently to; a
        wave that has begun keeps what people were asked.
    """
    wave = study.waves[-1]
    if wave.instrument == instrument.hash:
        return study, ""
    found = diff(stored_instrument(connection, wave.instrument), instrument)
    if found.severity in {"wording", "scoring", "breaking"} and _begun(
        connection, study, wave.number
    ):
        listed = "\n  ".join(str(change) for change in found.changes[:10])
        raise RefusedError(
            f"study {study.name!r}: wave {wave.number} has begun with another "
            f"questionnaire, and the gravest change is {found.severity}:\n  {listed}\n"
            "Go on with the questionnaire it began with, or add a wave: pushaway wave "
            "add."
        )
    _require_form(instrument, study.settings.form)
    keep_instrument(connection, instrument)
    connection.execute(
        tables.wave.update()
        .where(tables.wave.c.study == study.id, tables.wave.c.number == wave.number)
        .values(instrument=instrument.hash)
    )
    said = (
        f"Wave {wave.number} goes on with {instrument.id} {instrument.version}: "
        f"{found.severity or 'no'} changes."
    )
    return find(connection, study.name), said


def _begun(connection: sa.Connection, study: Study, number: int) -> bool:
    return (
        connection.scalar(
            sa.select(tables.response.c.id)
            .join(tables.person, tables.person.c.id == tables.response.c.person)
            .where(tables.person.c.study == study.id, tables.response.c.wave == number)
            .limit(1)
        )
        is not None
    )


def add_wave(
    connection: sa.Connection,
    study: Study,
    instrument: Instrument,
    *,
    opens: datetime | None = None,
    closes: datetime | None = None,
) -> Study:
    """Add the next wave for the same people; the one before closes when it opens.

    Raises
    ------
    RefusedError
        If it would close before it opens, or open before the one before did, or if the
        questionnaire has not the form of the study.
    """
    _require_form(instrument, study.settings.form)
    start = opens or now()
    if closes is not None and closes <= start:
        raise RefusedError(
            f"wave: closes {closes:%Y-%m-%d %H:%M} before it opens "
            f"{start:%Y-%m-%d %H:%M}. Exchange them."
        )
    last = study.waves[-1]
    if last.opens is not None and last.opens >= start:
        raise RefusedError(
            f"wave {last.number + 1}: would open {start:%Y-%m-%d %H:%M}, but wave "
            f"{last.number} opens {last.opens:%Y-%m-%d %H:%M}. Let it open later."
        )
    keep_instrument(connection, instrument)
    if last.closes is None or last.closes > start:
        _set_window(connection, study, last.number, last.opens, start)
    connection.execute(
        tables.wave.insert().values(
            study=study.id,
            number=last.number + 1,
            instrument=instrument.hash,
            opens=start,
            closes=closes,
        )
    )
    return find(connection, study.name)


def set_window(
    connection: sa.Connection,
    study: Study,
    number: int,
    *,
    opens: datetime | None,
    closes: datetime | None,
) -> Study:
    """Say when a wave takes answers; None for no limit.

    Raises
    ------
    RefusedError
        If there is no such wave, or it would close before it opens.
    """
    if number not in {w.number for w in study.waves}:
        known = ", ".join(str(w.number) for w in study.waves)
        raise RefusedError(f"wave {number}: there is none. Choose one of {known}.")
    if opens is not None and closes is not None and closes <= opens:
        raise RefusedError(
            f"wave {number}: closes {closes:%Y-%m-%d %H:%M} before it opens "
            f"{opens:%Y-%m-%d %H:%M}. Exchange them."
        )
    _set_window(connection, study, number, opens, closes)
    return find(connection, study.name)


def _set_window(
    connection: sa.Connection,
    study: Study,
    number: int,
    opens: datetime | None,
    closes: datetime | None,
) -> None:
    connection.execute(
        tables.wave.update()
        .where(tables.wave.c.study == study.id, tables.wave.c.number == number)
        .values(opens=opens, closes=closes)
    )


def change_settings(
    connection: sa.Connection, study: Study, change: Callable[[Settings], Settings]
) -> Study:
    """Store other settings of a study."""
    connection.execute(
        tables.study.update()
        .where(tables.study.c.id == study.id)
        .values(settings=change(study.settings).json)
    )
    return find(connection, study.name)
