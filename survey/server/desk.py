"""What the survey answers requests with: database, key, questionnaires."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from starlette.concurrency import run_in_threadpool

from survey.server.guard import Cookie, Limiter, hashed
from survey.server.plan import Planner
from survey.store import standing, studies
from survey.store.database import reading

if TYPE_CHECKING:
    from collections.abc import Callable

    import sqlalchemy as sa
    from starlette.requests import Request

    from survey.instrument import Instrument
    from survey.store.codes import Key
    from survey.store.people import Person
    from survey.store.progress import Response
    from survey.store.studies import Study, Wave
    from survey.store.writer import Writer

T = TypeVar("T")


@dataclass(frozen=True, slots=True, eq=False)
class Desk:
    """What the survey works with.

    Attributes
    ----------
    engine, writer, key
        The database, the one that writes to it, and the key of its codes.
    study
        Name of the study that is served.
    url
        Address people see, without a slash at the end.
    cookie
        The cookie that stands for a respondent.
    leave_url
        Where "leave" leads, also when the database is gone.
    tries
        Counts tries of codes: they have 80 bits or more, so that a classroom behind
        one address may mistype often.
    newcomers
        Counts people who begin an open study: a lecture hall behind one address may,
        a program that makes up people is slowed down.
    """

    engine: sa.Engine
    writer: Writer
    key: Key
    study: str
    url: str
    cookie: Cookie
    leave_url: str = "/"
    tries: Limiter = field(default_factory=lambda: Limiter(each=100))
    newcomers: Limiter = field(default_factory=lambda: Limiter(each=300, local=False))
    _instruments: dict[str, Instrument] = field(default_factory=dict)
    _planners: dict[tuple[str, str], Planner] = field(default_factory=dict)

    async def read(self, work: Callable[[sa.Connection], T]) -> T:
        """Read from the database, without holding up other requests."""

        def go() -> T:
            with reading(self.engine) as connection:
                return work(connection)

        return await run_in_threadpool(go)

    async def write(self, work: Callable[[sa.Connection], T]) -> T:
        """Write to the database; returns when it is on the disk."""
        return await self.writer.write(work)

    def instrument(self, connection: sa.Connection, hash_: str) -> Instrument:
        """Read a questionnaire, once."""
        if hash_ not in self._instruments:
            found = studies.stored_instrument(connection, hash_)
            self._instruments[hash_] = found
        return self._instruments[hash_]

    def planner(self, connection: sa.Connection, hash_: str, form: str) -> Planner:
        """Find the questionnaire and form that someone sees."""
        if (hash_, form) not in self._planners:
            instrument = self.instrument(connection, hash_)
            self._planners[hash_, form] = Planner.of(instrument, form)
        return self._planners[hash_, form]


@dataclass(frozen=True, slots=True, eq=False)
class Caller:
    """Who sent a request, and where they stand.

    Attributes
    ----------
    cookie
        Value of the cookie; empty for a browser that has none.
    study, wave
        The study, and the wave that is open; None when none is.
    person
        Whom the browser stands for; None before they came in.
    response
        What they answered in this wave; None before they began.
    planner
        What they see, or would see.
    """

    cookie: str
    study: Study
    wave: Wave | None
    person: Person | None
    response: Response | None
    planner: Planner

    @property
    def instrument(self) -> Instrument:
        """The questionnaire they see."""
        return self.planner.instrument

    def language(self, request: Request) -> str:
        """Choose the language: theirs, the one asked for, the browser's, the first."""
        offered = self.instrument.languages
        wished = [self.response.language] if self.response else []
        wished.append(request.query_params.get("lang", ""))
        if self.person is not None and self.person.language:
            wished.append(self.person.language)
        accepted = request.headers.get("accept-language", "")[:200]
        wished += [part.split(";")[0].strip() for part in accepted.split(",")]
        for one in wished:
            for found in (one, one.split("-", maxsplit=1)[0].lower()):
                if found in offered:
                    return found
        return self.instrument.language


def called(desk: Desk, connection: sa.Connection, cookie: str) -> Caller:
    """Find out who a browser stands for."""
    visit = hashed(cookie) if cookie else ""
    found = standing.find(connection, desk.study, visit, studies.now())
    study, wave = found.study, found.wave
    person, response = found.person, found.response
    hash_ = response.instrument if response else (wave or study.waves[-1]).instrument
    form = (
        response.form if response else form_of(desk, connection, study, person, hash_)
    )
    return Caller(
        cookie,
        study,
        wave,
        person,
        response,
        desk.planner(connection, hash_, form),
    )


def form_of(
    desk: Desk,
    connection: sa.Connection,
    study: Study,
    person: Person | None,
    hash_: str,
) -> str:
    """Choose the form of someone who begins: their own, the study's, the first."""
    wished = (person.form if person else None) or study.settings.form
    offered = [form.id for form in desk.instrument(connection, hash_).all_forms]
    return wished if wished in offered else offered[0]
