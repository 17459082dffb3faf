"""What is wrong with a mapping, against the instrument and the kind of file."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

from survey.collect.mapping import IGNORED
from survey.collect.table import spelled
from survey.faults import KEYS
from survey.instrument import NumberItem, TextItem

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from survey.collect.content import Kind
    from survey.collect.mapping import MappingFile
    from survey.errors import Fault
    from survey.instrument import Instrument

_FITS: dict[str, tuple[Kind, ...]] = {
    "delimiter": ("text",),
    "encoding": ("text", "spss", "stata"),
    "decimal": ("text", "workbook"),
    "sheet": ("workbook",),
    "header": ("text", "workbook"),
}


def is_ours(name: str, instrument: Instrument) -> bool:
    """Tell whether `name` is an item, a key or the time spent on an item."""
    return name in KEYS or name.removeprefix("seconds_") in instrument.item_ids


def find(file: MappingFile, instrument: Instrument, kind: Kind) -> list[Fault]:
    """List every fault that can be seen before the table is read."""
    return [*file.faults, *_Checker(file, instrument).faults(kind)]


class _Checker:
    """Checks of one mapping."""

    def __init__(self, file: MappingFile, instrument: Instrument) -> None:
        self.file = file
        self.mapping = file.content
        self.instrument = instrument
        self.names = [*instrument.item_ids, *KEYS]

    def faults(self, kind: Kind) -> Iterator[Fault]:
        """Run every check."""
        yield from self._settings(kind)
        yield from self._columns()
        yield from self._keys()
        yield from self._twice()
        yield from self._codes()
        yield from self._missing()
        yield from self._absent()
        yield from self._constants()

    def _settings(self, kind: Kind) -> Iterator[Fault]:
        for key, kinds in _FITS.items():
            if key in self.mapping.model_fields_set and kind not in kinds:
                problem = f"says nothing about a file of the kind {kind}"
                yield self.file.fault((key,), problem, "Remove it.")
        delimiter, encoding = self.mapping.delimiter, self.mapping.encoding
        if delimiter is not None and (
            delimiter not in {"tab", "\t"}
            and (len(delimiter) != 1 or delimiter in '"\r\n')
        ):
            problem = f"{delimiter!r} is not one character that can stand between cells"
            yield self.file.fault(
                ("delimiter",), problem, "Write one, e.g. ';' or tab."
            )
        if encoding is not None and not _is_encoding(encoding):
            problem = f"{encoding!r} is no encoding that is known"
            remedy = "Write utf-8, cp1252, latin-1 or utf-16."
            yield self.file.fault(("encoding",), problem, remedy)
        by_position = isinstance(self.mapping.columns, tuple)
        if by_position and self.mapping.header:
            problem = "columns are listed by position, but the file has a header"
            remedy = "Write `header: false`, or write {their column: our item}."
            yield self.file.fault(("columns",), problem, remedy)
        if not self.mapping.header and not by_position:
            problem = "there is no header, so columns have no names to go by"
            remedy = "List all columns by position, `-` for those to leave out."
            yield self.file.fault(("header",), problem, remedy)
        if not self.mapping.header and self.mapping.keys:
            problem = "there is no header, so columns have no names to go by"
            yield self.file.fault(("keys",), problem, "Put them into the list columns.")

    def _columns(self) -> Iterator[Fault]:
        columns = self.mapping.columns
        rows = enumerate(columns) if isinstance(columns, tuple) else columns.items()
        for place, ours in rows:
            if ours in {None, IGNORED} or is_ours(str(ours), self.instrument):
                continue
            problem = f"{ours!r} is neither an item of the instrument nor a key"
            remedy = self._nearest(str(ours), self.names)
            yield self.file.fault(("columns", place), problem, remedy)

    def _keys(self) -> Iterator[Fault]:
        for ours in self.mapping.keys:
            if ours not in KEYS:
                problem = f"{ours!r} is no key column"
                remedy = f"Keys are {', '.join(KEYS)}; items belong under columns."
                yield self.file.fault(("keys", ours), problem, remedy)

    def _twice(self) -> Iterator[Fault]:
        """Find columns mapped twice, and items that two columns are mapped to."""
        mapped, pairs = self.mapping.columns, list[tuple[str, str, str | int]]()
        if isinstance(mapped, tuple):
            pairs += [("columns", str(o or IGNORED), i) for i, o in enumerate(mapped)]
        else:
            pairs += [("columns", str(o or IGNORED), t) for t, o in mapped.items()]
        pairs += [("keys", ours, ours) for ours in self.mapping.keys]
        seen: dict[str, str | int] = {}
        for group, ours, place in pairs:
            if ours in seen and ours != IGNORED:
                problem = f"a second column is mapped to {ours!r}"
                remedy = "Keep the one that holds the answers."
                yield self.file.fault((group, place), problem, remedy)
            seen[ours] = place
        taken = dict.fromkeys(mapped) if isinstance(mapped, dict) else {}
        for ours, theirs in self.mapping.keys.items():
            if theirs in taken:
                problem = f"the column {theirs!r} is mapped twice"
                yield self.file.fault(("keys", ours), problem, "Keep one of the two.")
            taken[theirs] = None

    def _codes(self) -> Iterator[Fault]:
        scales = {scale.id: scale for scale in self.instrument.response_scales}
        for name, words in self.mapping.codes.items():
            if name in self.instrument.item_ids:
                yield from self._item_codes(name, words)
                if name in scales and self._shared(name):
                    problem = f"{name!r} is an item and a response scale of other items"
                    remedy = "Map each of the scale's items by its own id."
                    yield self.file.fault(("codes", name), problem, remedy)
            elif name in scales:
                known = [*scales[name].codes, *scales[name].missing_codes]
                yield from self._known_codes(name, words, known)
            else:
                problem = f"{name!r} is neither an item nor a response scale"
                remedy = self._nearest(name, [*scales, *self.instrument.item_ids])
                yield self.file.fault(("codes", name), problem, remedy)

    def _shared(self, scale_id: str) -> bool:
        """Tell whether other items than its namesake use the response scale."""
        return any(
            getattr(item, "response_scale", None) == scale_id
            for item in self.instrument.items
            if item.id != scale_id
        )

    def _item_codes(
        self, name: str, words: dict[str, int | float | str | None]
    ) -> Iterator[Fault]:
        item = self.instrument.item(name)
        if isinstance(item, TextItem):
            problem = f"{name!r} is answered in words and has no codes"
            yield self.file.fault(("codes", name), problem, "Remove it.")
        elif isinstance(item, NumberItem):
            for word, value in words.items():
                if isinstance(value, str) or (
                    value is not None and not item.minimum <= value <= item.maximum
                ):
                    problem = (
                        f"{value!r} is not in [{item.minimum:g}, {item.maximum:g}]"
                    )
                    place = ("codes", name, word)
                    yield self.file.fault(
                        place, problem, "Write a number in the range."
                    )
        else:
            known = [*self.instrument.codes(name), *self.instrument.missing_codes(name)]
            yield from self._known_codes(name, words, known)

    def _known_codes(
        self,
        name: str,
        words: dict[str, int | float | str | None],
        known: Sequence[int | str],
    ) -> Iterator[Fault]:
        for word, code in words.items():
            if code is not None and code not in known:
                problem = f"{code!r} is no code of {name!r}"
                remedy = f"Codes are {', '.join(map(repr, known))}."
                yield self.file.fault(("codes", name, word), problem, remedy)

    def _missing(self) -> Iterator[Fault]:
        for position, value in enumerate(self.mapping.missing):
            if holder := self._who_answers(spelled(value)):
                problem = f"{value!r} is an answer to {holder!r}"
                remedy = (
                    "Say for which items it is none, as in "
                    f"`codes: {{<response scale>: {{{spelled(value)!r}: null}}}}`."
                )
                yield self.file.fault(("missing", position), problem, remedy)

    def _who_answers(self, value: str) -> str | None:
        """Name an item that takes `value` as an answer."""
        for item in self.instrument.items:
            if isinstance(item, NumberItem):
                if _is_within(value, item):
                    return item.id
            elif not isinstance(item, TextItem):
                codes = self.instrument.codes(item.id)
                missing = self.instrument.missing_codes(item.id)
                if value in map(str, (*codes, *missing)):
                    return item.id
        return None

    def _absent(self) -> Iterator[Fault]:
        mapped = set(self.mapping.targets.values())
        if isinstance(self.mapping.columns, tuple):
            mapped |= {name for name in self.mapping.columns if name is not None}
        for position, name in enumerate(self.mapping.absent):
            place = ("absent", position)
            if name not in self.instrument.item_ids:
                problem = f"{name!r} is no item of the instrument"
                remedy = self._nearest(name, self.instrument.item_ids)
                yield self.file.fault(place, problem, remedy)
            elif name in mapped:
                problem = f"{name!r} is declared absent, but a column is mapped to it"
                yield self.file.fault(place, problem, "Keep one of the two.")

    def _constants(self) -> Iterator[Fault]:
        forms = [form.id for form in self.instrument.all_forms]
        allowed = {"form": forms, "language": list(self.instrument.languages)}
        for key, value in self.mapping.constants.items():
            place = ("constants", key)
            if key not in KEYS or key == "respondent":
                problem = f"{key!r} cannot be the same in every row"
                remedy = f"Constants are {', '.join(KEYS[1:])}."
                yield self.file.fault(place, problem, remedy)
            elif key in self.mapping.targets.values():
                problem = f"{key!r} is a constant and a column as well"
                yield self.file.fault(place, problem, "Keep one of the two.")
            elif key in allowed and value not in allowed[key]:
                problem = f"{value!r} is unknown"
                remedy = f"Known are {', '.join(allowed[key])}."
                yield self.file.fault(place, problem, remedy)
            elif key == "wave" and not (isinstance(value, int) and value >= 1):
                problem = f"{value!r} is no wave"
                yield self.file.fault(place, problem, "Write a whole number from 1.")

    @staticmethod
    def _nearest(name: str, known: Sequence[str]) -> str:
        near = get_close_matches(name, known, n=1)
        return f"Did you mean {near[0]!r}?" if near else "Correct the name."


def _is_within(value: str, item: NumberItem) -> bool:
    try:
        number = float(value)
    except ValueError:
        return False
    return item.minimum <= number <= item.maximum


def _is_encoding(name: str) -> bool:
    try:
        "a".encode(name)
    except LookupError:
        return False
    return True
