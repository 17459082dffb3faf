"""Which pages a person sees, with which items, in which order.

Decided here, on the server, from what was answered so far; the browser is told nothing
about what it does not show.
"""

from __future__ import annotations

import hashlib
import random
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from survey import conditions
from survey.conditions import holds_for
from survey.server.weight import cuts

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from survey.conditions import Condition, Value
    from survey.instrument import Instrument
    from survey.parts import ChoiceItem, LikertItem, NumberItem, Page, TextItem

    AnyItem = LikertItem | ChoiceItem | NumberItem | TextItem
    Orders = Mapping[str, tuple[str, ...]]


#: Letters of a part's id before its number, and of what tells long ids apart.
_STEM: Final = 27
_DIGEST: Final = 6


@dataclass(frozen=True, slots=True)
class Sheet:
    """A page as one person sees it.

    Attributes
    ----------
    page
        The page.
    items
        Its items that are shown, in the person's order.
    """

    page: Page
    items: tuple[AnyItem, ...]

    @property
    def sensitive(self) -> bool:
        """Whether it asks something that may not be safe to be seen with."""
        return any(item.safety for item in self.items)


@dataclass(frozen=True, slots=True, eq=False)
class Planner:
    """What one form of a questionnaire shows to whom.

    Attributes
    ----------
    instrument, form
        The questionnaire, and the id of the form.
    pages
        Pages that have items of the form; one that would be too heavy in parts, which
        are pages of their own: ``signs``, ``signs-2``.
    items
        Items of the form by page; all that may stand on it where they are shuffled.
    slots
        Which of the shuffled items stand on a page: the page that was cut, the first of
        them and the one after the last.
    refusals
        Codes of every item that stand for no answer.
    page_rules, item_rules
        When a page, and when an item, is shown; those always shown are left out.
    fixed
        Pages that show everyone the same items in the same order, by id.
    settled
        Pages to be sent until it is sure which others follow.
    """

    instrument: Instrument
    form: str
    pages: tuple[Page, ...]
    items: Mapping[str, tuple[str, ...]]
    slots: Mapping[str, tuple[str, int, int]]
    refusals: Mapping[str, frozenset[str]]
    page_rules: Mapping[str, Condition]
    item_rules: Mapping[str, Condition]
    fixed: Mapping[str, Sheet]
    settled: int

    @classmethod
    def of(cls, instrument: Instrument, form: str) -> Planner:
        """Read the conditions once."""
        fielded = set(instrument.form_items(form))
        pages: list[Page] = []
        items: dict[str, tuple[str, ...]] = {}
        slots: dict[str, tuple[str, int, int]] = {}
        for page in instrument.all_pages:
            names = tuple(name for name in page.items if name in fielded)
            for part, first, end in _parts(page, names, instrument):
                pages.append(part)
                items[part.id] = names if page.random_order else names[first:end]
                slots[part.id] = page.id, first, end
        item_rules = {
            item.id: conditions.parse(item.show_if)
            for item in instrument.items
            if item.show_if and item.id in fielded
        }
        page_rules = {p.id: conditions.parse(p.show_if) for p in pages if p.show_if}
        return cls(
            instrument,
            form,
            tuple(pages),
            items,
            slots,
            {
                item.id: frozenset(map(str, instrument.missing_codes(item.id)))
                for item in instrument.items
            },
            page_rules,
            item_rules,
            {
                page.id: Sheet(page, tuple(map(instrument.item, items[page.id])))
                for page in pages
                if not page.random_order
                and item_rules.keys().isdisjoint(items[page.id])
            },
            _settled([items[page.id] for page in pages], pages, page_rules, item_rules),
        )

    def place(self, page: str) -> int:
        """Count a page among all pages of the form, from 1; 1 for one that is none."""
        ids = [one.id for one in self.pages]
        return 1 + ids.index(page) if page in ids else 1

    def shuffled(self) -> dict[str, tuple[str, ...]]:
        """Draw a person's order of the items on pages that want one."""
        draw = random.Random(secrets.randbits(64))  # noqa: S311 - no secret
        out = {}
        for page in self.pages:
            whole, first, _ = self.slots[page.id]
            if page.random_order and first == 0:
                names = list(self.items[page.id])
                draw.shuffle(names)
                out[whole] = tuple(names)
        return out

    def sheets(
        self, answers: Mapping[str, str], wave: int, orders: Orders
    ) -> tuple[Sheet, ...]:
        """List the pages shown to someone who gave these answers."""
        known = self._context(answers, wave)
        out = []
        for page in self.pages:
            rule = self.page_rules.get(page.id)
            if rule is not None and not holds_for(rule, known):
                continue
            if page.id in self.fixed:
                out.append(self.fixed[page.id])
                continue
            names = self.items[page.id]
            if page.random_order:
                whole, first, end = self.slots[page.id]
                names = orders.get(whole, names)[first:end]
            shown = tuple(
                self.instrument.item(name)
                for name in names
                if name not in self.item_rules
                or holds_for(self.item_rules[name], known)
            )
            if shown:
                out.append(Sheet(page, shown))
        return tuple(out)

    def hidden(
        self, answers: Mapping[str, str], wave: int, orders: Orders
    ) -> tuple[str, ...]:
        """Name the items that have an answer but are not shown, given the others.

        What is hidden counts as unanswered, which may hide or show more.
        """
        kept = dict(answers)
        out: list[str] = []
        while True:
            shown = {
                i.id for sheet in self.sheets(kept, wave, orders) for i in sheet.items
            }
            gone = [name for name in kept if name not in shown]
            if not gone:
                return tuple(out)
            out += gone
            for name in gone:
                del kept[name]

    def _context(
        self, answers: Mapping[str, str], wave: int
    ) -> dict[str, Value | None]:
        """Answers as conditions see them: one that is refused is none."""
        known: dict[str, Value | None] = {"wave": wave}
        for name, value in answers.items():
            known[name] = None if value in self.refusals[name] else value
        return known


def _parts(
    page: Page, names: tuple[str, ...], instrument: Instrument
) -> Iterator[tuple[Page, int, int]]:
    """Cut a page into parts: the part, its first item, the one after its last."""
    for number, (first, end) in enumerate(cuts(page, names, instrument), 1):
        own = page.model_copy(update={"id": f"{_stem(page.id)}-{number}"})
        yield (page if number == 1 else own), first, end


def _stem(page: str) -> str:
    """Shorten a long id, so that a part's is no longer than a page's may be.

    No page has a hyphen in its id.
    """
    if len(page) <= _STEM:
        return page
    digest = hashlib.sha256(page.encode()).hexdigest()[:_DIGEST]
    return f"{page[: _STEM - _DIGEST - 1]}-{digest}"


def _settled(
    items: Sequence[Sequence[str]],
    pages: Sequence[Page],
    page_rules: Mapping[str, Condition],
    item_rules: Mapping[str, Condition],
) -> int:
    """Count the pages to be sent until it is sure which others follow."""
    asked: set[str] = set()
    for page, names in zip(pages, items, strict=True):
        if page.id in page_rules:
            asked |= {*conditions.names(page_rules[page.id])}
        if all(name in item_rules for name in names):
            asked |= {n for one in names for n in conditions.names(item_rules[one])}
    return max((k for k, here in enumerate(items, 1) if asked & {*here}), default=0)
