"""Command line of the survey: from the instrument to valid answers.

Every command takes an instrument as the id of a bundled one or as the path of a YAML
file, names the files it wrote, and says what to do when something is wrong.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from survey import archive, codebook
from survey.changes import diff as compare
from survey.commands.checking import import_answers, validate
from survey.commands.later import Later
from survey.commands.options import DEFAULT, clearly, file
from survey.export import xlsform
from survey.instrument import Instrument
from survey.population import Population
from survey.synthetic import simulate as draw

EXPORTERS = {"xlsform": xlsform.write}


@click.group()
@click.version_option(package_name="pushaway")
def main() -> None:
    """Ask whether a partner is pushing away, and what it does to the relationship."""


@main.command()
@click.argument("instrument", default=DEFAULT)
@clearly
def check(instrument: str) -> None:
    """Read an instrument and list every fault, or say what it contains."""
    one = Instrument.load(instrument)
    forms = ", ".join(
        f"{form.id} ({len(one.form_items(form.id))})" for form in one.all_forms
    )
    click.echo(f"{one.id} {one.version}: {one.wording(one.title)}")
    click.echo(f"  languages    {', '.join(one.languages)}")
    click.echo(f"  items        {len(one.items)}, by form: {forms}")
    click.echo(f"  scales       {len(one.scales)}")
    click.echo(f"  claims       {len(one.claims)}")
    click.echo(f"  hash         {one.hash}")
    for notice in one.notices():
        click.echo(f"  notice       {notice}")
    click.echo("No fault found.")


@main.command()
@click.argument("old")
@click.argument("new")
@clearly
def diff(old: str, new: str) -> None:
    """Classify what changed: cosmetic, wording, scoring or breaking."""
    found = compare(Instrument.load(old), Instrument.load(new))
    if not found.changes:
        click.echo("Nothing differs but, perhaps, the version and the layout.")
        return
    for change in found.changes:
        click.echo(str(change))
    click.echo(f"Gravest: {found.severity}.")
    if found.version_note:
        click.echo(found.version_note)


@main.command(name="codebook")
@click.argument("instrument", default=DEFAULT)
@click.option("--to", type=click.Path(path_type=Path), default=Path("codebook"))
@click.option("--language", help="Language of the texts; the first one by default.")
@clearly
def write_codebook(instrument: str, to: Path, language: str | None) -> None:
    """Write the codebook as a page (HTML), as Markdown and as a table (CSV)."""
    one = Instrument.load(instrument)
    for path in codebook.write(one, to, language=language):
        click.echo(f"Wrote {path}")


@main.command()
@click.argument("target", type=click.Choice(sorted(EXPORTERS)))
@click.argument("instrument", default=DEFAULT)
@click.option("--to", type=click.Path(path_type=Path), default=Path("export"))
@click.option("--form", help="Form to export; the first one by default.")
@click.option(
    "--linking",
    type=click.Choice(["none", "person", "couple"]),
    default="person",
    show_default=True,
    help="Which keys the form asks for: none, the person's, the couple's too.",
)
@click.option("--scores", is_flag=True, help="Let the form compute scale scores.")
@click.option("--language", help="Language the form opens in; the first by default.")
@click.option("--strict", is_flag=True, help="End with an error if anything is lost.")
@clearly
def export(
    target: str,
    instrument: str,
    to: Path,
    form: str | None,
    linking: xlsform.Linking,
    scores: bool,
    language: str | None,
    strict: bool,
) -> None:
    """Write the questionnaire for another platform."""
    outcome = EXPORTERS[target](
        Instrument.load(instrument),
        to,
        form=form,
        linking=linking,
        scores=scores,
        language=language,
    )
    for path in outcome.files:
        click.echo(f"Wrote {path}")
    if len(outcome.losses):
        click.echo(f"{target} cannot express everything:")
        for row in outcome.losses.itertuples(index=False):
            click.echo("  " + ": ".join(str(cell) for cell in row))
        if strict:
            sys.exit(1)


@main.command()
@click.argument("instrument", default=DEFAULT)
@click.option("-n", "n", default=600, show_default=True, help="People at wave 1.")
@click.option("--waves", default=1, show_default=True)
@click.option("--seed", type=int, required=True, help="Same seed, same answers.")
@click.option("--form", help="Form they answer; the first one by default.")
@click.option("--population", type=file(), help="True values (YAML).")
@click.option("--item-times", is_flag=True, help="Record seconds for each item, too.")
@click.option("--to", type=file(exists=False), default=Path("simulated.csv"))
@clearly
def simulate(
    instrument: str,
    n: int,
    waves: int,
    seed: int,
    form: str | None,
    population: Path | None,
    item_times: bool,
    to: Path,
) -> None:
    """Draw people who answer an instrument; their true values stand beside it."""
    one = Instrument.load(instrument)
    chosen = Population.load(population) if population else None
    drawn = draw(
        one,
        n,
        seed=seed,
        waves=waves,
        form=form,
        population=chosen,
        item_times=item_times,
    )
    to.parent.mkdir(parents=True, exist_ok=True)
    drawn.frame.to_csv(to, lineterminator="\n")
    truth = to.with_suffix(".truth.json")
    stated = drawn.truth.population.model_dump(mode="json")
    content = {
        "population": stated,
        "paths": drawn.truth.paths.to_dict(orient="records"),
        "items": drawn.truth.items.to_dict(orient="records"),
    }
    truth.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    people = to.with_suffix(".truth.csv")
    drawn.truth.people.round(3).to_csv(people, lineterminator="\n")
    options = {
        "-n": n,
        "--waves": waves,
        "--seed": seed,
        "--form": form,
        "--population": population.name if population else None,
        "--to": to.name if to.is_absolute() else to.as_posix(),
    }
    given = [f"{key} {value}" for key, value in options.items() if value is not None]
    given += ["--item-times"] if item_times else []
    command = f"pushaway simulate {Path(instrument).name} {' '.join(given)}"
    facts = {
        "source": "simulated: nobody gave these answers",
        "synthetic": True,
        "seed": seed,
        "command": command,
        "files": [to.name, truth.name, people.name],
    }
    manifest = archive.write_manifest(to.parent, one, facts)
    for path in (to, truth, people, manifest):
        click.echo(f"Wrote {path}")


_FIELDING = (
    ("serve", "serving", "serve", "Put a study on the web, on your own server."),
    ("study", "fielding", "study", "Begin a study, look at its settings, change them."),
    ("wave", "fielding", "wave", "Add waves for the same people; say when they open."),
    ("invite", "inviting", "invite", "Make invitations, list them, print them."),
    ("erase", "erasing", "erase", "Erase one person's answers for good."),
    ("db", "storing", "db", "Back up, restore, upgrade or check a database."),
    ("admin", "researchers", "admin", "The researcher's pages and who may see them."),
)

main.add_command(validate)
main.add_command(import_answers)
for _name, _module, _attribute, _text in _FIELDING:
    main.add_command(Later(_name, f"survey.commands.{_module}", _attribute, _text))


if __name__ == "__main__":
    main()
