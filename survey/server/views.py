"""What templates are given: words, items and their answers, ready to be printed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from survey.parts import ChoiceItem, LikertItem, NumberItem, TextItem
from survey.server.posted import spell
from survey.server.words import direction, phrases

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from survey.instrument import Instrument
    from survey.parts import Scale
    from survey.server.plan import AnyItem, Sheet
    from survey.server.posted import Problem

FOLDER: Final = Path(__file__).parent
#: Options side by side at most; more stand below each other.
_WIDE: Final = 7


@cache
def templates() -> Environment:
    """Open the templates; everything they print is escaped."""
    return Environment(
        loader=FileSystemLoader(FOLDER / "templates"),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def spoken(instrument: Instrument, language: str) -> dict[str, Any]:
    """Give every page its title, language and phrases."""
    return {
        "title": instrument.wording(instrument.title, language),
        "lang": language,
        "direction": direction(language),
        "languages": instrument.languages,
        "say": phrases(language),
        "names": _names(instrument.languages),
    }


def _names(languages: Iterable[str]) -> dict[str, str]:
    """Names of languages as their speakers write them; else the code."""
    return {one: _NAMES.get(one.split("-", maxsplit=1)[0], one) for one in languages}


@dataclass(frozen=True, slots=True)
class Option:
    """One answer that may be chosen."""

    code: str
    label: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class Question:
    """An item as it is printed.

    Attributes
    ----------
    kind
        options, number, line or text.
    wide
        Whether options may stand side by side.
    options, refusals
        Answers, and answers that are none.
    value
        What stands in a field.
    limits
        The numbers a field takes.
    error
        What is wrong with the answer; empty for nothing.
    """

    id: str
    text: str
    hint: str
    kind: str
    required: bool
    wide: bool
    options: tuple[Option, ...]
    refusals: tuple[Option, ...]
    value: str
    unit: str
    limits: str
    most: int
    error: str

    @property
    def described(self) -> str:
        """Ids of what explains the question, for a screen reader."""
        parts = [f"{self.id}-hint"] if self.hint or self.limits else []
        parts += [f"{self.id}-error"] if self.error else []
        return " ".join(parts)

    @property
    def first(self) -> str:
        """Id of the first field, where a link leads."""
        return f"{self.id}-1" if self.kind == "options" else self.id


def questions(
    sheet: Sheet,
    instrument: Instrument,
    language: str,
    values: Mapping[str, str],
    problems: Iterable[Problem] = (),
) -> tuple[Question, ...]:
    """Arrange the items of a page with what stands in them."""
    say = phrases(language)
    wrong = {p.item: say[p.word].format(**p.values) for p in problems}
    return tuple(
        _question(item, instrument, language, values.get(item.id, ""), wrong)
        for item in sheet.items
    )


def _question(
    item: AnyItem,
    instrument: Instrument,
    language: str,
    value: str,
    wrong: Mapping[str, str],
) -> Question:
    def said(text: Any) -> str:  # noqa: ANN401 - text in one or several languages
        return instrument.wording(text, language)

    options: tuple[Option, ...] = ()
    refusals: tuple[Option, ...] = ()
    unit = limits = ""
    kind, most = "options", 0
    if isinstance(item, LikertItem | ChoiceItem):
        scale = instrument.response_scale(item.response_scale)
        options = tuple(
            Option(str(code), said(label), str(code) == value)
            for code, label in scale.options.items()
        )
        refusals = tuple(
            Option(str(one.code), said(one.label), str(one.code) == value)
            for one in scale.missing
        )
    elif isinstance(item, NumberItem):
        kind, unit = "number", said(item.unit)
        limits = phrases(language)["range"].format(
            least=spell(item.minimum), most=spell(item.maximum)
        )
    elif isinstance(item, TextItem):
        kind, most = ("text" if item.multiline else "line"), item.max_length
    likert = isinstance(item, LikertItem) and len(options) <= _WIDE
    return Question(
        id=item.id,
        text=said(item.text),
        hint=said(item.hint),
        kind=kind,
        required=item.required,
        wide=likert,
        options=options,
        refusals=refusals,
        value=value,
        unit=unit,
        limits=limits,
        most=most,
        error=wrong.get(item.id, ""),
    )


@dataclass(frozen=True, slots=True)
class Mean:
    """A person's own mean on a scale, in words."""

    label: str
    value: float
    least: float
    most: float
    near: str


def profile(
    instrument: Instrument, language: str, answers: Mapping[str, str]
) -> tuple[Mean, ...]:
    """Take the means of a person's own answers on each sign that has enough of them."""
    found = (
        _mean(s, instrument, language, answers) for s in instrument.scales_of("sign")
    )
    return tuple(one for one in found if one is not None)


def _mean(
    scale: Scale, instrument: Instrument, language: str, answers: Mapping[str, str]
) -> Mean | None:
    keyed = []
    for name in scale.items:
        codes = {str(code): code for code in instrument.codes(name)}
        code = codes.get(answers.get(name, ""))
        if not isinstance(code, int):
            continue
        turn = instrument.turning_sum(name) if name in scale.reversed else None
        keyed.append(turn - code if turn is not None else code)
    if len(keyed) < scale.needed:
        return None
    value = sum(keyed) / len(keyed)
    item = instrument.item(scale.items[0])
    if not isinstance(item, LikertItem):
        return None
    options = instrument.response_scale(item.response_scale).options
    numbers = [code for code in options if isinstance(code, int)]
    near = min(numbers, key=lambda code: abs(code - value))
    label = instrument.wording(scale.label, language)
    return Mean(
        label,
        round(value, 1),
        min(numbers),
        max(numbers),
        instrument.wording(options[near], language),
    )


_NAMES: Final = {
    "ar": "العربية",
    "cs": "Čeština",
    "da": "Dansk",
    "de": "Deutsch",
    "el": "Ελληνικά",
    "en": "English",
    "es": "Español",
    "fa": "فارسی",
    "fi": "Suomi",
    "fr": "Français",
    "he": "עברית",
    "hi": "हिन्दी",
    "hu": "Magyar",
    "it": "Italiano",
    "ja": "日本語",
    "ko": "한국어",
    "nl": "Nederlands",
    "no": "Norsk",
    "pl": "Polski",
    "pt": "Português",
    "ro": "Română",
    "ru": "Русский",
    "sv": "Svenska",
    "tr": "Türkçe",
    "uk": "Українська",
    "vi": "Tiếng Việt",
    "zh": "中文",
}
