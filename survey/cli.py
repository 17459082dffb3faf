"""Command line of the survey: from the instrument to valid answers.

Every command takes an instrument as the id of a bundled one or as the path of a YAML
file, names the files it wrote, and says what to do when something is wrong.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from dataclasses import asdict
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, ParamSpec, TypeVar

import click

from survey import archive, codebook
from survey.changes import diff as compare
from survey.collect import tabular
from survey.errors import InstrumentError, SurveyError
from survey.export import xlsform
from survey.instrument import Instrument
from survey.paths import ROOT
from survey.population import Population
from survey.quality import quality
from survey.synthetic import simulate as draw
from survey.validate import Validation
from survey.validate import validate as check_answers

if TYPE_CHECKING:
    from collections.abc import Callable

    from survey.responses import RawResponses

P = ParamSpec("P")
R = TypeVar("R")

EXPORTERS = {"xlsform": xlsform.write}
DEFAULT = "pushing_away"
#: More columns of one status than this are counted, not listed.
_LISTED = 20


def _clearly(command: Callable[P, R]) -> Callable[P, R]:
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


def _file(*, exists: bool = True) -> click.Path:
    return click.Path(exists=exists, dir_okay=False, path_type=Path)


_instrument = click.option(
    "--instrument",
    "-i",
    default=DEFAULT,
    show_default=True,
    help="Id of a bundled instrument, or path of a YAML file.",
)
_mapping = click.option(
    "--mapping",
    "-m",
    type=_file(),
    help="Mapping file: which column is which item (YAML).",
)


@click.group()
@click.version_option(package_name="pushaway")
def main() -> None:
    """Ask whether a partner is pushing away, and what it does to the relationship."""


@main.command()
@click.argument("instrument", default=DEFAULT)
@_clearly
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
@_clearly
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
@_clearly
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
@_clearly
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
@click.option("--population", type=_file(), help="True values (YAML).")
@click.option("--item-times", is_flag=True, help="Record seconds for each item, too.")
@click.option("--to", type=_file(exists=False), default=Path("simulated.csv"))
@_clearly
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


@main.command()
@click.argument("source", type=_file())
@_instrument
@_mapping
@click.option("--to", type=click.Path(path_type=Path), help="Folder for all files.")
@click.option("--strict", is_flag=True, help="End with an error if rows are rejected.")
@_clearly
def validate(
    source: Path,
    instrument: str,
    mapping: Path | None,
    to: Path | None,
    strict: bool,
) -> None:
    """Check every answer; set faulty rows aside, whole, with all reasons."""
    one = Instrument.load(instrument)
    raw = tabular.read(source, one, mapping=mapping)
    _show_mapping(raw)
    name = source.stem
    validated = to or ROOT / "data" / "validated" / name
    quarantined = to or ROOT / "data" / "quarantine" / name
    outcome = check_answers(raw, one)
    _store(outcome, validated, quarantined, source)
    if strict and len(outcome.failures):
        sys.exit(1)


@main.command(name="import")
@click.argument("source", type=_file())
@_instrument
@_mapping
@click.option("--wave", default="wave1", show_default=True, help="Name of the wave.")
@click.option("--from", "platform", type=click.Choice(["tabular"]), default="tabular")
@click.option("--data", type=click.Path(path_type=Path), default=ROOT / "data")
@_clearly
def import_answers(
    source: Path,
    instrument: str,
    mapping: Path | None,
    wave: str,
    platform: str,
    data: Path,
) -> None:
    """Archive a file of answers as it arrived, then validate it."""
    one = Instrument.load(instrument)
    raw = tabular.read(source, one, mapping=mapping)
    _show_mapping(raw)
    kept = archive.keep_raw(source, data / "raw" / f"{wave}-{platform}", one)
    click.echo(f"Wrote {kept}")
    if mapping is not None:
        kept = archive.keep_raw(mapping, kept.parent, one)
        click.echo(f"Wrote {kept}")
    outcome = check_answers(raw, one)
    _store(outcome, data / "validated" / wave, data / "quarantine" / wave, source)


def _show_mapping(raw: RawResponses) -> None:
    """Print what became of the columns: counts, and each that was not just matched."""
    statuses = list(dict.fromkeys(raw.report["status"]))
    for status in statuses:
        rows = raw.report[raw.report["status"] == status]
        if status in {"matched", "key"} or len(rows) > _LISTED:
            click.echo(f"{status}: {len(rows)} columns")
            continue
        for column, item, detail in zip(
            rows["column"], rows["item"], rows["detail"], strict=True
        ):
            name = f"{column} -> {item}" if item and column != item else str(column)
            click.echo(f"{status}: {name} {detail}".rstrip())


def _store(
    outcome: Validation, validated: Path, quarantined: Path, source: Path
) -> None:
    stored = archive.store(
        outcome, validated, quarantined, origin=archive.origin(source)
    )
    click.echo(outcome.summary())
    pairs = list(zip(outcome.failures["item"], outcome.failures["reason"], strict=True))
    for (item, reason), count in Counter(pairs).most_common(20):
        click.echo(f"  {item}: {reason} ({count})")
    if len(outcome.responses):
        click.echo(quality(outcome.responses).summary())
    for path in asdict(stored).values():
        click.echo(f"Wrote {path}")


if __name__ == "__main__":
    main()
