"""The front door: one command for the survey and the reports."""

from __future__ import annotations

from importlib import import_module

import click

from survey.cli import main as survey


class _Later(click.Group):
    """A group that is imported when it is used; notebooks' tools load slowly."""

    module: str

    def _real(self) -> click.Group:
        group: click.Group = import_module(self.module).main
        return group

    def list_commands(self, ctx: click.Context) -> list[str]:
        return self._real().list_commands(ctx)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        return self._real().get_command(ctx, cmd_name)


report = _Later(name="report", help="Turn notebooks into pages.")
report.module = "reports.cli"

main = click.Group(
    name="pushaway",
    help="Is a partner pushing away, and what does it do to the relationship?",
    commands={**survey.commands, "report": report},
)
click.version_option(package_name="pushaway")(main)

if __name__ == "__main__":
    main()
