"""Commands for answers that arrived: check them, archive them."""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import click

from survey import archive
from survey.collect import tabular
from survey.commands import options
from survey.commands.later import served
from survey.errors import ResponsesError
from survey.instrument import Instrument
from survey.paths import ROOT
from survey.quality import quality
from survey.validate import Validation
from survey.validate import validate as check_answers

if TYPE_CHECKING:
    from survey.responses import RawResponses

#: More columns of one status than this are counted, not listed.
_LISTED = 20


def _source(
    context: click.Context, parameter: click.Parameter, value: str
) -> Path | str:
    """Leave a URL as it is; a file must exist."""
    if "://" in value:
        return value
    return Path(str(options.file().convert(value, parameter, context)))


@click.command()
@click.argument("source", type=options.file())
@options.instrument
@options.mapping
@click.option("--to", type=click.Path(path_type=Path), help="Folder for all files.")
@click.option("--strict", is_flag=True, help="End with an error if rows are rejected.")
@options.clearly
def validate(
    *,
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


@click.command(name="import")
@click.argument("source", callback=_source)
@options.instrument
@options.mapping
@click.option("--wave", default="wave1", show_default=True, help="Name of the wave.")
@click.option(
    "--from",
    "platform",
    type=click.Choice(["tabular", "own"]),
    default="tabular",
    help="A file, or the database of our own web survey (its path or URL).",
)
@click.option("--study", help="Study in the database, with --from own.  [main]")
@click.option("--wave-number", type=int, help="Wave in the database; all by default.")
@click.option("--data", type=click.Path(path_type=Path), default=ROOT / "data")
@options.clearly
def import_answers(
    *,
    source: Path | str,
    instrument: str,
    mapping: Path | None,
    wave: str,
    platform: str,
    study: str | None,
    wave_number: int | None,
    data: Path,
) -> None:
    """Archive answers as they arrived, then validate them."""
    one = Instrument.load(instrument)
    folder = data / "raw" / f"{wave}-{platform}"
    if platform == "own":
        if mapping is not None:
            raise ResponsesError(
                "--mapping: our own survey names its columns as the questionnaire "
                "does. Leave it out."
            )
        name = study or "main"
        own = served("survey.collect.own")
        raw = own.read(source, one, study=name, wave=wave_number)
        kept = keep_snapshot(raw, folder, one, name)
    else:
        if study is not None or wave_number is not None or isinstance(source, str):
            raise ResponsesError(
                f"{source}: only our own survey is read by study, wave or URL. Add "
                "--from own."
            )
        raw = tabular.read(source, one, mapping=mapping)
        kept = archive.keep_raw(source, folder, one)
    _show_mapping(raw)
    click.echo(f"Wrote {kept}")
    if mapping is not None:
        click.echo(f"Wrote {archive.keep_raw(mapping, kept.parent, one)}")
    outcome = check_answers(raw, one)
    _store(outcome, data / "validated" / wave, data / "quarantine" / wave, kept)


def keep_snapshot(
    raw: RawResponses, folder: Path, instrument: Instrument, study: str
) -> Path:
    """Archive what a living study holds now; the same answers make the same file."""
    content = raw.frame.to_csv(lineterminator="\n").encode()
    name = f"{study}-{sha256(content).hexdigest()[:12]}.csv"
    with TemporaryDirectory() as place:
        read = Path(place) / name
        read.write_bytes(content)
        return archive.keep_raw(read, folder, instrument)


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
