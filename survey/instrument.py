"""The questionnaire as a typed, frozen value read from YAML.

`Instrument` holds everything the rest of the house needs to know: response scales,
items, scales, composites, forms, pages, texts and claims. Nothing else knows what
a particular questionnaire asks.
"""

from __future__ import annotations

import hashlib
import json
from functools import cached_property
from importlib.resources import files
from pathlib import Path
from typing import Self

from pydantic import Field, ValidationError, model_validator

from survey import checks, conditions, faults, yaml12
from survey.errors import Fault, InstrumentError, SurveyError
from survey.parts import (
    ChoiceItem,
    Claim,
    Code,
    Composite,
    Consent,
    Ending,
    Form,
    Item,
    Kind,
    Language,
    LikertItem,
    Name,
    NumberItem,
    Page,
    Part,
    ResponseScale,
    Safety,
    Scale,
    Text,
    TextItem,
)
from survey.paths import resolve

__all__ = [
    "ChoiceItem",
    "Claim",
    "Code",
    "Composite",
    "Instrument",
    "Item",
    "Kind",
    "LikertItem",
    "NumberItem",
    "Page",
    "ResponseScale",
    "Scale",
    "Text",
    "TextItem",
    "bundled",
]


class Instrument(Part):
    """A questionnaire: response scales, items in order, scales and all texts."""

    id: Name
    version: str = Field(pattern=r"^\d+\.\d+(\.\d+)?$")
    title: Text
    description: Text | None = None
    source: str | None = None
    license: str | None = None
    languages: tuple[Language, ...] = Field(default=("en",), min_length=1)
    consent: Consent | None = None
    introduction: Text | None = None
    end: Ending | None = None
    safety: Safety | None = None
    response_scales: tuple[ResponseScale, ...] = ()
    items: tuple[Item, ...] = Field(min_length=1)
    scales: tuple[Scale, ...] = ()
    composites: tuple[Composite, ...] = ()
    forms: tuple[Form, ...] = ()
    pages: tuple[Page, ...] = ()
    claims: tuple[Claim, ...] = ()

    @classmethod
    def load(cls, source: str | Path) -> Self:
        """Read an instrument: the id of a bundled one, or the path of a YAML file.

        Raises
        ------
        InstrumentError
            If the file is not a valid instrument; lists *every* fault with file,
            line, key, value and remedy.
        """
        return cls.from_document(yaml12.read(_locate(source)))

    @classmethod
    def from_document(cls, document: yaml12.Document) -> Self:
        """Build an instrument from a YAML document that was read already."""
        found = [*document.faults, *checks.find(document)]
        try:
            instrument = cls.model_validate(_tuples(document.value))
        except ValidationError as error:
            found += faults.from_pydantic(error, document, found)
            raise InstrumentError(faults.in_order(found)) from None
        if found:
            raise InstrumentError(faults.in_order(found))
        return instrument

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        document = yaml12.Document("instrument", self.model_dump(mode="json"))
        if found := checks.find(document):
            raise ValueError("; ".join(str(fault) for fault in found))
        return self

    @property
    def language(self) -> str:
        """The language the instrument was written in: the first one listed."""
        return self.languages[0]

    @cached_property
    def hash(self) -> str:
        """SHA-256 of the content, 64 hex digits; the layout of the file is no part."""
        content = self.model_dump(mode="json", exclude_defaults=True)
        text = json.dumps(content, sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(text.encode("utf-8")).hexdigest()

    @cached_property
    def item_ids(self) -> tuple[str, ...]:
        """Ids of all items, in order."""
        return tuple(item.id for item in self.items)

    @cached_property
    def _by_id(self) -> dict[str, LikertItem | ChoiceItem | NumberItem | TextItem]:
        return {item.id: item for item in self.items}

    @cached_property
    def _response_scales_by_id(self) -> dict[str, ResponseScale]:
        return {scale.id: scale for scale in self.response_scales}

    def item(self, item_id: str) -> LikertItem | ChoiceItem | NumberItem | TextItem:
        """Look an item up by its id."""
        return self._by_id[item_id]

    def scale(self, scale_id: str) -> Scale:
        """Look a scale up by its id."""
        return {scale.id: scale for scale in self.scales}[scale_id]

    def composite(self, composite_id: str) -> Composite:
        """Look a composite up by its id."""
        return {one.id: one for one in self.composites}[composite_id]

    def response_scale(self, scale_id: str) -> ResponseScale:
        """Look a response scale up by its id."""
        return self._response_scales_by_id[scale_id]

    def scales_of(self, kind: Kind) -> tuple[Scale, ...]:
        """All scales of one kind, in order."""
        return tuple(scale for scale in self.scales if scale.kind == kind)

    def codes(self, item_id: str) -> tuple[Code, ...]:
        """Answer codes of an item, in order; empty for numbers and texts."""
        item = self.item(item_id)
        if isinstance(item, LikertItem | ChoiceItem):
            return self.response_scale(item.response_scale).codes
        return ()

    def turning_sum(self, item_id: str) -> int | None:
        """First plus last code of a reversed item, None for any other.

        A reversed answer is turned round by taking it from this sum.
        """
        if not any(item_id in scale.reversed for scale in self.scales):
            return None
        whole = [code for code in self.codes(item_id) if isinstance(code, int)]
        return whole[0] + whole[-1]

    def missing_codes(self, item_id: str) -> tuple[int, ...]:
        """Codes of an item that stand for no answer."""
        item = self.item(item_id)
        if isinstance(item, LikertItem | ChoiceItem):
            return self.response_scale(item.response_scale).missing_codes
        return ()

    def form(self, form_id: str) -> Form:
        """Look a form up by its id."""
        return {form.id: form for form in self.all_forms}[form_id]

    @property
    def all_forms(self) -> tuple[Form, ...]:
        """The forms, or the one form with all items when none is written."""
        return self.forms or (Form(id="full", label="Full form"),)

    def form_items(self, form_id: str) -> tuple[str, ...]:
        """Items of a form, in the instrument's order."""
        items = self.form(form_id).items
        if items == "all":
            return self.item_ids
        return tuple(name for name in self.item_ids if name in items)

    @property
    def all_pages(self) -> tuple[Page, ...]:
        """The pages, or one page with all items when none is written."""
        return self.pages or (Page(id="page1", title=self.title, items=self.item_ids),)

    def shown_if(self, item_id: str) -> conditions.Condition | None:
        """When an item is shown: its own condition and its page's; None for always."""
        parts = [self.item(item_id).show_if]
        parts += [page.show_if for page in self.pages if item_id in page.items]
        parsed = tuple(conditions.parse(part) for part in parts if part)
        if len(parsed) > 1:
            return conditions.And(parsed)
        return parsed[0] if parsed else None

    def wording(self, text: Text | None, language: str | None = None) -> str:
        """Say `text` in `language`; in the first language where it is not translated.

        Raises
        ------
        SurveyError
            If the instrument does not have the language.
        """
        chosen = language or self.language
        if chosen not in self.languages:
            raise SurveyError(
                f"{self.id}: there is no language {chosen!r}. Choose one of "
                f"{', '.join(self.languages)}."
            )
        if text is None:
            return ""
        if isinstance(text, str):
            return text
        return text.get(chosen, text[self.language])

    def labels(self, language: str | None = None) -> dict[str, str]:
        """Words for every scale, composite and item."""
        names = [scale.id for scale in self.scales]
        names += [composite.id for composite in self.composites]
        return {name: self.label(name, language) for name in (*names, *self.item_ids)}

    def label(self, name: str, language: str | None = None) -> str:
        """Say what a scale, composite or item is called; an item says its text."""
        for group in (self.scales, self.composites):
            for one in group:
                if one.id == name:
                    return self.wording(one.label, language)
        return self.wording(self.item(name).text, language)

    def notices(self) -> tuple[str, ...]:
        """Say what is no fault but worth a second look."""
        out = []
        scaled = {name for scale in self.scales for name in scale.items}
        for item in self.items:
            unscaled = self.scales and item.id not in scaled
            if unscaled and isinstance(item, LikertItem) and item.expected is None:
                out.append(f"item {item.id} belongs to no scale")
            if isinstance(item.text, dict):
                absent = [x for x in self.languages if x not in item.text]
                if absent:
                    out.append(f"item {item.id} is not translated: {absent}")
            elif len(self.languages) > 1:
                out.append(f"item {item.id} has one text for all languages")
        for scale in self.scales:
            if len(scale.items) == 1:
                out.append(f"scale {scale.id} has one item: no reliability")
            elif not scale.reversed and len(scale.items) > 3:  # noqa: PLR2004
                out.append(f"scale {scale.id} has no reversed item")
        return tuple(out)


def bundled() -> tuple[str, ...]:
    """Ids of the instruments that come with the project."""
    folder = files("survey") / "instruments"
    return tuple(
        sorted(
            entry.name.removesuffix(".yaml")
            for entry in folder.iterdir()
            if entry.name.endswith(".yaml") and entry.name.count(".") == 1
        )
    )


def _locate(source: str | Path) -> Path:
    if isinstance(source, str) and source in bundled():
        return Path(str(files("survey") / "instruments" / f"{source}.yaml"))
    path = resolve(source)
    if path.is_file():
        return path
    problem = "there is no such file, and no bundled instrument has this id"
    remedy = f"Bundled are {', '.join(bundled())}; else give the path of a YAML file."
    raise InstrumentError([Fault(str(source), None, "file", problem, remedy)])


def _tuples(value: yaml12.Plain) -> object:
    """Turn lists into tuples: strict validation takes no list for a tuple."""
    if isinstance(value, list):
        return tuple(_tuples(one) for one in value)
    if isinstance(value, dict):
        return {key: _tuples(one) for key, one in value.items()}
    return value
