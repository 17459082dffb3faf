"""The page that links all reports."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reports.render import FAILED, PAGE, write

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from pathlib import Path

    from reports.run import Run


def write_index(
    runs: Sequence[Run], build: Path, *, earlier: Collection[str] = ()
) -> Path:
    """Write the index of `build`.

    Parameters
    ----------
    runs
        What the index lists, in this order.
    build
        Folder of all outputs.
    earlier
        Names of the cases among `runs` that an earlier build made; marked as such.
    """
    page = build / PAGE
    page.parent.mkdir(parents=True, exist_ok=True)
    write(
        page,
        "index.html",
        entries=runs,
        earlier=earlier,
        pages={run.case.name for run in runs if _has_page(run, build)},
        failed=[run for run in runs if not run.ok],
        synthetic=[run for run in runs if run.provenance.synthetic],
        stamps=_stamps(runs),
        anchor=FAILED,
    )
    return page


def _has_page(run: Run, build: Path) -> bool:
    return (build / run.case.name / PAGE).is_file()


def _stamps(entries: Sequence[Run]) -> dict[str, list[str]]:
    """List what the pages were made from, each different thing once."""
    rows: dict[str, list[str]] = {"Questionnaire": [], "Data": [], "Code": []}
    for run in entries:
        stamp = run.provenance
        if one := stamp.instrument:
            text = f"{one.title} ({one.id} {one.version}, hash {one.hash[:12]})"
            rows["Questionnaire"].append(text)
        rows["Data"].extend(
            f"{file.path} (sha256 {file.sha256[:12]}…)"
            for file in stamp.files
            if file.sha256
        )
        rows["Code"].append(stamp.code)
    return {key: list(dict.fromkeys(lines)) for key, lines in rows.items() if lines}
