"""Checks of an instrument that look from one place to another.

They read the plain document and not the typed model, so that a fault in one place does
not hide those in another.
"""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import TYPE_CHECKING, TypeAlias

from survey import conditions, translations
from survey.errors import ConditionError, Fault
from survey.faults import KEYS, RESERVED
from survey.faults import name as name_place
from survey.yaml12 import Document, Place, Plain

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Rows: TypeAlias = list[tuple[int, dict[str, Plain]]]

_CODE = re.compile(r"^[a-z0-9]{1,5}$")


def find(document: Document) -> list[Fault]:
    """Check everything that one field alone cannot show."""
    return list(_Checker(document).faults())


class _Checker:
    """Checks of one document that look from one place to another."""

    def __init__(self, document: Document) -> None:
        self.document = document
        value = document.value
        self.root: dict[str, Plain] = value if isinstance(value, dict) else {}
        self.items = self._rows("items")
        self.scales = self._rows("scales")
        self.composites = self._rows("composites")
        self.response_scales = self._rows("response_scales")
        self.item_ids = self._ids(self.items)
        self.asked = {name: position for position, name in enumerate(self.item_ids)}

    def faults(self) -> Iterator[Fault]:
        """Run every check."""
        if not isinstance(self.document.value, dict):
            yield self._fault(
                (), "the file holds no instrument", "Begin with the keys id and version"
            )
            return
        yield from self._unique_ids()
        yield from self._names()
        yield from self._response_scales()
        yield from self._items()
        yield from self._scales()
        yield from self._composites()
        yield from self._forms()
        yield from self._pages()
        yield from self._show_if()
        listed = self._strings(self.root.get("languages")) or ["en"]
        yield from self._listed_once(("languages",), listed)
        for place, problem, remedy in translations.find(self.root, listed):
            yield self._fault(place, problem, remedy)
        yield from self._safety()
        yield from self._claims()

    def _rows(self, key: str) -> Rows:
        value = self.root.get(key)
        if not isinstance(value, list):
            return []
        return [(i, one) for i, one in enumerate(value) if isinstance(one, dict)]

    @staticmethod
    def _ids(rows: Rows) -> list[str]:
        return [str(one["id"]) for _, one in rows if "id" in one]

    @staticmethod
    def _strings(value: Plain) -> list[str]:
        return [str(one) for one in value] if isinstance(value, list) else []

    def _fault(self, place: Place, problem: str, remedy: str) -> Fault:
        return Fault(
            self.document.file,
            self.document.line(place),
            name_place(place, self.root),
            problem,
            remedy if remedy.endswith((".", "?")) else f"{remedy}.",
        )

    def _nearest(self, name: str, known: Sequence[str]) -> str:
        near = get_close_matches(name, known, n=1)
        return f"Did you mean {near[0]!r}?" if near else "Add it or correct the id."

    def _unique_ids(self) -> Iterator[Fault]:
        for key in ("response_scales", "items", "scales", "composites", "forms"):
            yield from self._unique(key)
        for key in ("pages", "claims"):
            yield from self._unique(key)
        taken = set(self.item_ids)
        for key in ("scales", "composites"):
            for i, one in self._rows(key):
                name = str(one.get("id"))
                if name in taken:
                    problem = f"the id {name!r} is used already by an item or a scale"
                    yield self._fault((key, i, "id"), problem, "Choose another id")
                taken.add(name)

    def _unique(self, key: str) -> Iterator[Fault]:
        first: dict[str, int] = {}
        for i, one in self._rows(key):
            name = str(one.get("id"))
            if name in first:
                line = self.document.line((key, first[name]))
                where = f", first on line {line}" if line else ""
                problem = f"the id {name!r} stands twice{where}"
                yield self._fault((key, i, "id"), problem, "Give each its own id")
            first.setdefault(name, i)

    def _names(self) -> Iterator[Fault]:
        for i, one in self.items:
            if str(one.get("id")) in RESERVED:
                problem = f"the id {one['id']!r} is reserved on at least one platform"
                yield self._fault(("items", i, "id"), problem, "Choose another id")
        for key in ("scales", "composites"):
            for i, one in self._rows(key):
                if str(one.get("id")) in KEYS:
                    problem = f"the id {one['id']!r} names a column of every table"
                    yield self._fault((key, i, "id"), problem, "Choose another id")

    def _response_scales(self) -> Iterator[Fault]:
        for i, one in self.response_scales:
            here: Place = ("response_scales", i)
            labels, codes = one.get("labels"), one.get("codes")
            if not isinstance(codes, list) or not codes:
                number = len(labels) if isinstance(labels, list) else 0
                codes = list(range(1, number + 1))
            elif isinstance(labels, list) and len(labels) != len(codes):
                problem = f"{len(codes)} codes for {len(labels)} labels"
                yield self._fault((*here, "codes"), problem, "Write one code a label")
            for code in codes:
                typed = isinstance(code, int | str) and not isinstance(code, bool)
                if typed and not _CODE.match(str(code)):
                    yield self._fault(
                        (*here, "codes"),
                        f"the code {code!r} does not survive every platform",
                        "Use 1 to 5 lower-case letters or digits, no sign or point",
                    )
            missing = one.get("missing")
            rows = missing if isinstance(missing, list) else []
            extra = [row.get("code") for row in rows if isinstance(row, dict)]
            if double := _twice([*codes, *extra]):
                problem = f"the code(s) {double} stand for two options"
                yield self._fault(here, problem, "Give each option its own code")
            yield from self._same_labels(here, labels)
            for code in extra:
                if isinstance(code, int) and not _CODE.match(str(code)):
                    problem = (
                        f"the missing code {code!r} does not survive every platform"
                    )
                    yield self._fault((*here, "missing"), problem, "Use 9 or 99")

    def _same_labels(self, here: Place, labels: Plain) -> Iterator[Fault]:
        for language in self._strings(self.root.get("languages")) or ["en"]:
            if double := _twice(_in_language(labels, language)):
                problem = f"two options have the same label: {double}"
                yield self._fault((*here, "labels"), problem, "Tell them apart")
                return

    def _items(self) -> Iterator[Fault]:
        known = {str(one.get("id")): one for _, one in self.response_scales}
        for i, one in self.items:
            here: Place = ("items", i)
            if one.get("type") == "number":
                yield from self._range(here, one)
            name = one.get("response_scale")
            coded = one.get("type") in ("likert", "choice")
            if not coded or not isinstance(name, str):
                continue
            if name not in known:
                problem = f"unknown response scale {name!r}"
                remedy = self._nearest(name, list(known))
                yield self._fault((*here, "response_scale"), problem, remedy)
                continue
            yield from self._codes_fit(here, one, known[name])

    def _range(self, here: Place, one: dict[str, Plain]) -> Iterator[Fault]:
        low, high = one.get("minimum"), one.get("maximum")
        if not (isinstance(low, int | float) and isinstance(high, int | float)):
            return
        if not low < high:
            problem = f"minimum {low} is not below maximum {high}"
            yield self._fault((*here, "minimum"), problem, "Exchange or correct them")
        elif one.get("integer") is True and not float(low).is_integer():
            problem = f"minimum {low} of whole numbers is no whole number"
            yield self._fault((*here, "minimum"), problem, "Round it")
        elif one.get("integer") is True and not float(high).is_integer():
            problem = f"maximum {high} of whole numbers is no whole number"
            yield self._fault((*here, "maximum"), problem, "Round it")

    def _codes_fit(
        self, here: Place, one: dict[str, Plain], scale: dict[str, Plain]
    ) -> Iterator[Fault]:
        codes = self._codes_of(scale)
        if one.get("type") == "likert":
            if not all(isinstance(c, int) and not isinstance(c, bool) for c in codes):
                problem = f"response scale {scale['id']!r} has codes {codes}"
                yield self._fault(
                    (*here, "response_scale"),
                    problem,
                    "A likert item needs whole numbers; use type: choice otherwise",
                )
            elif list(codes) != sorted(codes):  # type: ignore[type-var]
                problem = f"codes of {scale['id']!r} are not in rising order: {codes}"
                yield self._fault(
                    (*here, "response_scale"), problem, "Order labels by their codes"
                )
        expected = one.get("expected")
        if expected is not None and expected not in codes:
            problem = f"expects {expected!r}, which is no code of {scale['id']!r}"
            yield self._fault((*here, "expected"), problem, f"Use one of {codes}")

    @staticmethod
    def _codes_of(scale: dict[str, Plain]) -> list[Plain]:
        codes, labels = scale.get("codes"), scale.get("labels")
        if isinstance(codes, list) and codes:
            return codes
        return list(range(1, len(labels) + 1)) if isinstance(labels, list) else []

    def _scales(self) -> Iterator[Fault]:
        types = {str(one.get("id")): one.get("type") for _, one in self.items}
        for i, one in self.scales:
            here: Place = ("scales", i)
            items = self._strings(one.get("items"))
            for name in items:
                if name not in types:
                    problem = f"lists the unknown item {name!r}"
                    remedy = self._nearest(name, self.item_ids)
                    yield self._fault((*here, "items"), problem, remedy)
                elif types[name] in ("choice", "text"):
                    problem = f"the item {name!r} is a {types[name]} item"
                    remedy = "Only likert and number items can be scored"
                    yield self._fault((*here, "items"), problem, remedy)
            yield from self._listed_once((*here, "items"), items)
            yield from self._reversed(here, one, items, types)
            needed = one.get("min_answered")
            if isinstance(needed, int) and items and needed > len(items):
                problem = f"needs {needed} answers but has {len(items)} items"
                yield self._fault((*here, "min_answered"), problem, "Lower the number")

    def _reversed(
        self,
        here: Place,
        one: dict[str, Plain],
        items: list[str],
        types: dict[str, Plain],
    ) -> Iterator[Fault]:
        turned = self._strings(one.get("reversed"))
        if stray := sorted(set(turned) - set(items)):
            problem = f"reverses items it does not contain: {stray}"
            remedy = "Add them to its items or correct the id"
            yield self._fault((*here, "reversed"), problem, remedy)
        for name in sorted(set(turned) & set(items)):
            others = [
                str(other.get("id"))
                for _, other in self.scales
                if other is not one
                and name in self._strings(other.get("items"))
                and name not in self._strings(other.get("reversed"))
            ]
            if others:
                problem = f"reverses {name!r}, which {others} contain unreversed"
                remedy = "Key an item the same way in every scale"
                yield self._fault((*here, "reversed"), problem, remedy)
            if types.get(name) == "number":
                problem = f"reverses the number item {name!r}"
                remedy = "Only likert items can be reversed"
                yield self._fault((*here, "reversed"), problem, remedy)

    def _composites(self) -> Iterator[Fault]:
        known = self._ids(self.scales)
        for i, one in self.composites:
            here: Place = ("composites", i)
            scales = self._strings(one.get("scales"))
            for name in scales:
                if name not in known:
                    problem = f"lists the unknown scale {name!r}"
                    remedy = self._nearest(name, known)
                    yield self._fault((*here, "scales"), problem, remedy)
            yield from self._listed_once((*here, "scales"), scales)
            needed = one.get("min_scales")
            if isinstance(needed, int) and scales and needed > len(scales):
                problem = f"needs {needed} scale scores but has {len(scales)} scales"
                yield self._fault((*here, "min_scales"), problem, "Lower the number")

    def _listed_once(self, place: Place, names: list[str]) -> Iterator[Fault]:
        if double := _twice(names):
            yield self._fault(place, f"lists twice: {double}", "List each once")

    def _forms(self) -> Iterator[Fault]:
        for i, one in self._rows("forms"):
            items = self._strings(one.get("items"))
            if one.get("items") == []:
                problem, remedy = "the form has no item", "Write all, or list items"
                yield self._fault(("forms", i, "items"), problem, remedy)
            yield from self._listed_once(("forms", i, "items"), items)
            for name in items:
                if name not in self.asked:
                    problem = f"lists the unknown item {name!r}"
                    remedy = self._nearest(name, self.item_ids)
                    yield self._fault(("forms", i, "items"), problem, remedy)

    def _pages(self) -> Iterator[Fault]:
        pages = self._rows("pages")
        if not pages:
            return
        order: list[str] = []
        for i, one in pages:
            for name in self._strings(one.get("items")):
                if name not in self.asked:
                    problem = f"shows the unknown item {name!r}"
                    remedy = self._nearest(name, self.item_ids)
                    yield self._fault(("pages", i, "items"), problem, remedy)
                elif name in order:
                    problem = f"shows {name!r}, which was shown already"
                    yield self._fault(("pages", i, "items"), problem, "Show it once")
                else:
                    order.append(name)
        if absent := [name for name in self.item_ids if name not in order]:
            problem = f"no page shows {absent}"
            yield self._fault(("pages",), problem, "Put each item on a page")
        if not absent and order != self.item_ids:
            first = next(a for a, b in zip(order, self.item_ids, strict=True) if a != b)
            problem = f"items stand in another order than on the pages, from {first!r}"
            yield self._fault(("pages",), problem, "Use one order in both places")

    def _show_if(self) -> Iterator[Fault]:
        asks: dict[str, set[str]] = {}
        for i, one in self.items:
            place: Place = ("items", i, "show_if")
            names, found = self._condition(one.get("show_if"), place)
            yield from found
            asks[str(one.get("id"))] = names
        for i, one in self.items:
            yield from self._direction(str(one.get("id")), i, asks)
        for i, page in self._rows("pages"):
            place = ("pages", i, "show_if")
            names, found = self._condition(page.get("show_if"), place)
            yield from found
            first = min(
                (self.asked.get(n, 0) for n in self._strings(page.get("items"))),
                default=0,
            )
            for name in sorted(names):
                if self.asked.get(name, -1) >= first:
                    problem = f"asks about {name!r}, which comes on or after this page"
                    yield self._fault(place, problem, "Ask about an earlier item")

    def _direction(
        self, name: str, i: int, asks: dict[str, set[str]]
    ) -> Iterator[Fault]:
        place: Place = ("items", i, "show_if")
        if cycle := _cycle(name, asks):
            if len(cycle) == 2:  # noqa: PLR2004 - from itself to itself
                problem = "the item is shown only if it is answered itself"
                yield self._fault(place, problem, "Ask about an earlier item")
                return
            problem = f"show-if goes in a circle: {' -> '.join(cycle)}"
            yield self._fault(place, problem, "Break the circle at one of them")
            return
        for other in sorted(asks[name]):
            if self.asked.get(other, -1) > self.asked.get(name, 0):
                problem = f"asks about {other!r}, which comes later"
                remedy = "Ask about an earlier item or move one of the two"
                yield self._fault(place, problem, remedy)

    def _condition(self, text: Plain, place: Place) -> tuple[set[str], list[Fault]]:
        """Parse one condition; give the items it names and what is wrong with it."""
        if not isinstance(text, str):
            return set(), []
        try:
            condition = conditions.parse(text)
        except ConditionError as error:
            problem = " ".join(str(error).split("\n")[0].split())
            found = self._fault(
                place,
                f"{problem} in {text!r}",
                "Write it as in: age >= 18 and kind == 2",
            )
            return set(), [found]
        found_faults = [
            self._fault(
                place,
                f"asks about the unknown item {name!r}",
                self._nearest(name, self.item_ids),
            )
            for name in conditions.names(condition)
            if name not in self.asked and name != "wave"
        ]
        for name, value in conditions.comparisons(condition):
            codes = self._codes_for(name)
            if codes and value not in codes:
                problem = f"compares {name!r} with {value!r}, which is no code of it"
                remedy = f"Use one of {codes}"
            elif isinstance(value, str) and self._is_number(name):
                problem = f"compares the number {name!r} with the text {value!r}"
                remedy = "Write a number without quotes"
            else:
                continue
            found_faults.append(self._fault(place, problem, remedy))
        known = {n for n in conditions.names(condition) if n in self.asked}
        return known, found_faults

    def _is_number(self, name: str) -> bool:
        types = {one.get("id"): one.get("type") for _, one in self.items}
        return name == "wave" or types.get(name) == "number"

    def _codes_for(self, name: str) -> list[Plain]:
        scales = {str(one.get("id")): one for _, one in self.response_scales}
        for _, one in self.items:
            if one.get("id") == name:
                scale = scales.get(str(one.get("response_scale")), {})
                missing = scale.get("missing")
                rows = missing if isinstance(missing, list) else []
                extra = [row.get("code") for row in rows if isinstance(row, dict)]
                return [*self._codes_of(scale), *extra]
        return []

    def _safety(self) -> Iterator[Fault]:
        flagged = [str(one.get("id")) for _, one in self.items if one.get("safety")]
        end = self.root.get("end")
        support = end.get("support") if isinstance(end, dict) else None
        if flagged and not self.root.get("safety"):
            problem = f"items {flagged} touch on safety but there is no safety section"
            remedy = "Add safety with note, leave_label and leave_url"
            yield self._fault(("items",), problem, remedy)
        if flagged and not support:
            problem = f"items {flagged} touch on safety but the end names no support"
            yield self._fault(("items",), problem, "Add end.support")

    def _claims(self) -> Iterator[Fault]:
        known = [*self._ids(self.scales), *self._ids(self.composites)]
        for i, one in self._rows("claims"):
            for key in ("focal", "base", "outcomes"):
                for name in self._strings(one.get(key)):
                    if name not in known:
                        problem = f"speaks of the unknown scale {name!r}"
                        remedy = self._nearest(name, known)
                        yield self._fault(("claims", i, key), problem, remedy)
            for name in self._strings(one.get("controls")):
                if name not in self.asked:
                    problem = f"adjusts for the unknown item {name!r}"
                    remedy = self._nearest(name, self.item_ids)
                    yield self._fault(("claims", i, "controls"), problem, remedy)
            _, found = self._condition(one.get("event"), ("claims", i, "event"))
            yield from found
            yield from self._claim_needs(i, one)

    def _claim_needs(self, i: int, one: dict[str, Plain]) -> Iterator[Fault]:
        """Check that a claim names what its analysis works on."""
        analysis = one.get("analysis")
        if not isinstance(analysis, str):
            return
        for key in _CLAIM_NEEDS.get(analysis, ()):
            if not one.get(key):
                problem = f"analysis: {analysis} needs {key!r}"
                yield self._fault(("claims", i), problem, f"Add {key!r}")
        base = one.get("base")
        if analysis == "moderation" and isinstance(base, list) and len(base) > 1:
            problem = f"analysis: moderation takes one base, found {base}"
            yield self._fault(("claims", i, "base"), problem, "Keep one of them")
        if analysis == "consequences" and not (one.get("outcomes") or one.get("event")):
            problem = "analysis: consequences needs 'outcomes' or 'event'"
            yield self._fault(("claims", i), problem, "Add one of them")


def _twice(values: Sequence[Plain]) -> list[str]:
    """Name the values that stand more than once."""
    words = [str(one) for one in values]
    return sorted({word for word in words if words.count(word) > 1})


#: Keys a claim must have beside `focal`, by analysis.
_CLAIM_NEEDS = {
    "associations": ("outcomes",),
    "moderation": ("base", "outcomes"),
    "two_way": ("outcomes",),
    "incremental": ("base", "outcomes"),
    "diagnostic": ("event",),
    "prospective": ("outcomes",),
}


def _in_language(labels: Plain, language: str) -> list[str]:
    """List the labels as they are read in one language."""
    rows = labels if isinstance(labels, list) else []
    texts = [one.get(language) if isinstance(one, dict) else one for one in rows]
    return [text for text in texts if isinstance(text, str)]


def _cycle(start: str, asks: dict[str, set[str]]) -> list[str]:
    """Find a way from `start` back to itself."""
    ways = [[start]]
    seen: set[str] = set()
    while ways:
        way = ways.pop()
        for name in sorted(asks.get(way[-1], ())):
            if name == start:
                return [*way, start]
            if name not in seen:
                seen.add(name)
                ways.append([*way, name])
    return []
