"""Which pages a person sees, with which items, in which order.

Decided here, on the server, from what was answered so far; the browser is told nothing
about what it does not show.
"""

from __future__ import annotations

import random
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

from survey import conditions
from survey.conditions import holds_for

if TYPE_CHECKING:
    from collections.abc import Mapping

    from survey.conditions import Condition, Value
    from survey.instrument import Instrument
    from survey.parts import ChoiceItem, LikertItem, NumberItem, Page, TextItem

    AnyItem = LikertItem | ChoiceItem | NumberItem | TextItem
    Orders = Mapping[str, tuple[str, ...]]


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
        Pages that have items of the form.
    items
        Items of the form by page.
    refusals
        Codes of every item that stand for no answer.
    page_rules, item_rules
        When a page, and when an item, is shown; those always shown are left out.
    fixed
        Pages that show everyone the same items in the same order, by id.
    """

    instrument: Instrument
    form: str
    pages: tuple[Page, ...]
    items: Mapping[str, tuple[str, ...]]
    refusals: Mapping[str, frozenset[str]]
    page_rules: Mapping[str, Condition]
    item_rules: Mapping[str, Condition]
    fixed: Mapping[str, Sheet]

    @classmethod
    def of(cls, instrument: Instrument, form: str) -> Planner:
        """Read the conditions once."""
        fielded = set(instrument.form_items(form))
        items = {
            page.id: tuple(name for name in page.items if name in fielded)
            for page in instrument.all_pages
        }
        pages = tuple(page for page in instrument.all_pages if items[page.id])
        item_rules = {
            item.id: conditions.parse(item.show_if)
            for item in instrument.items
            if item.show_if and item.id in fielded
        }
        return cls(
            instrument,
            form,
            pages,
            items,
            {
                item.id: frozenset(map(str, instrument.missing_codes(item.id)))
                for item in instrument.items
            },
            {p.id: conditions.parse(p.show_if) for p in pages if p.show_if},
            item_rules,
            {
                page.id: Sheet(page, tuple(map(instrument.item, items[page.id])))
                for page in pages
                if not page.random_order and item_rules.keys().isdisjoint(page.items)
            },
        )

    def shuffled(self) -> dict[str, tuple[str, ...]]:
        """Draw a person's order of the items on pages that want one."""
        draw = random.Random(secrets.randbits(64))  # noqa: S311 - no secret
        out = {}
        for page in self.pages:
            if page.random_order:
                names = list(self.items[page.id])
                draw.shuffle(names)
                out[page.id] = tuple(names)
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
            names = orders.get(page.id, self.items[page.id])
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
