"""Pages that do something; each leaves a line in the audit log."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.responses import HTMLResponse

from survey.errors import RefusedError
from survey.server.admin import invitations, journal, spreadsheet
from survey.server.admin.gate import fields_of
from survey.server.admin.looking import (
    named,
    offered,
    show_invitations,
    show_waves,
)
from survey.server.admin.printing import attachment, onward, say, show
from survey.server.guard import token
from survey.store import answers, erasure, people, studies, windows

if TYPE_CHECKING:
    from collections.abc import Mapping

    import sqlalchemy as sa
    from starlette.requests import Request
    from starlette.responses import Response

    from survey.instrument import Instrument
    from survey.server.admin.invitations import Invitation
    from survey.server.admin.office import Office
    from survey.store.people import Person
    from survey.store.studies import Study

#: People or couples invited at once.
MOST: Final = 10_000
#: What fields are called on the pages.
_LABELS: Final = {
    "people": "Single people",
    "couples": "Couples",
    "language": "Language",
    "form": "Form",
    "opens": "Opens",
    "closes": "Closes",
}


async def invite(request: Request) -> Response:
    """Make invitations."""
    office: Office = request.app.state.office
    fields = await fields_of(request)
    who = request.state.who

    def make(connection: sa.Connection) -> int:
        found = named(connection, request)
        one = offered(connection, found)
        singles, couples = (_count(fields, name) for name in ("people", "couples"))
        made = people.invite(
            connection,
            found,
            office.key,
            people=singles,
            couples=couples,
            roles=[part.strip() for part in fields.get("roles", "").split(",")]
            if couples
            else people.ROLES,
            language=_among(fields, "language", one.languages),
            form=_among(fields, "form", [form.id for form in one.all_forms]),
        )
        detail = f"{found.name}: {singles} people, {couples} couples"
        journal.note(connection, who, "invite", detail)
        return len(made)

    try:
        count = await office.write(make)
    except RefusedError as error:
        return await show_invitations(
            request, wrong=str(error), typed=fields, status=422
        )
    return onward(f"{_address(request)}/invitations?made={count}")


def _address(request: Request) -> str:
    """Spell the address of the study a request is about."""
    return f"/study/{quote(request.path_params['study'], safe='')}"


def _count(fields: Mapping[str, str], name: str) -> int:
    text = fields.get(name, "").strip() or "0"
    if not re.fullmatch(r"[0-9]{1,6}", text) or int(text) > MOST:
        raise RefusedError(
            f"{_LABELS[name]}: found {text[:20]!r}. Write a number up to {MOST}."
        )
    return int(text)


def _among(
    fields: Mapping[str, str], name: str, known: tuple[str, ...] | list[str]
) -> str | None:
    text = fields.get(name, "")
    if text and text not in known:
        raise RefusedError(
            f"{_LABELS[name]}: found {text[:40]!r}. Choose one of {', '.join(known)}."
        )
    return text or None


def _listed(
    connection: sa.Connection, request: Request, fields: Mapping[str, str]
) -> tuple[Study, list[Invitation]]:
    """List invitations as a form asks for them: all, or those a wave waits for."""
    office: Office = request.app.state.office
    found, text = named(connection, request), fields.get("wave", "")
    listed = invitations.every(
        connection,
        found,
        office.key,
        office.survey,
        waiting=_wave(found, text) if text else None,
        after=fields.get("after", ""),
    )
    return found, listed


async def _note(request: Request, what: str, study: str, counted: str) -> None:
    """Note that something was handed out."""
    office: Office = request.app.state.office
    who = request.state.who
    detail = f"{study}: {counted}"
    await office.write(lambda c: journal.note(c, who, what, detail))


def _wave(study: Study, text: str) -> int:
    known = {str(wave.number): wave.number for wave in study.waves}
    if text not in known:
        raise RefusedError(
            f"wave: found {text[:20]!r}. Choose one of {', '.join(known)}."
        )
    return known[text]


async def links(request: Request) -> Response:
    """Hand the invitations over as a table."""
    office: Office = request.app.state.office
    fields = await fields_of(request)

    def read(connection: sa.Connection) -> tuple[str, str, int]:
        found, listed = _listed(connection, request, fields)
        table = spreadsheet.text(invitations.table(listed))
        return found.name, table, len(listed)

    name, table, count = await office.read(read)
    wave = fields.get("wave", "")
    what, file = (
        ("list reminders", f"reminders-wave-{wave}")
        if wave
        else ("list invitations", "invitations")
    )
    await _note(request, what, name, f"{count} invitations")
    return attachment(table, f"{_file(name)}-{file}.csv")


async def cards(request: Request) -> Response:
    """Show some of the invitations as cards to print; the page leads to the next.

    Drawing takes its time: it is done where other requests need not wait for it.
    """
    office: Office = request.app.state.office
    fields = await fields_of(request)

    def read(connection: sa.Connection) -> tuple[str, Instrument, list[Invitation]]:
        found, listed = _listed(connection, request, fields)
        return found.name, offered(connection, found), listed

    name, one, listed = await office.read(read)
    shown, address = listed[: invitations.BATCH], _address(request)
    more = {
        "csrf": token(office.key, request.state.cookie),
        "wave": fields.get("wave", ""),
        "after": shown[-1].respondent if shown else "",
    }
    leads = invitations.Onward(
        f"{address}/invitations",
        f"{address}/cards",
        more if len(listed) > len(shown) else {},
    )
    page = await run_in_threadpool(invitations.cards, shown, one, office.survey, leads)
    await _note(request, "print invitations", name, f"{len(shown)} invitations")
    return HTMLResponse(page)


def _file(name: str) -> str:
    """Spell a name so that it can be part of a file's name."""
    return re.sub(r"[^A-Za-z0-9_-]+", "_", name)[:64]


async def export(request: Request) -> Response:
    """Hand the answers over as a table.

    They are read without the lock of those who write, so that nobody who answers waits.
    """
    office: Office = request.app.state.office
    fields = await fields_of(request)
    text = fields.get("wave", "")

    def read(connection: sa.Connection) -> tuple[str, str, int]:
        found = named(connection, request)
        wave = _wave(found, text) if text else None
        table = answers.table(connection, found, wave=wave)
        whole = spreadsheet.arranged(table, offered(connection, found))
        return found.name, spreadsheet.text(whole), len(table)

    name, table, count = await office.read(read)
    await _note(request, "export answers", name, f"{count} rows")
    return attachment(table, f"{_file(name)}-answers.csv")


async def window(request: Request) -> Response:
    """Say when a wave takes answers; let it begin or end at once."""
    office: Office = request.app.state.office
    fields = await fields_of(request)
    who, text = request.state.who, request.path_params["number"]
    number = int(text) if re.fullmatch(r"[0-9]{1,6}", text) else 0

    def change(connection: sa.Connection) -> None:
        found = named(connection, request)
        detail, do = f"{found.name}: wave {number}", fields.get("do", "")
        if do == "open":
            windows.open_now(connection, found, number)
        elif do == "close":
            windows.close_now(connection, found, number)
        else:
            opens, closes = (_moment(fields, name) for name in ("opens", "closes"))
            studies.set_window(connection, found, number, opens=opens, closes=closes)
            detail += f", {opens or 'no'} to {closes or 'no'} end"
        what = do if do in {"open", "close"} else "change"
        journal.note(connection, who, f"{what} a wave", detail)

    try:
        await office.write(change)
    except RefusedError as error:
        return await show_waves(
            request, wrong=str(error), number=number, typed=fields, status=422
        )
    return onward(f"{_address(request)}/waves?changed={number}")


async def add_wave(request: Request) -> Response:
    """Add the next wave for the same people."""
    office: Office = request.app.state.office
    fields = await fields_of(request)
    who = request.state.who

    def add(connection: sa.Connection) -> int:
        found = named(connection, request)
        opens, closes = (_moment(fields, name) for name in ("opens", "closes"))
        hash_ = fields.get("instrument", "")
        if hash_ not in {wave.instrument for wave in found.waves}:
            raise RefusedError(
                "questionnaire: this study was not fielded with it. Another one is "
                "added by command, which checks it: pushaway wave add FILE."
            )
        one = studies.stored_instrument(connection, hash_)
        after = studies.add_wave(connection, found, one, opens=opens, closes=closes)
        number = after.waves[-1].number
        journal.note(connection, who, "add a wave", f"{found.name}: wave {number}")
        return number

    try:
        number = await office.write(add)
    except RefusedError as error:
        return await show_waves(request, wrong=str(error), typed=fields, status=422)
    return onward(f"{_address(request)}/waves?added={number}")


def _moment(fields: Mapping[str, str], name: str) -> datetime | None:
    text = fields.get(name, "").strip()
    if not text:
        return None
    try:
        found = datetime.fromisoformat(text[:40])
        if found.tzinfo is not None:
            found = found.astimezone(UTC).replace(tzinfo=None)
    except (ValueError, OverflowError):
        raise RefusedError(
            f"{_LABELS[name]}: found {text[:40]!r}. Write day and time, e.g. "
            "2027-01-31 09:00."
        ) from None
    return found.replace(second=0, microsecond=0)


async def ask_erase(request: Request) -> Response:
    """Ask once more before a person is erased; nothing happens here."""
    office: Office = request.app.state.office
    fields = await fields_of(request)
    study, found = await office.read(lambda c: _person(c, request, fields))
    if found is None:
        return _nobody(request, study)
    return show(
        request,
        "erase.html.j2",
        heading="Erase one person",
        study=study.name,
        respondent=found.code,
        couple=found.couple,
    )


def _person(
    connection: sa.Connection, request: Request, fields: Mapping[str, str]
) -> tuple[Study, Person | None]:
    """Find a person by the name in the data, or by the receipt they show."""
    office: Office = request.app.state.office
    study = named(connection, request)
    if name := fields.get("respondent", "").strip():
        return study, by_name(connection, study, name)
    receipt = fields.get("receipt", "")
    return study, people.by_code(connection, study, office.key, ("receipt",), receipt)


def by_name(connection: sa.Connection, study: Study, name: str) -> Person | None:
    """Find a person by their name in the data."""
    every = people.everyone(connection, study)
    return next((one for one in every if one.code == name), None)


def _nobody(request: Request, study: Study) -> Response:
    return say(
        request,
        "Nobody was found",
        "This study has nobody with this name or receipt. Perhaps they were erased "
        "already.",
        status=404,
        study=study.name,
    )


async def erase(request: Request) -> Response:
    """Erase a person for good."""
    office: Office = request.app.state.office
    fields = await fields_of(request)
    who = request.state.who

    def remove(connection: sa.Connection) -> tuple[Study, bool]:
        study, found = _person(connection, request, fields)
        if found is None:
            return study, False
        erasure.erase(connection, study, found, office.key, by="researcher")
        journal.note(connection, who, "erase", f"{study.name}: one person")
        return study, True

    study, done = await office.write(remove)
    if not done:
        return _nobody(request, study)
    swept = await request.app.state.traces.remove()
    gone = "Their answers, invitation and codes are gone from the database. "
    later = (
        "Traces may stand in its files while a program reads an older state of it; "
        "they are removed as soon as that ends. "
    )
    copies = (
        "Backups, exports and reports made before still hold them: delete or remake "
        "those."
    )
    text = gone + ("" if swept else later) + copies
    return say(request, "One person was erased", text, study=study.name)
