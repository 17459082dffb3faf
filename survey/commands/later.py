"""A command that is imported when it is used: what it needs loads slowly, or is extra.

Only its name and one line of help are known before.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from types import ModuleType


class Later(click.Command):
    """Stands for the command or group `name` of a module."""

    def __init__(self, name: str, module: str, attribute: str, text: str) -> None:
        super().__init__(name, help=text)
        self._module = module
        self._attribute = attribute

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: click.Context | None = None,
        **extra: Any,  # noqa: ANN401 - click's own
    ) -> click.Context:
        """Import the real command and let it read its arguments."""
        real: click.Command = getattr(served(self._module), self._attribute)
        return real.make_context(info_name, args, parent, **extra)


def served(module: str) -> ModuleType:
    """Import a module of the web survey.

    Raises
    ------
    click.ClickException
        If the packages it needs are not installed; says how to install them.
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        if (error.name or "").split(".")[0] == "survey":
            raise
        raise click.ClickException(
            f"the web survey needs the package {error.name}, which is not installed. "
            "Install them all: pip install 'pushaway[serve]'."
        ) from error
