"""What is exported: one form of an instrument, page by page, in its languages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, Self, TypeAlias

from survey import conditions
from survey.errors import ExportError
from survey.export.xlsform.texts import language_name
from survey.export.xlsform.xpath import fold, translate

if TYPE_CHECKING:
    from collections.abc import Callable

    from survey.export.xlsform.xpath import Folded
    from survey.instrument import Instrument, Page
    from survey.parts import Item

#: Which codes a person gives, so that rows can be joined later.
Linking: TypeAlias = Literal["none", "person", "couple"]

#: One row of a sheet: column to cell.
Row: TypeAlias = dict[str, str]

#: Item ids that an XForm uses for itself.
TAKEN: Final = frozenset(("audit", "data", "meta"))
CONSENT: Final = "consent_given"


@dataclass(frozen=True, slots=True)
class Fielding:
    """One form of an instrument, ready to be written.

    Attributes
    ----------
    instrument
        The questionnaire.
    form
        Id of the form.
    items
        Ids of its items, in order.
    language
        The language the form opens in.
    linking
        Which codes are asked: none, a person's, or a person's with couple and role.
    """

    instrument: Instrument
    form: str
    items: tuple[str, ...]
    language: str
    linking: Linking

    @classmethod
    def of(
        cls,
        instrument: Instrument,
        form: str | None,
        *,
        language: str | None,
        linking: Linking,
    ) -> Self:
        """Choose what is exported, and check that XLSForm can carry it.

        Raises
        ------
        ExportError
            If there is no such form or language, an item has a name that XForms keep
            for themselves, or an item of the form could never be shown in it.
        """
        known = [one.id for one in instrument.all_forms]
        chosen = form or known[0]
        if chosen not in known:
            raise ExportError(
                f"{instrument.id}: there is no form {chosen!r}. Choose one of {known}."
            )
        opens = language or instrument.language
        if opens not in instrument.languages:
            raise ExportError(
                f"{instrument.id}: there is no language {opens!r}. Choose one of "
                f"{list(instrument.languages)}."
            )
        items = instrument.form_items(chosen)
        out = cls(instrument, chosen, items, opens, linking)
        if faults := [*out._taken(), *out._never_shown()]:
            raise ExportError("\n".join(faults))
        return out

    @property
    def form_id(self) -> str:
        """Name the form on the server; forms of one instrument do not clash."""
        name = self.instrument.id
        return f"{name}_{self.form}" if len(self.instrument.all_forms) > 1 else name

    @property
    def version(self) -> str:
        """Version of the instrument and the beginning of its hash."""
        return f"{self.instrument.version}-{self.instrument.hash[:8]}"

    @property
    def pages(self) -> tuple[tuple[Page, tuple[Item, ...]], ...]:
        """The pages that have items in this form, with these items."""
        out = []
        for page in self.instrument.all_pages:
            here = [name for name in page.items if name in self.items]
            if here:
                out.append((page, tuple(self.instrument.item(name) for name in here)))
        return tuple(out)

    @property
    def asks_wave(self) -> bool:
        """Whether a condition in this form names the wave."""
        return any("wave" in self._names(name) for name in self.items)

    def each(self, column: str, words: Callable[[str], str]) -> Row:
        """Fill the column of every language."""
        return {
            f"{column}::{language_name(code)}": words(code)
            for code in self.instrument.languages
        }

    def relevant(self, show_if: str | None) -> Row:
        """Translate when something is shown; nothing where that is always."""
        folded = self.folded(show_if)
        if isinstance(folded, bool):
            return {}
        return {"relevant": translate(folded, self.instrument)}

    def folded(self, show_if: str | None) -> Folded:
        """Simplify a condition: items that this form does not ask have no answer."""
        if not show_if:
            return True
        return fold(conditions.parse(show_if), {*self.items, "wave"})

    def not_asked(self, show_if: str | None) -> tuple[str, ...]:
        """Name the items of a condition that this form does not ask."""
        if not show_if:
            return ()
        named = conditions.names(conditions.parse(show_if))
        return tuple(name for name in named if name not in {*self.items, "wave"})

    def _names(self, item_id: str) -> tuple[str, ...]:
        condition = self.instrument.shown_if(item_id)
        return conditions.names(condition) if condition else ()

    def _taken(self) -> list[str]:
        return [
            f"items[{name}]: an XForm keeps the name {name!r} for itself. Choose "
            "another id."
            for name in self.items
            if name in TAKEN
        ]

    def _never_shown(self) -> list[str]:
        out = []
        for page, items in self.pages:
            places = [(f"pages[{page.id}]", page.show_if)]
            places += [(f"items[{item.id}]", item.show_if) for item in items]
            for where, show_if in places:
                if self.folded(show_if) is False:
                    out.append(
                        f"forms[{self.form}]: {where} is shown only if {show_if}, but "
                        f"the form does not ask {list(self.not_asked(show_if))}, so it "
                        "is never shown. Add these items to the form, or remove what "
                        "depends on them."
                    )
        return out
