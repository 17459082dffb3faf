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
    from survey.parts import Code, Scale, Text
    from survey.server.plan import AnyItem, Sheet
    from survey.server.posted import Problem

FOLDER: Final = Path(__file__).parent
#: Options side by side at most, and on a screen that is not wide; more stand below
#: each other.
_WIDE: Final = 7
_NARROW: Final = 5
#: Options of a choice that stand in one line, and letters of the longest of them.
_FEW: Final = 4
_BRIEF: Final = 16
#: Languages that write decimals with a point; the others here with a comma.
_POINT: Final = frozenset({"en", "he", "hi", "ja", "ko", "zh"})


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
    layout
        How options stand where there is room: ``wide`` side by side, ``wide seven``
        the same on wide screens only, ``short`` in a line; empty for a list.
    options, refusals
        Answers, and answers that are none: one that takes back what was chosen where
        the questionnaire has none itself and wants no answer.
    value
        What stands in a field.
    limits
        The numbers a field takes.
    keys
        The keyboard a phone shows for a number.
    error
        What is wrong with the answer; empty for nothing.
    """

    id: str
    text: str
    hint: str
    kind: str
    required: bool
    layout: str
    options: tuple[Option, ...]
    refusals: tuple[Option, ...]
    value: str
    unit: str
    limits: str
    keys: str
    most: int
    error: str

    @property
    def described(self) -> str:
        """Ids of what explains the question, for a screen reader."""
        parts = [f"{self.id}-hint"] if self.hint or self.limits else []
        parts += [f"{self.id}-unit"] if self.unit else []
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
    wrong = {p.item: _complaint(p, language) for p in problems}
    return tuple(
        _question(item, instrument, language, values.get(item.id, ""), wrong)
        for item in sheet.items
    )


def _complaint(problem: Problem, language: str) -> str:
    values = {
        name: decimal(value, language) if isinstance(value, str) else value
        for name, value in problem.values.items()
    }
    return phrases(language)[problem.word].format(**values)


def _question(
    item: AnyItem,
    instrument: Instrument,
    language: str,
    value: str,
    wrong: Mapping[str, str],
) -> Question:
    options, refusals = _options(item, instrument, language, value)
    kind, unit, limits, keys, most = "options", "", "", "text", 0
    if isinstance(item, NumberItem):
        kind, unit = "number", instrument.wording(item.unit, language)
        limits, keys = _limits(item, language), _keys(item)
    elif isinstance(item, TextItem):
        kind, most = ("text" if item.multiline else "line"), item.max_length
    return Question(
        id=item.id,
        text=instrument.wording(item.text, language),
        hint=instrument.wording(item.hint, language),
        kind=kind,
        required=item.required,
        layout=_layout(item, options),
        options=options,
        refusals=refusals,
        value=value,
        unit=unit,
        limits=limits,
        keys=keys,
        most=most,
        error=wrong.get(item.id, ""),
    )


def _options(
    item: AnyItem, instrument: Instrument, language: str, value: str
) -> tuple[tuple[Option, ...], tuple[Option, ...]]:
    """List the answers of an item, and those that are none."""
    if not isinstance(item, LikertItem | ChoiceItem):
        return (), ()
    scale = instrument.response_scale(item.response_scale)

    def option(code: Code, label: Text) -> Option:
        said = instrument.wording(label, language)
        return Option(str(code), said, str(code) == value)

    refusals = tuple(option(one.code, one.label) for one in scale.missing)
    if value and not refusals and not item.required:
        refusals = (Option("", phrases(language)["no_answer"], chosen=False),)
    options = tuple(option(code, label) for code, label in scale.options.items())
    return options, refusals


def _layout(item: AnyItem, options: tuple[Option, ...]) -> str:
    if isinstance(item, LikertItem) and len(options) <= _WIDE:
        return "wide" if len(options) <= _NARROW else "wide seven"
    brief = all(len(option.label) <= _BRIEF for option in options)
    return "short" if brief and len(options) <= _FEW else ""


def _limits(item: NumberItem, language: str) -> str:
    return phrases(language)["range"].format(
        least=decimal(spell(item.minimum), language),
        most=decimal(spell(item.maximum), language),
    )


def _keys(item: NumberItem) -> str:
    """Choose the keyboard of a phone; some have no minus among their digits."""
    if item.minimum < 0:
        return "text"
    return "numeric" if item.integer else "decimal"


def decimal(number: str, language: str) -> str:
    """Write a number with the decimal sign of a language."""
    base = language.split("-", maxsplit=1)[0]
    return number if base in _POINT else number.replace(".", ",")


@dataclass(frozen=True, slots=True)
class Mean:
    """A person's own mean on a scale, in words.

    Attributes
    ----------
    label
        What the scale is called.
    number, value
        The mean, and as it is written.
    least, most
        Codes of the first and of the last answer.
    near
        The answer that is nearest to the mean; both of two that are equally near.
    """

    label: str
    number: float
    value: str
    least: int
    most: int
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
    nearest = min(abs(code - value) for code in numbers)
    near = [code for code in numbers if abs(code - value) == nearest]
    label = instrument.wording(scale.label, language)
    return Mean(
        label,
        round(value, 1),
        decimal(spell(round(value, 1)), language),
        min(numbers),
        max(numbers),
        " \N{EN DASH} ".join(
            instrument.wording(options[code], language) for code in near
        ),
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
