"""What a codebook says about scales, items and claims, before it has a form."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from survey.codebook.variables import page_of
from survey.instrument import ChoiceItem, LikertItem, NumberItem, TextItem

if TYPE_CHECKING:
    from survey.instrument import (
        Claim,
        Code,
        Composite,
        Instrument,
        Page,
        Scale,
        Text,
    )
    from survey.parts import Item

#: How the kinds of scales are called, in the order of the page.
KINDS: Final = {
    "sign": "Signs",
    "reason": "Reasons",
    "response": "Responses",
    "outcome": "Outcomes",
    None: "Scales",
}
_GOOD: Final = {
    True: "A high score is good news.",
    False: "A high score is bad news.",
    None: "",
}


@dataclass(frozen=True, slots=True)
class Option:
    """One answer: its code, what it says, and whether it is no answer."""

    code: Code
    label: Text
    missing: bool = False


@dataclass(frozen=True, slots=True)
class Variable:
    """One item as the codebook shows it.

    Attributes
    ----------
    item
        The item itself.
    options
        The answers to choose from; empty for numbers and texts.
    answer
        What is typed in, for numbers and texts: ``whole number, 18 to 110``.
    scales
        The scales it belongs to.
    turned
        How it is turned round before scoring, e.g. six minus it; empty if not.
    forms
        Ids of the forms that ask it, where not all do.
    """

    item: Item
    options: tuple[Option, ...]
    answer: str
    scales: tuple[Scale, ...]
    turned: str
    forms: tuple[str, ...]

    @property
    def expected(self) -> int | None:
        """The code an attentive person gives, for an attention check."""
        return self.item.expected if isinstance(self.item, LikertItem) else None

    @property
    def response_scale(self) -> str:
        """Id of its response scale; empty for numbers and texts."""
        if isinstance(self.item, LikertItem | ChoiceItem):
            return self.item.response_scale
        return ""

    @property
    def unit(self) -> Text | None:
        """The unit of a number."""
        return self.item.unit if isinstance(self.item, NumberItem) else None


@dataclass(frozen=True, slots=True)
class Scoring:
    """One scale or composite: the rule of its score, in words."""

    part: Scale | Composite
    rule: str
    reading: str


def counted(count: int, noun: str) -> str:
    """Say how many there are: ``1 item``, ``2 items``."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def variable(item: Item, instrument: Instrument) -> Variable:
    """Gather what the codebook shows of an item."""
    total = instrument.turning_sum(item.id)
    forms = [
        one.id for one in instrument.forms if item.id in instrument.form_items(one.id)
    ]
    everywhere = len(forms) == len(instrument.forms)
    return Variable(
        item=item,
        options=options_of(item, instrument),
        answer=_typed(item),
        scales=tuple(one for one in instrument.scales if item.id in one.items),
        turned="" if total is None else f"{total} \N{MINUS SIGN} answer",
        forms=() if everywhere else tuple(forms),
    )


def options_of(item: Item, instrument: Instrument) -> tuple[Option, ...]:
    """List the answers of an item, those that are no answer last."""
    if isinstance(item, LikertItem | ChoiceItem):
        return options(item.response_scale, instrument)
    return ()


def options(scale_id: str, instrument: Instrument) -> tuple[Option, ...]:
    """List the answers of a response scale, those that are no answer last."""
    scale = instrument.response_scale(scale_id)
    answers = [Option(code, label) for code, label in scale.options.items()]
    none = [Option(one.code, one.label, missing=True) for one in scale.missing]
    return (*answers, *none)


def used_by(scale_id: str, instrument: Instrument) -> tuple[str, ...]:
    """Name the items that are answered on a response scale."""
    return tuple(
        item.id
        for item in instrument.items
        if isinstance(item, LikertItem | ChoiceItem) and item.response_scale == scale_id
    )


def by_kind(instrument: Instrument) -> dict[str, tuple[Scoring, ...]]:
    """Group the scales by what they are in the theory."""
    out = {}
    for kind, name in KINDS.items():
        found = [one for one in instrument.scales if one.kind == kind]
        if found:
            out[name] = tuple(_scoring(one, instrument) for one in found)
    return out


def composites(instrument: Instrument) -> tuple[Scoring, ...]:
    """Say how each composite is scored."""
    return tuple(
        Scoring(
            one,
            f"Mean of {len(one.scales)} scale scores; needs at least {one.needed}.",
            _GOOD[one.desirable],
        )
        for one in instrument.composites
    )


def pages(instrument: Instrument) -> tuple[tuple[Page, tuple[Variable, ...]], ...]:
    """Give every page with its variables, in order."""
    every = [variable(item, instrument) for item in instrument.items]
    return tuple(
        (page, tuple(one for one in every if page_of(one.item.id, instrument) is page))
        for page in instrument.all_pages
    )


def claim_facts(claim: Claim) -> dict[str, tuple[str, ...]]:
    """Name the parts of a claim that are filled: scales, composites and items."""
    facts = {
        "About": claim.focal,
        "Compared with": claim.base,
        "Outcomes": claim.outcomes,
        "Adjusted for": claim.controls,
    }
    return {name: ids for name, ids in facts.items() if ids}


def _typed(item: Item) -> str:
    if isinstance(item, NumberItem):
        kind = "Whole number" if item.integer else "Number"
        return f"{kind}, {item.minimum:.10g} to {item.maximum:.10g}"
    if isinstance(item, TextItem):
        lines = "several lines" if item.multiline else "one line"
        return f"Own words, {lines}, up to {item.max_length} characters"
    return ""


def _scoring(scale: Scale, instrument: Instrument) -> Scoring:
    count = len(scale.items)
    if count == 1:
        rule = "The answer to one item."
    else:
        how = "Mean" if scale.scoring == "mean" else "Sum"
        needed = counted(scale.needed, "answer")
        rule = f"{how} of {count} items; needs at least {needed}."
        if scale.scoring == "sum":
            rule += f" With fewer than {count}, the mean of those given, times {count}."
    reading = [_span(scale, instrument), _GOOD[scale.desirable]]
    if scale.measurement == "formative":
        reading.append("The items are a checklist: they need not go together.")
    return Scoring(scale, rule, " ".join(part for part in reading if part))


def _span(scale: Scale, instrument: Instrument) -> str:
    """Say which scores are possible; nothing where the items have different ranges."""
    ends = set()
    for name in scale.items:
        item = instrument.item(name)
        if isinstance(item, NumberItem):
            ends.add((item.minimum, item.maximum))
        else:
            codes = [code for code in instrument.codes(name) if isinstance(code, int)]
            ends.add((min(codes), max(codes)))
    if len(ends) > 1:
        return ""
    low, high = ends.pop()
    times = len(scale.items) if scale.scoring == "sum" else 1
    return f"Scores run from {low * times:.10g} to {high * times:.10g}."
