"""What a researcher says about a file: which column is which, which word which code.

A mapping file is YAML; every key may be left out::

    columns: {Q1_1: av1, Q1_2: av2}    # their column: our item
    keys: {respondent: ResponseId}     # our key: their column
    codes: {agree5: {Agree: 4}}        # item or response scale: {their value: our code}
    missing: ["NA", "-99"]             # cells that are no answer
    absent: [comment]                  # items that were not asked
    constants: {wave: 1, form: short}  # the same in every row

and, for text, ``delimiter``, ``encoding``, ``decimal``; for a workbook, ``sheet``. A
file without a header has ``header: false`` and ``columns`` as a list by position. A
column set to ``-`` is kept under its own name, whatever that is. A value that is no
answer for some items only has no code: ``codes: {agree5: {"9": null}}``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Discriminator, Tag, ValidationError

from survey import yaml12
from survey.errors import Fault, InstrumentError, ResponsesError
from survey.faults import from_pydantic
from survey.paths import resolve
from survey.yaml12 import Document, Place, Plain

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

#: Written for a column that is not one of ours.
IGNORED = "-"


def _by(value: object) -> str:
    return "by position" if isinstance(value, list | tuple) else "by name"


ByName: TypeAlias = Annotated[dict[str, str | None], Tag("by name")]
ByPosition: TypeAlias = Annotated[tuple[str | None, ...], Tag("by position")]


class ColumnMapping(BaseModel):
    """The content of a mapping file; empty when there is none.

    Attributes
    ----------
    columns
        Their column to our item, key or ``seconds_<item>``; or ours by position.
    header
        False when the first row holds answers.
    keys
        Our key column to theirs.
    codes
        For an item or a response scale, their value to our code; None for no answer.
    missing
        Cells that mean that there is no answer, in every item and key.
    absent
        Items that were not asked.
    constants
        Key columns that are the same in every row.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    columns: Annotated[ByName | ByPosition, Discriminator(_by)] = {}
    header: bool = True
    keys: dict[str, str] = {}
    codes: dict[str, dict[str, int | float | str | None]] = {}
    missing: tuple[int | float | str, ...] = ()
    absent: tuple[str, ...] = ()
    constants: dict[str, int | str] = {}
    delimiter: str | None = None
    encoding: str | None = None
    decimal: Literal[".", ","] = "."
    sheet: str | None = None

    @property
    def targets(self) -> dict[str, str]:
        """Their column to ours, from `columns` and `keys`; ignored ones left out."""
        if isinstance(self.columns, tuple):
            return {}
        named = {
            theirs: ours
            for theirs, ours in self.columns.items()
            if ours is not None and ours != IGNORED
        }
        return named | {theirs: ours for ours, theirs in self.keys.items()}

    @property
    def ignored(self) -> frozenset[str]:
        """Their columns that are declared to be none of ours."""
        if isinstance(self.columns, tuple):
            return frozenset()
        return frozenset(
            theirs for theirs, ours in self.columns.items() if ours in {None, IGNORED}
        )


@dataclass(frozen=True, slots=True, eq=False)
class MappingFile:
    """A mapping and where everything in it stands.

    Attributes
    ----------
    content
        What the file says; keys with a fault are left out.
    document
        The YAML it was read from.
    faults
        What is wrong with single values.
    """

    content: ColumnMapping
    document: Document
    faults: tuple[Fault, ...] = ()

    def fault(self, place: Place, problem: str, remedy: str) -> Fault:
        """Describe a fault at `place`."""
        line = self.document.line(place)
        return Fault(self.document.file, line, yaml12.spell(place), problem, remedy)


def read(source: str | Path | Mapping[str, object] | None) -> MappingFile:
    """Read a mapping from a YAML file or take it from a dictionary.

    Raises
    ------
    ResponsesError
        If the file is not there, or is not YAML.
    """
    if source is None:
        return MappingFile(ColumnMapping(), Document("mapping", {}))
    document = (
        Document("mapping", _plain(source))
        if isinstance(source, Mapping)
        else _document(resolve(source))
    )
    if document.value is None:
        document.value = {}
    if not isinstance(document.value, dict):
        problem = f"holds {type(document.value).__name__}, not keys with values"
        fault = Fault(document.file, 1, "mapping", problem, "Begin as in `columns:`.")
        raise refused([fault])
    return _typed(document, document.value)


def refused(faults: Sequence[Fault]) -> ResponsesError:
    """Turn faults into the error that lists them, in the order of the file."""
    unique = sorted(dict.fromkeys(faults), key=lambda fault: fault.line or 0)
    return ResponsesError("\n".join(str(fault) for fault in unique))


def _document(path: Path) -> Document:
    try:
        return yaml12.read(path)
    except InstrumentError as error:
        raise refused(error.faults) from error


def _typed(document: Document, value: dict[str, Plain]) -> MappingFile:
    """Type what can be typed, so that one fault does not hide the others."""
    given = {key: _tuples(one) for key, one in value.items() if one is not None}
    faults = list(document.faults)
    try:
        content = ColumnMapping.model_validate(given)
    except ValidationError as error:
        found = from_pydantic(error, document)
        wrong = {str(one["loc"][0]) for one in error.errors()}
        faults += [_reworded(fault) for fault in found]
        rest = {key: one for key, one in given.items() if key not in wrong}
        content = ColumnMapping.model_validate(rest)
    return MappingFile(content, document, tuple(faults))


def _reworded(fault: Fault) -> Fault:
    if "unknown key" in fault.problem:
        known = ", ".join(ColumnMapping.model_fields)
        remedy = f"Known are {known}."
    elif "CONTRIBUTING" in fault.remedy:
        remedy = "Write it as in the description of mapping files."
    else:
        return fault
    return Fault(fault.file, fault.line, fault.key, fault.problem, remedy)


def _plain(value: object) -> Plain:
    """Make a dictionary from Python what it would be if read from YAML."""
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if value is None or isinstance(value, bool | int | float | str):
        return value
    return str(value)


def _tuples(value: Plain) -> object:
    """Turn lists into tuples: strict validation takes no list for a tuple."""
    return tuple(value) if isinstance(value, list) else value
