"""The settings of a study as options of commands."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import TYPE_CHECKING, ParamSpec, TypeVar
from urllib.parse import urlsplit

import click

from survey.errors import RefusedError

if TYPE_CHECKING:
    from collections.abc import Callable

    from survey.instrument import Instrument
    from survey.store.studies import Settings, Study

P = ParamSpec("P")
R = TypeVar("R")

_OPTIONS = (
    click.option(
        "--open/--invited",
        "open_",
        default=None,
        help="Anyone with the address takes part, or invited people only.",
    ),
    click.option("--form", help="Form people answer who were invited to no other."),
    click.option(
        "--profile/--no-profile",
        default=None,
        help="Show people the means of their own answers at the end.",
    ),
    click.option(
        "--anonymous/--timed",
        default=None,
        help="Keep days instead of times, and nothing of a panel.",
    ),
    click.option("--back-to", help="Address the last page offers to go on to."),
    click.option(
        "--days", type=click.FloatRange(0.01, 60), help="Days a browser is remembered."
    ),
)


def options(command: Callable[P, R]) -> Callable[P, R]:
    """Give a command an option for every setting; None where it is not given."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def given(
    *,
    open_: bool | None,
    form: str | None,
    profile: bool | None,
    anonymous: bool | None,
    back_to: str | None,
    days: float | None,
) -> dict[str, object]:
    """Collect the settings that were given.

    Raises
    ------
    RefusedError
        If the address to go on to is none of the web.
    """
    if back_to and (
        urlsplit(back_to).scheme not in {"http", "https"}
        or not urlsplit(back_to).netloc
    ):
        raise RefusedError(f"--back-to: found {back_to!r}. Write an https:// address.")
    named = {
        "open": open_,
        "form": form,
        "profile": profile,
        "anonymous": anonymous,
        "back_to": back_to,
        "days": days,
    }
    return {name: value for name, value in named.items() if value is not None}


def applied(known: Settings, wished: dict[str, object]) -> Settings:
    """Put the settings that were given over those known."""
    return replace(known, **wished)  # type: ignore[arg-type] # of the options' types


def require_same(study: Study, wished: dict[str, object]) -> None:
    """Refuse settings that are not those of a study there is.

    Raises
    ------
    RefusedError
        Names what differs; the settings are changed by another command.
    """
    known = asdict(study.settings)
    other = [
        f"{name} is {known[name]!r}, not {value!r}"
        for name, value in wished.items()
        if known[name] != value
    ]
    if other:
        raise RefusedError(
            f"study {study.name!r}: exists already, and {'; '.join(other)}. Leave the "
            "options out, or change the study: pushaway study set."
        )


def require_form(instrument: Instrument, form: str) -> None:
    """Refuse a form the questionnaire does not have.

    Raises
    ------
    RefusedError
        Lists the forms there are.
    """
    known = [one.id for one in instrument.all_forms]
    if form and form not in known:
        raise RefusedError(
            f"form {form!r} is not in {instrument.id}. Choose one of "
            f"{', '.join(known)}."
        )


def described(study: Study) -> list[str]:
    """Say how a study is run, a line a setting."""
    settings = study.settings
    return [
        f"  who takes part  {'anyone' if settings.open else 'invited people only'}",
        f"  form            {settings.form or 'the first of the questionnaire'}",
        f"  profile         {'shown at the end' if settings.profile else 'not shown'}",
        f"  times           {'days only' if settings.anonymous else 'to the second'}",
        f"  goes on to      {settings.back_to or 'nowhere'}",
        f"  remembered for  {settings.days:g} days",
    ]
