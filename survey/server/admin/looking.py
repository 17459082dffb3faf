"""Pages that show: studies, figures, people, invitations, waves, the audit log."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from starlette.responses import PlainTextResponse

from survey.server.admin import journal
from survey.server.admin.figures import figures, names, rows, shortened
from survey.server.admin.printing import show
from survey.store import overview, studies, tables
from survey.store.people import ROLES
from survey.store.studies import now

if TYPE_CHECKING:
    import sqlalchemy as sa
    from starlette.requests import Request
    from starlette.responses import Response

    from survey.instrument import Instrument
    from survey.server.admin.office import Office
    from survey.store.studies import Study

#: Lines of a long table on one page.
MOST: Final = 200


async def health(request: Request) -> Response:
    """Say whether the database can be read; nothing else."""
    office: Office = request.app.state.office
    await office.read(lambda c: c.execute(tables.study.select().limit(1)).first())
    return PlainTextResponse("ok\n")


async def home(request: Request) -> Response:
    """List the studies of the database."""
    office: Office = request.app.state.office

    def read(connection: sa.Connection) -> list[dict[str, Any]]:
        return [
            _line(connection, studies.find(connection, n)) for n in names(connection)
        ]

    found = await office.read(read)
    return show(request, "studies.html.j2", heading="Studies", studies=found)


def _line(connection: sa.Connection, study: Study) -> dict[str, Any]:
    latest = overview.counts(connection, study).iloc[-1]
    wave = study.current(now())
    one = studies.stored_instrument(connection, study.waves[-1].instrument)
    return {
        "name": study.name,
        "questionnaire": f"{one.wording(one.title)} {one.version}",
        "open": f"wave {wave.number} is open" if wave else "closed",
        "by": "anyone with the address" if study.settings.open else "invitation only",
        "wave": int(latest["wave"]),
        "begun": int(latest["begun"]),
        "finished": int(latest["finished"]),
    }


def named(connection: sa.Connection, request: Request) -> Study:
    """Find the study of an address."""
    return studies.find(connection, request.path_params["study"])


async def study(request: Request) -> Response:
    """Show counts, drop-off and times."""
    office: Office = request.app.state.office

    def read(connection: sa.Connection) -> dict[str, Any]:
        found = named(connection, request)
        return {"study": found.name, "figures": figures(connection, found)}

    given = await office.read(read)
    return show(
        request,
        "study.html.j2",
        heading=f"Study {given['study']}",
        shortened=shortened,
        **given,
    )


async def people(request: Request) -> Response:
    """List people and where they stand, without a single answer."""
    office: Office = request.app.state.office
    first = _number(request, "first")

    def read(connection: sa.Connection) -> dict[str, Any]:
        found = named(connection, request)
        shown, count = rows(connection, found, first, MOST)
        return {
            "study": found.name,
            "waves": found.waves,
            "rows": shown,
            "count": count,
        }

    given = await office.read(read)
    return show(
        request, "people.html.j2", heading="People", first=first, most=MOST, **given
    )


def _number(request: Request, name: str) -> int:
    """Read a number of an address; 0 for what is none."""
    text = request.query_params.get(name, "0")
    return int(text) if re.fullmatch(r"[0-9]{1,8}", text) else 0


def offered(connection: sa.Connection, found: Study) -> Instrument:
    """Read the questionnaire of the last wave."""
    return studies.stored_instrument(connection, found.waves[-1].instrument)


async def invitations(request: Request) -> Response:
    """Offer to make invitations, and to list or print those there are."""
    count = _number(request, "made")
    made = f"{count} invitations were made." if count else ""
    return await show_invitations(request, made=made)


async def show_invitations(
    request: Request, *, wrong: str = "", made: str = "", status: int = 200
) -> Response:
    """Show the page of invitations, with what became of the last request."""
    office: Office = request.app.state.office

    def read(connection: sa.Connection) -> dict[str, Any]:
        found = named(connection, request)
        one = offered(connection, found)
        people_ = overview.progress(connection, found)
        return {
            "study": found.name,
            "waves": found.waves,
            "languages": one.languages,
            "forms": [form.id for form in one.all_forms],
            "count": int(people_.drop_duplicates("code")["invited"].sum()),
            "waiting": {
                w.number: len(overview.waiting(connection, found, w.number))
                for w in found.waves
            },
        }

    given = await office.read(read)
    return show(
        request,
        "invitations.html.j2",
        heading="Invitations",
        status=status,
        roles=",".join(ROLES),
        survey=office.survey,
        wrong=wrong,
        made=made,
        **given,
    )


async def waves(request: Request) -> Response:
    """Show when waves take answers, to be changed."""
    number = _number(request, "changed")
    return await show_waves(
        request, made=f"Wave {number} was changed." if number else ""
    )


async def show_waves(
    request: Request,
    *,
    wrong: str = "",
    number: int = 0,
    made: str = "",
    status: int = 200,
) -> Response:
    """Show the page of waves, with what became of the last request."""
    office: Office = request.app.state.office

    def read(connection: sa.Connection) -> dict[str, Any]:
        found = named(connection, request)
        moment = now()
        lines = []
        for wave in found.waves:
            one = studies.stored_instrument(connection, wave.instrument)
            name = f"{one.id} {one.version}"
            lines.append({"wave": wave, "open": wave.is_open(moment), "name": name})
        return {"study": found.name, "lines": lines}

    given = await office.read(read)
    return show(
        request,
        "waves.html.j2",
        heading="Waves",
        status=status,
        now=now(),
        wrong=wrong,
        number=number,
        made=made,
        **given,
    )


async def answers(request: Request) -> Response:
    """Offer the answers as a table."""
    office: Office = request.app.state.office
    found = await office.read(lambda c: named(c, request))
    return show(
        request,
        "answers.html.j2",
        heading="Answers",
        study=found.name,
        waves=found.waves,
    )


async def audit(request: Request) -> Response:
    """Show who did what and when."""
    office: Office = request.app.state.office
    first = _number(request, "first")
    entries, count = await office.read(
        lambda c: journal.entries(c, first=first, most=MOST)
    )
    return show(
        request,
        "audit.html.j2",
        heading="Audit log",
        entries=entries,
        count=count,
        first=first,
        most=MOST,
    )
