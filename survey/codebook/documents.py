"""The files of a codebook: a page, the same as Markdown, and a table."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup, escape

from survey.codebook import content
from survey.codebook.variables import KEY_LABELS, condition, frame
from survey.errors import SurveyError

if TYPE_CHECKING:
    from collections.abc import Callable

    from survey.instrument import Instrument, Text

    Say = Callable[[Text | None], str]

#: Language of the codebook's own words.
OWN: Final = "en"
_SPECIAL: Final = re.compile(r"[\\`*_{}\[\]<>#|~$&!()]")
_LIST: Final = re.compile(r"^([-+]|\d+(?=[.)]))", re.MULTILINE)


def write(
    instrument: Instrument, folder: str | Path, *, language: str | None = None
) -> tuple[Path, ...]:
    """Write ``codebook.html``, ``codebook.md`` and ``codebook.csv``.

    Parameters
    ----------
    instrument
        The questionnaire.
    folder
        Where the files go; made if it is not there.
    language
        Language of the instrument's texts; its first by default. The codebook's own
        words are English.

    Returns
    -------
    tuple of pathlib.Path
        The three files, in this order.

    Raises
    ------
    SurveyError
        If the instrument does not have the language.
    """
    chosen = language or instrument.language
    if chosen not in instrument.languages:
        raise SurveyError(
            f"{instrument.id}: there is no language {chosen!r}. Choose one of "
            f"{list(instrument.languages)}."
        )
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    page, plain, table = (target / f"codebook.{kind}" for kind in ("html", "md", "csv"))
    page.write_text(_filled("codebook.html", instrument, chosen), encoding="utf-8")
    plain.write_text(_filled("codebook.md", instrument, chosen), encoding="utf-8")
    described = frame(instrument, language=chosen)
    described.to_csv(table, index=False, float_format="%.10g", lineterminator="\n")
    return page, plain, table


def _filled(template: str, instrument: Instrument, language: str) -> str:
    environment = _environment()
    html = template.endswith(".html")
    say = partial(_in_html if html else _in_markdown, instrument, language)
    described = frame(instrument, language=language)
    text = environment.get_template(template).render(
        instrument=instrument,
        language=language,
        title=instrument.wording(instrument.title, language),
        say=say,
        css=Markup(_style(environment)),  # noqa: S704 - our own file
        kinds=content.by_kind(instrument),
        composites=content.composites(instrument),
        options=partial(content.options, instrument=instrument),
        used_by=partial(content.used_by, instrument=instrument),
        pages=content.pages(instrument),
        turned={name: instrument.turning_sum(name) for name in instrument.item_ids},
        claim_facts=content.claim_facts,
        counted=content.counted,
        condition=partial(condition, instrument=instrument),
        keys=KEY_LABELS,
        variables=len(described),
    )
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("survey.codebook"),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["literal"] = literal
    environment.filters["code"] = code
    return environment


def _style(environment: Environment) -> str:
    return environment.get_template("codebook.css").render()


def _in_html(instrument: Instrument, language: str, text: Text | None) -> Markup:
    """Escape a text, and name its language where it is not the codebook's own."""
    words = instrument.wording(text, language)
    spoken = _spoken(instrument, language, text)
    if not words or spoken.split("-")[0] == OWN:
        return escape(words)
    return Markup('<span lang="{}">{}</span>').format(spoken, words)


def _in_markdown(instrument: Instrument, language: str, text: Text | None) -> str:
    return literal(instrument.wording(text, language))


def _spoken(instrument: Instrument, language: str, text: Text | None) -> str:
    """Tell which language a text is shown in: the first where it is not translated."""
    translated = isinstance(text, dict) and language in text
    return language if translated else instrument.language


def literal(text: str) -> str:
    """Escape a text for one line of Markdown, so that it reads as written."""
    line = _SPECIAL.sub(lambda found: f"\\{found[0]}", " ".join(text.split()))
    return _LIST.sub(
        lambda found: f"\\{found[0]}" if found[0] in "-+" else f"{found[0]}\\", line
    )


def code(text: str) -> str:
    """Write code in Markdown; as plain text where it holds a backtick or a bar."""
    return literal(text) if set(text) & set("`|") else f"`{text}`"
