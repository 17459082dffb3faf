"""The settings of a study as options of commands."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from functools import wraps
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import click

from survey.commands.options import clearly
from survey.errors import RefusedError

if TYPE_CHECKING:
    from collections.abc import Callable

    from survey.instrument import Instrument
    from survey.store.studies import Settings, Study


def _names(
    _context: click.Context, _parameter: click.Parameter, value: str | None
) -> tuple[str, ...] | None:
    """Read names with commas between them; ``none`` is no name."""
    if value is None or value == "none":
        return None if value is None else ()
    return tuple(one.strip() for one in value.split(","))


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
        "--panel",
        callback=_names,
        help="URL parameters of a panel that are kept, with commas; none for none.  "
        "[those of well-known panels]",
    ),
    click.option(
        "--days", type=click.FloatRange(0.01, 60), help="Days a browser is remembered."
    ),
)


@dataclass(frozen=True, slots=True)
class Wished:
    """Settings that a command was given; None for one that was not.

    Attributes are those of `survey.store.studies.Settings`.
    """

    open: bool | None = None
    form: str | None = None
    profile: bool | None = None
    anonymous: bool | None = None
    back_to: str | None = None
    panel: tuple[str, ...] | None = None
    days: float | None = None

    def __post_init__(self) -> None:
        """Refuse an address to go on to that is none of the web."""
        if self.back_to and (
            urlsplit(self.back_to).scheme not in {"http", "https"}
            or not urlsplit(self.back_to).netloc
        ):
            raise RefusedError(
                f"--back-to: found {self.back_to!r}. Write an https:// address."
            )

    @property
    def given(self) -> dict[str, Any]:
        """Settings that were given, by name."""
        return {k: v for k, v in asdict(self).items() if v is not None}

    def over(self, known: Settings) -> Settings:
        """Put the settings that were given over those known."""
        return replace(known, **self.given)


def options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command an option for every setting; it takes them as `wished`."""

    @clearly
    @wraps(command)
    def wishing(
        *,
        open_: bool | None,
        form: str | None,
        profile: bool | None,
        anonymous: bool | None,
        back_to: str | None,
        panel: tuple[str, ...] | None,
        days: float | None,
        **others: Any,  # noqa: ANN401 - click's, for the command's other options
    ) -> None:
        wished = Wished(open_, form, profile, anonymous, back_to, panel, days)
        command(wished=wished, **others)

    found: Callable[..., None] = wishing
    for option in reversed(_OPTIONS):
        found = option(found)
    return found


def require_same(study: Study, wished: Wished) -> None:
    """Refuse settings that are not those of a study there is.

    Raises
    ------
    RefusedError
        Names what differs; the settings are changed by another command.
    """
    known = asdict(study.settings)
    other = [
        f"{name} is {known[name]!r}, not {value!r}"
        for name, value in wished.given.items()
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
    kept = () if settings.anonymous else settings.panel
    return [
        f"  who takes part  {'anyone' if settings.open else 'invited people only'}",
        f"  form            {settings.form or 'the first of the questionnaire'}",
        f"  profile         {'shown at the end' if settings.profile else 'not shown'}",
        f"  times           {'days only' if settings.anonymous else 'to the second'}",
        f"  goes on to      {settings.back_to or 'nowhere'}",
        f"  panel           {', '.join(kept) or 'nothing is kept'}",
        f"  remembered for  {settings.days:g} days",
    ]
