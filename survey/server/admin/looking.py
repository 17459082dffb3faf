"""Pages that show: studies, figures, people, invitations, waves, the audit log."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from starlette.responses import PlainTextResponse

from survey.errors import RefusedError
from survey.server.admin import accounts, journal
from survey.server.admin.figures import cut, figures, rows, shortened
from survey.server.admin.invitations import local
from survey.server.admin.printing import show
from survey.store import overview, studies, tables, windows
from survey.store.people import ROLES
from survey.store.studies import now

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    import sqlalchemy as sa
    from starlette.requests import Request
    from starlette.responses import Response

    from survey.instrument import Instrument
    from survey.server.admin.office import Office
    from survey.store.studies import Study, Wave

#: Lines of a long table on one page.
MOST: Final = 200


async def health(request: Request) -> Response:
    """Say whether the database can be read; nothing else."""
    office: Office = request.app.state.office
    await office.read(lambda c: c.execute(tables.study.select().limit(1)).first())
    return PlainTextResponse("ok\n")


async def home(request: Request) -> Response:
    """List the studies that whoever is logged in may see."""
    office: Office = request.app.state.office
    who = request.state.who

    def read(connection: sa.Connection) -> list[dict[str, Any]]:
        seen = accounts.sees(connection, who)
        return [_line(connection, studies.find(connection, one)) for one in seen]

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
    """Find the study of an address, if whoever is logged in may see it.

    Raises
    ------
    RefusedError
        The same for one that is not theirs as for one that is not.
    """
    name = request.path_params["study"]
    if name not in accounts.sees(connection, request.state.who):
        raise RefusedError(
            f"study {name[:64]!r}: you see none of this name. Choose one of the list."
        )
    return studies.find(connection, name)


async def study(request: Request) -> Response:
    """Show counts, drop-off and times."""
    office: Office = request.app.state.office

    wave, form = (request.query_params.get(name, "") for name in ("wave", "form"))

    def read(connection: sa.Connection) -> dict[str, Any]:
        found = named(connection, request)
        among = cut(connection, found, wave, form)
        return {"study": found.name, "figures": figures(connection, found, among)}

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
    request: Request,
    *,
    wrong: str = "",
    typed: Mapping[str, str] | None = None,
    made: str = "",
    status: int = 200,
) -> Response:
    """Show the page of invitations, with what became of the last request.

    Parameters
    ----------
    wrong, typed
        Why it was refused, and what was sent.
    """
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
        typed={"people": "0", "couples": "0", "roles": ",".join(ROLES)}
        | dict(typed or {}),
        survey=office.survey,
        local=local(office.survey),
        wrong=wrong,
        made=made,
        **given,
    )


async def waves(request: Request) -> Response:
    """Show when waves take answers, to be changed."""
    changed, added = _number(request, "changed"), _number(request, "added")
    made = f"Wave {changed} was changed." if changed else ""
    return await show_waves(request, made=f"Wave {added} was added." if added else made)


async def show_waves(
    request: Request,
    *,
    wrong: str = "",
    number: int | None = None,
    typed: Mapping[str, str] | None = None,
    made: str = "",
    status: int = 200,
) -> Response:
    """Show the page of waves, with what became of the last request.

    Parameters
    ----------
    wrong, number, typed
        Why it was refused, for which wave (None for a new one), and what was sent.
    """
    office: Office = request.app.state.office
    moment = now()

    def read(connection: sa.Connection) -> dict[str, Any]:
        found = named(connection, request)
        lines = [
            {
                "number": wave.number,
                "state": windows.state(found, wave, moment),
                "open": wave.is_open(moment),
                "name": _questionnaire(connection, wave),
                "opens": _local(wave.opens),
                "closes": _local(wave.closes),
            }
            for wave in found.waves
        ]
        offered_ = {wave.instrument: wave.number for wave in found.waves}
        names = {line["number"]: line["name"] for line in lines}
        return {
            "study": found.name,
            "lines": lines,
            "latest": found.waves[-1].instrument,
            "questionnaires": [
                (hash_, f"{names[one]}, that of wave {one}")
                for hash_, one in reversed(offered_.items())
            ],
        }

    given = await office.read(read)
    return show(
        request,
        "waves.html.j2",
        heading="Waves",
        status=status,
        now=moment,
        wrong=wrong,
        number=number,
        typed=typed or {},
        made=made,
        **given,
    )


def _questionnaire(connection: sa.Connection, wave: Wave) -> str:
    one = studies.stored_instrument(connection, wave.instrument)
    return f"{one.id} {one.version}"


def _local(at: datetime | None) -> str:
    """Spell a time as a field for times wants it."""
    return "" if at is None else f"{at:%Y-%m-%dT%H:%M}"


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
    """Show who did what and when, to those who see all studies."""
    office: Office = request.app.state.office
    if not request.state.all_studies:
        raise RefusedError(
            "audit log: it tells of all studies, and you do not see all. Ask someone "
            "who does."
        )
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
