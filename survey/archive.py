"""The `data/` folder: what arrived, what is valid, what was set aside.

Every folder has a `manifest.yaml` that says where its files came from, which version
of the instrument they belong to and what they hash to. Raw files are never edited.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
from dataclasses import dataclass
from datetime import UTC, datetime
from io import StringIO
from typing import TYPE_CHECKING

from pandas.api.types import is_object_dtype, is_string_dtype
from ruamel.yaml import YAML

from survey.errors import ResponsesError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import pandas as pd

    from survey.instrument import Instrument
    from survey.validate import Validation

_MANIFEST = "manifest.yaml"
#: A spreadsheet takes text that begins so for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True)
class Stored:
    """Where the outcome of a validation was written.

    Attributes
    ----------
    responses, quarantine, rejected, failures, report
        Parquet of the valid rows; faulty rows as they arrived; lines that are no row
        of the table; every failure; a page for people.
    """

    responses: Path
    quarantine: Path
    rejected: Path
    failures: Path
    report: Path


def sha256(path: Path) -> str:
    """Hash a file, 64 hex digits."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def keep_raw(source: Path, folder: Path, instrument: Instrument) -> Path:
    """Copy a file as it arrived into `folder`, read-only, with its manifest.

    Raises
    ------
    ResponsesError
        If another file of this name is there already: raw data are never replaced.
    """
    target = folder / source.name
    if target.exists() and sha256(target) != sha256(source):
        raise ResponsesError(
            f"{target}: another file of this name is archived already. Rename the new "
            "one: raw data are never replaced."
        )
    folder.mkdir(parents=True, exist_ok=True)
    if not target.exists():
        part = target.with_name(f".{target.name}.part")
        shutil.copyfile(source, part)
        part.chmod(stat.S_IRUSR | stat.S_IRGRP | stat.S_IROTH)
        part.replace(target)
    names = sorted(path.name for path in folder.iterdir() if path.name != _MANIFEST)
    write_manifest(folder, instrument, {"source": ", ".join(names), "files": names})
    return target


def origin(source: Path) -> dict[str, object]:
    """Say where a file of answers came from: its hash, and what its manifest knows.

    A file that was simulated stays marked so (``synthetic``, ``seed``, ``command``).
    """
    facts: dict[str, object] = {"source_sha256": sha256(source)}
    path = source.parent / _MANIFEST
    if path.is_file():
        known = YAML(typ="safe", pure=True).load(path.read_text("utf-8"))
        listed = known.get("sha256") if isinstance(known, dict) else None
        names = listed if isinstance(listed, dict) else {}
        if source.name in names:
            kept = ("synthetic", "seed", "command")
            facts |= {key: known[key] for key in kept if key in known}
    return facts


def store(
    validation: Validation,
    validated: Path,
    quarantined: Path,
    *,
    origin: Mapping[str, object] | None = None,
) -> Stored:
    """Write the valid rows, the rejected rows and a report for people.

    `origin` says where the source came from (see `origin`); it goes into the manifest.

    Each file is written beside its place and moved there when it is whole, so that a
    full disk or a kill leaves the earlier one.
    """
    validated.mkdir(parents=True, exist_ok=True)
    quarantined.mkdir(parents=True, exist_ok=True)
    out = Stored(
        validated / "responses.parquet",
        quarantined / "quarantine.csv",
        quarantined / "rejected.csv",
        quarantined / "failures.csv",
        quarantined / "report.md",
    )
    responses = validation.responses
    _replace(out.responses, responses.table().reset_index().to_parquet(index=False))
    rejected = validation.quarantine
    _replace(out.quarantine, rejected.to_csv(index=True).encode("utf-8"))
    lines = validation.rejected.to_csv(index=False)
    _replace(out.rejected, lines.encode("utf-8"))
    failures = safe_cells(validation.failures.reset_index())
    _replace(out.failures, failures.to_csv(index=False).encode("utf-8"))
    _replace(out.report, report(validation).encode("utf-8"))
    facts = {"source": responses.source, "rows": len(responses)} | dict(origin or {})
    files = {"files": [out.responses.name]}
    write_manifest(validated, responses.instrument, facts | files)
    names = [out.quarantine.name, out.rejected.name, out.failures.name]
    lost = {"rows": len(rejected) + len(validation.rejected), "files": names}
    if quarantined != validated:
        write_manifest(quarantined, responses.instrument, facts | lost)
    return out


def safe_cells(frame: pd.DataFrame) -> pd.DataFrame:
    """Put an apostrophe before text that a spreadsheet would run as a formula."""
    out = frame.copy()
    for name in out.columns:
        if is_object_dtype(out[name]) or is_string_dtype(out[name]):
            out[name] = out[name].map(_safe)
    return out


def _safe(cell: object) -> object:
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell


def report(validation: Validation) -> str:
    """Say for people what was checked, what was set aside and why."""
    responses, failures = validation.responses, validation.failures
    instrument = responses.instrument
    lines = [
        f"# Validation of {responses.source}",
        "",
        f"{validation.summary()}.",
        f"Instrument {instrument.id} {instrument.version} ({instrument.hash[:12]}).",
        "",
        "## Reasons",
        "",
    ]
    if failures.empty:
        lines += ["No answer was rejected.", ""]
    else:
        counts = failures.groupby(["item", "reason"], sort=False, dropna=False).size()
        table = counts.sort_values(ascending=False).rename("answers").reset_index()
        lines += [_markdown(table), "", "## Every failure", ""]
        lines += [_markdown(failures.reset_index()), ""]
        lines += ["Rows stand whole and untouched in `quarantine.csv`."]
        if len(validation.rejected):
            lines += ["Lines that are no row of the table stand in `rejected.csv`."]
        lines += [""]
    if len(validation.notes):
        lines += ["## Worth knowing", "", _markdown(validation.notes), ""]
    return "\n".join(lines)


def _markdown(frame: pd.DataFrame, most: int = 200) -> str:
    def cell(value: object) -> str:
        said = str(value).replace("|", "\\|").replace("\n", " ")
        return said.replace("<", "&lt;")

    shown = frame.head(most)
    lines = ["| " + " | ".join(map(cell, frame.columns)) + " |"]
    lines.append("|" + " --- |" * len(frame.columns))
    lines += [
        "| " + " | ".join(map(cell, row)) + " |"
        for row in shown.itertuples(index=False, name=None)
    ]
    if len(frame) > most:
        lines += ["", f"… and {len(frame) - most} more, all in `failures.csv`."]
    return "\n".join(lines)


def write_manifest(
    folder: Path, instrument: Instrument, facts: Mapping[str, object]
) -> Path:
    """Write `manifest.yaml` beside files: origin, instrument, hashes, date."""
    names = facts.get("files")
    files = names if isinstance(names, list) else []
    content = {key: value for key, value in facts.items() if key != "files"} | {
        "instrument": instrument.id,
        "version": instrument.version,
        "hash": instrument.hash,
        "sha256": {name: sha256(folder / name) for name in files},
    }
    content.setdefault("date", datetime.now(UTC).strftime("%Y-%m-%d"))
    stream = StringIO()
    yaml = YAML()
    yaml.width = 4096
    yaml.dump(content, stream)
    path = folder / _MANIFEST
    _replace(path, stream.getvalue().encode("utf-8"))
    return path


def _replace(path: Path, content: bytes) -> None:
    """Write `content` beside `path`, flush it to disk, move it into place."""
    part = path.with_name(f".{path.name}.part")
    with part.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    part.replace(path)
