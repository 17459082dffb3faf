"""What to build: which notebook, with which parameters."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Self, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, SequenceNode

from reports.errors import CatalogError, ParameterError
from reports.parameters import Parameter, Value, check, declared, show, unknown
from reports.places import ROOT, anchor

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

CATALOG = ROOT / "reports" / "catalog.yaml"
_LONGEST = 48

ReportId = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_]{0,60}$")]
_Place: TypeAlias = tuple[str | int, ...]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Report(_Frozen):
    """One notebook and what to ask of it.

    Attributes
    ----------
    notebook
        Name in `notebooks/`, or a path ending in ``.ipynb`` from the catalog's folder;
        the report's id when left out.
    title, question
        What the page is called and what it answers.
    grid
        Parameter -> values; a page is made of every combination.
    parameters
        Parameter -> value, the same for all its pages.
    """

    title: str = Field(min_length=1)
    question: str = Field(min_length=1)
    notebook: str | None = None
    grid: dict[str, Annotated[tuple[Value, ...], Field(min_length=1)]] = {}
    parameters: dict[str, Value] = {}


class _File(_Frozen):
    defaults: dict[str, Value] = {}
    reports: dict[ReportId, Report] = Field(min_length=1)


class Case(_Frozen):
    """One notebook with one set of parameters: one page.

    Attributes
    ----------
    report
        Id in the catalog.
    notebook
        Path of the notebook.
    parameters
        Values that differ from the notebook's own defaults.
    name
        Folder of the outputs: safe on every file system and unique in the catalog.
    title, question
        What the page is called and what it answers.
    """

    report: str
    notebook: Path
    parameters: dict[str, Value]
    name: str
    title: str
    question: str


@dataclass(frozen=True, slots=True, eq=False)
class Catalog:
    """All reports of the project.

    Attributes
    ----------
    path
        The file it was read from.
    defaults
        Parameters given to every notebook that declares them.
    reports
        Report id -> report, in the order of the file.
    """

    path: Path
    defaults: dict[str, Value]
    reports: dict[str, Report]

    @classmethod
    def load(cls, path: Path = CATALOG) -> Self:
        """Read a catalog.

        Raises
        ------
        CatalogError
            If the file is missing, not YAML, or describes no reports; names every
            fault with its line.
        """
        value, node = _read(path)
        try:
            file = _File.model_validate(value)
        except ValidationError as error:
            raise CatalogError("\n".join(_faults(error, path.name, node))) from error
        return cls(path, file.defaults, file.reports)

    def notebook(self, report: str) -> Path:
        """Find the notebook of `report`; the path is given whether it exists or not."""
        name = self.reports[report].notebook or report
        if not name.endswith(".ipynb"):
            return ROOT / "notebooks" / f"{name}.ipynb"
        return (self.path.parent / name).resolve()

    def cases(
        self, reports: Sequence[str] = (), given: Mapping[str, str] | None = None
    ) -> tuple[Case, ...]:
        """List what to build: every combination of parameters of every report.

        Parameters
        ----------
        reports
            Ids to build; all when empty.
        given
            Parameters as written on the command line. They go to the reports that
            declare them, are read by the type of the default there, and go before the
            catalog's.

        Raises
        ------
        CatalogError
            If there is no such report.
        ParameterError
            Names every parameter, of the catalog or `given`, that no notebook declares
            or that has another type there.
        """
        self._known(reports)
        given = given or {}
        offered = {name: _declared(self.notebook(name)) for name in self.reports}
        chosen = tuple(reports) or tuple(self.reports)
        faults = list(self._nowhere(offered, chosen, given))
        cases: list[Case] = []
        for name in self.reports:
            if name not in chosen:
                continue
            try:
                cases.extend(self._of(name, offered[name], given))
            except ParameterError as error:
                faults.append(str(error))
        if faults:
            raise ParameterError("\n".join(faults))
        return tuple(cases)

    def _known(self, reports: Sequence[str]) -> None:
        for name in reports:
            if name not in self.reports:
                near = get_close_matches(name, self.reports, n=1, cutoff=0.5)
                remedy = f"Did you mean {near[0]!r}?" if near else ""
                raise CatalogError(
                    f"{self.path.name}: no report {name!r}; it has: "
                    f"{', '.join(self.reports)}. {remedy}".rstrip()
                )

    def _nowhere(
        self,
        offered: Mapping[str, dict[str, Parameter] | None],
        chosen: Sequence[str],
        given: Mapping[str, str],
    ) -> Iterator[str]:
        """Name what no notebook declares; silent while a notebook cannot be read."""
        if None in offered.values():
            return
        everywhere = {key: 0 for one in offered.values() for key in one or {}}
        for name in self.defaults:
            if name not in everywhere:
                yield f"{self.path.name}: defaults: {unknown(name, everywhere)}"
        here = {key: 0 for one in chosen for key in offered[one] or {}}
        for name in given:
            if name not in here:
                yield f"command line: {unknown(name, here)}"

    def _of(
        self,
        name: str,
        offered: dict[str, Parameter] | None,
        given: Mapping[str, str],
    ) -> Iterator[Case]:
        report, notebook = self.reports[name], self.notebook(name)
        if offered is None:  # the run says why, on the report's page
            yield _case(name, report, notebook, {}, [])
            return
        override = {
            key: self._anchored(offered[key].parse(text), Path.cwd())
            for key, text in given.items()
            if key in offered
        }
        fixed = {key: one for key, one in self.defaults.items() if key in offered}
        fixed = {**fixed, **report.parameters}
        if both := sorted(set(report.grid) & set(report.parameters)):
            raise ParameterError(
                f"{self.path.name}: {name}: {both} stand in grid and in parameters. "
                "Keep one of the two."
            )
        grid = {k: values for k, values in report.grid.items() if k not in override}
        seen: set[str] = set()
        for values in product(*grid.values()):
            asked = {**fixed, **dict(zip(grid, values, strict=True))}
            asked = {key: self._anchored(one, ROOT) for key, one in asked.items()}
            asked = check(notebook.name, offered, {**asked, **override})
            case = _case(name, report, notebook, asked, list(grid))
            if case.name in seen:
                raise ParameterError(
                    f"{self.path.name}: {name}: the grid holds {case.title!r} twice. "
                    "Keep one."
                )
            seen.add(case.name)
            yield case

    def _anchored(self, value: Value, base: Path) -> Value:
        if not isinstance(value, str):
            return value
        return anchor(value, (base, ROOT, self.path.parent), ROOT)


def _declared(notebook: Path) -> dict[str, Parameter] | None:
    """Read what `notebook` offers; None when it is missing or no notebook."""
    try:
        return declared(notebook)
    except (OSError, ValueError, ParameterError):
        return None


def _case(
    name: str,
    report: Report,
    notebook: Path,
    parameters: dict[str, Value],
    grid: Sequence[str],
) -> Case:
    varied = {key: parameters[key] for key in grid}
    told = ", ".join(f"{key}: {show(value)}" for key, value in varied.items())
    return Case(
        report=name,
        notebook=notebook,
        parameters=parameters,
        name="-".join([name, *_slugs(varied)]),
        title=f"{report.title} ({told})" if told else report.title,
        question=report.question,
    )


def _slugs(varied: Mapping[str, Value]) -> Iterator[str]:
    """Spell the values for a folder's name; what is lost is kept as a short hash."""
    exact = [show(value) for value in varied.values()]
    slugs = [re.sub(r"[^a-z0-9_]+", "_", one.lower()).strip("_") for one in exact]
    slugs = [one[:_LONGEST] for one in slugs]
    yield from filter(None, slugs)
    if slugs != exact or "" in slugs:
        yield hashlib.sha256("\0".join(exact).encode()).hexdigest()[:8]


def _read(path: Path) -> tuple[object, Node | None]:
    yaml = YAML(typ="safe", pure=True)
    try:
        text = path.read_text("utf-8-sig")
        return yaml.load(text), YAML(typ="safe", pure=True).compose(text)
    except OSError as error:
        raise CatalogError(
            f"{path.name}: cannot be read ({error.strerror}). Check the path."
        ) from error
    except UnicodeDecodeError as error:
        raise CatalogError(f"{path.name}: not UTF-8. Save it as UTF-8.") from error
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f"line {mark.line + 1}, column {mark.column + 1}" if mark else "file"
        problem = str(error.problem or error.context).strip().splitlines()[0]
        raise CatalogError(
            f"{path.name}: {place}: not readable as YAML: {problem}. Check colons, "
            "quotes and indentation there and on the line above."
        ) from error
    except (YAMLError, ValueError) as error:
        raise CatalogError(f"{path.name}: not readable as YAML: {error}") from error


def _faults(error: ValidationError, file: str, node: Node | None) -> Iterator[str]:
    seen: set[_Place] = set()
    for one in error.errors():
        place = _in_file(one["loc"], node)
        if place in seen:  # a union reports each of its types
            continue
        seen.add(place)
        line = _line(node, place)
        where = f"{file}: line {line}: " if line else f"{file}: "
        key = ".".join(str(step) for step in place)
        yield f"{where}{key or 'file'}: {_problem(one['type'], one['input'], place)}"


def _problem(kind: str, value: object, place: _Place) -> str:
    last = place[-1] if place else "file"
    if kind == "extra_forbidden":
        known = [*_File.model_fields, *Report.model_fields]
        near = get_close_matches(str(last), known, n=1)
        remedy = f"Did you mean {near[0]!r}?" if near else "Remove it."
        return f"unknown key. {remedy}"
    if kind == "missing":
        return f"the key {last!r} is missing. Add it."
    if kind == "string_pattern_mismatch":
        return "not a report id. Use lower-case letters, digits and underscores."
    if kind in {"too_short", "string_too_short"}:
        return f"is empty: {value!r}. Fill it."
    if len(place) > 1 and place[-2] in {"parameters", "defaults"}:
        return f"{value!r} is no text, number, true, false, null or list. Quote it."
    return f"{value!r} does not fit here. See the other entries for the form."


def _in_file(loc: _Place, node: Node | None) -> _Place:
    """Keep the steps that lead through the file, and a missing key at the end."""
    out: list[str | int] = []
    for position, step in enumerate(loc):
        child = _child(node, step)
        if child is None:
            plain = position == len(loc) - 1 and step != "[key]"
            known = {**_File.model_fields, **Report.model_fields}
            return (*out, step) if plain and step in known else tuple(out)
        out.append(step)
        node = child
    return tuple(out)


def _line(node: Node | None, place: _Place) -> int | None:
    line = None
    for step in place:
        if isinstance(node, MappingNode):
            for key, _ in node.value:
                if key.value == str(step):
                    line = key.start_mark.line + 1
        node = _child(node, step)
        if node is None:
            break
        if line is None or isinstance(step, int):
            line = node.start_mark.line + 1
    return line


def _child(node: Node | None, step: str | int) -> Node | None:
    if isinstance(node, MappingNode):
        found = [value for key, value in node.value if key.value == str(step)]
        return found[0] if found else None
    if isinstance(node, SequenceNode) and isinstance(step, int):
        return node.value[step] if step < len(node.value) else None
    return None
