"""What several commands share: options, and how errors are shown."""

from __future__ import annotations

import sys
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Final, ParamSpec, TypeVar

import click

from survey.errors import InstrumentError, SurveyError

if TYPE_CHECKING:
    from collections.abc import Callable

P = ParamSpec("P")
R = TypeVar("R")

DEFAULT: Final = "pushing_away"
#: Where the survey is found on the machine it runs on.
ADDRESS: Final = "http://127.0.0.1:8000"


def clearly(command: Callable[P, R]) -> Callable[P, R]:
    """Show the project's own errors as messages, without a traceback."""

    @wraps(command)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return command(*args, **kwargs)
        except InstrumentError as error:
            count = len(error.faults)
            click.echo(str(error), err=True)
            click.echo(f"{count} fault{'s' if count > 1 else ''} found.", err=True)
            sys.exit(1)
        except SurveyError as error:
            click.echo(f"Error: {error}", err=True)
            sys.exit(1)
        except OSError as error:
            known = f"{error.filename}: {error.strerror}" if error.strerror else error
            click.echo(f"Error: {known}.", err=True)
            sys.exit(1)

    return wrapped


def file(*, exists: bool = True) -> click.Path:
    """Take the path of a file."""
    return click.Path(exists=exists, dir_okay=False, path_type=Path)


def port(usual: int) -> Callable[[click.decorators.FC], click.decorators.FC]:
    """Take the number of a port."""
    return click.option(
        "--port", type=click.IntRange(1, 65535), default=usual, show_default=True
    )


instrument = click.option(
    "--instrument",
    "-i",
    default=DEFAULT,
    show_default=True,
    help="Id of a bundled instrument, or path of a YAML file.",
)
mapping = click.option(
    "--mapping",
    "-m",
    type=file(),
    help="Mapping file: which column is which item (YAML).",
)
database = click.option(
    "--database",
    "-d",
    default="survey.db",
    show_default=True,
    envvar="PUSHAWAY_DATABASE",
    help="Path of a SQLite file, or postgresql://user:password@host/name; or set "
    "PUSHAWAY_DATABASE, which keeps the password out of the list of processes.",
)
study = click.option(
    "--study", default="main", show_default=True, help="Name of the study."
)
url = click.option(
    "--url",
    default=ADDRESS,
    show_default=True,
    envvar="PUSHAWAY_URL",
    help="Address where people find the survey; links begin with it.",
)
