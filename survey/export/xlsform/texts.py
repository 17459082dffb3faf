r"""Texts of a form: a column for each language, and letters shown as they are.

The apps read Markdown and a little HTML in labels, and pyxform reads ``${…}`` as a
reference. A backslash keeps ``\ * _ #`` literal; what no backslash protects (``<b``,
``${``, a link, a list) is kept apart by a word joiner, which nobody sees.
"""

from __future__ import annotations

import re
from typing import Final

#: What a respondent sees in the language menu.
LANGUAGES: Final = {
    "ar": "العربية",
    "bg": "Български",
    "cs": "Čeština",
    "da": "Dansk",
    "de": "Deutsch",
    "el": "Ελληνικά",
    "en": "English",
    "es": "Español",
    "et": "Eesti",
    "fa": "فارسی",
    "fi": "Suomi",
    "fr": "Français",
    "he": "עברית",
    "hi": "हिन्दी",
    "hr": "Hrvatski",
    "hu": "Magyar",
    "id": "Bahasa Indonesia",
    "it": "Italiano",
    "ja": "日本語",
    "ko": "한국어",
    "lt": "Lietuvių",
    "lv": "Latviešu",
    "nb": "Norsk bokmål",
    "nl": "Nederlands",
    "no": "Norsk",
    "pl": "Polski",
    "pt": "Português",
    "ro": "Română",
    "ru": "Русский",
    "sk": "Slovenčina",
    "sl": "Slovenščina",
    "sr": "Српски",
    "sv": "Svenska",
    "sw": "Kiswahili",
    "tr": "Türkçe",
    "uk": "Українська",
    "vi": "Tiếng Việt",
    "zh": "中文",
}
#: The few words an instrument does not contain.
WORDS: Final[dict[str, dict[str, str]]] = {
    "de": {
        "respondent": "Teilnahmecode",
        "couple": "Paarcode",
        "role": "Rolle im Paar, wie in der Einladung",
        "wave": "Nummer der Befragung",
        "yes": "Ja",
        "range": "Bitte eine Zahl von {low} bis {high} eingeben",
        "length": "Bitte höchstens {count} Zeichen",
    },
    "en": {
        "respondent": "Participant code",
        "couple": "Couple code",
        "role": "Role in the couple, as in the invitation",
        "wave": "Number of this survey round",
        "yes": "Yes",
        "range": "Please enter a number from {low} to {high}",
        "length": "Please use no more than {count} characters",
    },
    "es": {
        "respondent": "Código de participante",
        "couple": "Código de pareja",
        "role": "Papel en la pareja, según la invitación",
        "wave": "Número de esta ronda de la encuesta",
        "yes": "Sí",
        "range": "Introduzca un número de {low} a {high}",
        "length": "No use más de {count} caracteres",
    },
    "fr": {
        "respondent": "Code de participation",
        "couple": "Code du couple",
        "role": "Rôle dans le couple, selon l'invitation",
        "wave": "Numéro de cette vague d'enquête",
        "yes": "Oui",
        "range": "Veuillez saisir un nombre de {low} à {high}",
        "length": "Veuillez ne pas dépasser {count} caractères",
    },
    "it": {
        "respondent": "Codice partecipante",
        "couple": "Codice della coppia",
        "role": "Ruolo nella coppia, come da invito",
        "wave": "Numero di questa rilevazione",
        "yes": "Sì",
        "range": "Inserire un numero da {low} a {high}",
        "length": "Non usare più di {count} caratteri",
    },
    "nl": {
        "respondent": "Deelnemerscode",
        "couple": "Code van het paar",
        "role": "Rol in het paar, zoals in de uitnodiging",
        "wave": "Nummer van deze vragenronde",
        "yes": "Ja",
        "range": "Vul een getal in van {low} tot en met {high}",
        "length": "Gebruik niet meer dan {count} tekens",
    },
    "pt": {
        "respondent": "Código de participante",
        "couple": "Código do casal",
        "role": "Papel no casal, como no convite",
        "wave": "Número desta ronda do inquérito",
        "yes": "Sim",
        "range": "Introduza um número de {low} a {high}",
        "length": "Não use mais de {count} caracteres",
    },
}

_JOINER: Final = "\u2060"
_MARK: Final = re.compile(r"[\\*_#]")
_READ_AS_FORMAT: Final = re.compile(
    r"\$(?=\{)|\](?=\()|<(?=[A-Za-z/]|\s*/?s(?:pan|up|ub)\b)|&(?=#?\w+;)"
    r"|^\s*[-+](?= )|^\s*\d+(?=\. )",
    re.MULTILINE,
)
#: pyxform makes these straight, whatever the settings.
_CURLY: Final = re.compile("[\u2018\u2019\u201c\u201d]")


def primary(language: str) -> str:
    """Cut a language down to its main part: ``en`` of ``en-GB``."""
    return language.split("-", maxsplit=1)[0]


def language_name(language: str) -> str:
    """Name a language as XLSForm wants it: ``English (en)``.

    A region stands before the brackets, since only a plain code may stand in them.
    """
    main, *rest = language.split("-")
    return " ".join([LANGUAGES.get(main, main), *rest, f"({main})"])


def word(name: str, language: str) -> str:
    """Say one of our own words; in English where it is not translated."""
    return WORDS.get(primary(language), WORDS["en"])[name]


def literally(text: str) -> str:
    """Escape a text so that the apps show it as it is."""
    parted = _READ_AS_FORMAT.sub(lambda found: found[0] + _JOINER, text.strip())
    return _marks_escaped(parted)


def is_parted(text: str) -> bool:
    """Tell whether `literally` has to put an invisible letter into a text."""
    return bool(_READ_AS_FORMAT.search(text.strip()))


def is_curly(text: str) -> bool:
    """Tell whether a text has quotation marks that pyxform changes."""
    return bool(_CURLY.search(text))


def link(label: str, url: str) -> str:
    """Write a Markdown link."""
    address = url.replace("(", "%28").replace(")", "%29").replace(" ", "%20")
    return f"[{literally(label)}]({_marks_escaped(address)})"


def _marks_escaped(text: str) -> str:
    return _MARK.sub(lambda found: f"\\{found[0]}", text)
