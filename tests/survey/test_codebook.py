import re
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import mistune
import pandas as pd
import pytest

from survey import codebook
from survey.errors import SurveyError
from survey.faults import KEYS
from survey.instrument import Instrument

RICH = r"""
id: rich
version: "1.2.0"
title: {en: "Closeness <&> distance", de: Nähe und Distanz}
description: {en: What it is *about*., de: Worum es geht.}
source: "A paper | 2020"
license: MIT
languages: [en, de]
consent:
  text: {en: "First line.\nSecond line.", de: Erste Zeile.}
  agree: {en: I take part., de: Ich nehme teil.}
introduction: {en: Think back., de: Denken Sie zurück.}
safety:
  note: {en: You can leave., de: Sie können gehen.}
  leave_label: {en: Leave, de: Weg}
  leave_url: https://example.org/away
end:
  text: {en: Thank you., de: Danke.}
  support:
    - {name: Helpline, text: Call them., url: "https://example.org/help"}
response_scales:
  - id: agree3
    labels: [{en: "No", de: Nein}, {en: "Half | half", de: Teils}, {en: "Yes", de: Ja}]
    missing: [{code: 9, label: {en: No answer, de: Keine Angabe}}]
  - {id: kinds, codes: [a, b], labels: [Dating, Married]}
items:
  - {id: age, type: number, text: {en: How old?, de: Wie alt?}, minimum: 18,
     maximum: 110, integer: true, unit: {en: years, de: Jahre}, required: true}
  - {id: kind, type: choice, text: {en: Kind?, de: Art?}, response_scale: kinds}
  - {id: tr1, type: likert, text: {en: "I <script>alert(1)</script> | trust", de: Ja},
     response_scale: agree3, source: Own}
  - {id: tr2, type: likert, text: {en: I doubt., de: Ich zweifle.},
     response_scale: agree3, show_if: tr1 != 2, hint: Honestly}
  - {id: at1, type: likert, text: {en: Choose Yes., de: Ja wählen.},
     response_scale: agree3, expected: 3}
  - {id: ag1, type: likert, text: Only English, response_scale: agree3, safety: true}
  - {id: note1, type: text, text: {en: Anything?, de: Noch etwas?}, max_length: 50,
     show_if: 'kind == "a"'}
scales:
  - {id: trust, label: {en: Trust, de: Vertrauen}, kind: outcome, items: [tr1, tr2],
     reversed: [tr2], min_answered: 2, desirable: true, source: "Paper, p. 3"}
  - {id: harm, label: Harm, kind: sign, items: [ag1], desirable: false}
  - {id: load, label: Load, items: [tr1, at1], scoring: sum, measurement: formative}
composites:
  - {id: both, label: Both, scales: [trust, harm], min_scales: 1}
forms:
  - {id: full, label: Full}
  - {id: brief, label: Brief, items: [age, tr1, tr2]}
pages:
  - {id: you, title: {en: You, de: Sie}, items: [age, kind]}
  - {id: signs, title: {en: Signs, de: Zeichen}, text: {en: How far?, de: Wie sehr?},
     show_if: age >= 18, random_order: true, items: [tr1, tr2, at1, ag1]}
  - {id: close, title: {en: Close, de: Ende}, items: [note1]}
claims:
  - {id: C1, text: {en: They go together., de: Sie gehen zusammen.},
     analysis: associations, focal: [harm], outcomes: [trust], controls: [age],
     source: Paper}
"""

VOID = {"meta", "br", "link", "hr", "img", "input"}


class Page(HTMLParser):
    """A page as a list of (tag, attributes, text), checked to be well formed."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.headings: list[tuple[int, str]] = []
        self.text = ""
        self.feed(path.read_text(encoding="utf-8"))
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)
        if re.fullmatch(r"h[1-6]", tag):
            self.headings.append((int(tag[1]), ""))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" in self.open or "title" in self.open:
            return
        self.text += data
        if self.open and re.fullmatch(r"h[1-6]", self.open[-1]):
            level, text = self.headings[-1]
            self.headings[-1] = (level, text + data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture(scope="module")
def rich(tmp_path_factory: pytest.TempPathFactory) -> Instrument:
    path = tmp_path_factory.mktemp("rich") / "rich.yaml"
    path.write_text(RICH, encoding="utf-8")
    return Instrument.load(path)


@pytest.fixture(scope="module")
def written(
    rich: Instrument, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, ...]:
    return codebook.write(rich, tmp_path_factory.mktemp("codebook") / "new")


@pytest.fixture(scope="module")
def page(written: tuple[Path, ...]) -> Page:
    return Page(written[0])


def test_three_files(written: tuple[Path, ...]) -> None:
    names = [path.name for path in written]
    assert names == ["codebook.html", "codebook.md", "codebook.csv"]
    assert all(path.is_file() for path in written)


def test_frame_has_a_row_for_each_variable(rich: Instrument) -> None:
    table = codebook.frame(rich)
    assert list(table.columns) == [
        "name",
        "label",
        "type",
        "codes",
        "missing_codes",
        "minimum",
        "maximum",
        "unit",
        "scales",
        "reversed",
        "page",
        "show_if",
        "required",
        "source",
    ]
    assert list(table["name"]) == [*KEYS, *rich.item_ids]
    rows = table.set_index("name")
    assert rows.loc["tr1", "codes"] == "1 = No; 2 = Half | half; 3 = Yes"
    assert rows.loc["tr1", "missing_codes"] == "9 = No answer"
    assert rows.loc["tr1", "scales"] == "trust; load"
    assert not rows.loc["tr1", "reversed"]
    assert rows.loc["tr2", "reversed"]
    assert rows.loc["tr2", "show_if"] == "(tr1 != 2) and (age >= 18)"
    assert rows.loc["tr1", "show_if"] == "age >= 18"
    assert rows.loc["tr1", "source"] == "Own"
    assert rows.loc["tr1", "page"] == "signs"
    assert rows.loc["age", ["minimum", "maximum", "unit"]].tolist() == [
        18,
        110,
        "years",
    ]
    assert rows.loc["age", "required"]
    assert rows.loc["kind", "codes"] == "a = Dating; b = Married"
    assert rows.loc["form", "codes"] == "full = Full; brief = Brief"
    assert rows.loc["wave", "type"] == "key"
    assert rows["minimum"].isna().sum() == len(rows) - 3


def test_frame_in_another_language(rich: Instrument) -> None:
    rows = codebook.frame(rich, language="de").set_index("name")
    assert rows.loc["age", "label"] == "Wie alt?"
    assert rows.loc["age", "unit"] == "Jahre"
    assert rows.loc["tr1", "missing_codes"] == "9 = Keine Angabe"
    assert rows.loc["ag1", "label"] == "Only English"


def test_csv_is_the_frame(written: tuple[Path, ...], rich: Instrument) -> None:
    table = codebook.frame(rich)
    read = pd.read_csv(written[2], keep_default_na=False)
    assert list(read["label"]) == list(table["label"])
    assert list(read["codes"]) == list(table["codes"])
    assert read.set_index("name").loc["age", "minimum"] == "18"


def test_page_escapes_what_the_instrument_says(written: tuple[Path, ...]) -> None:
    html = written[0].read_text(encoding="utf-8")
    assert "<script" not in html
    assert "I &lt;script&gt;alert(1)&lt;/script&gt; | trust" in html
    assert "Closeness &lt;&amp;&gt; distance" in html


def test_page_is_self_contained(page: Page) -> None:
    assert not page.all("script")
    assert not page.all("link")
    assert not page.all("img")
    policy = [one for one in page.all("meta") if "http-equiv" in one]
    assert "default-src 'none'" in str(policy[0]["content"])


def test_page_is_accessible(page: Page) -> None:
    assert page.all("html")[0]["lang"] == "en"
    for landmark in ("header", "nav", "main", "footer"):
        assert len(page.all(landmark)) >= 1
    links = page.all("a")
    assert links[0] == {"class": "skip", "href": "#content"}
    ids = [one["id"] for _, one in page.elements if "id" in one]
    assert len(ids) == len(set(ids))
    targets = {str(one["href"])[1:] for one in links if str(one["href"])[0] == "#"}
    assert targets <= set(ids)
    labels = {
        one["aria-labelledby"] for _, one in page.elements if one.get("aria-labelledby")
    }
    assert labels <= set(ids)
    assert all(one.get("scope") in {"row", "col"} for one in page.all("th"))
    assert len(page.all("caption")) == len(page.all("table"))


def test_headings_never_skip_a_level(page: Page) -> None:
    levels = [level for level, _ in page.headings]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


def test_sections(page: Page) -> None:
    sections = [text for level, text in page.headings if level == 2]
    assert sections == [
        "Contents",
        "About",
        "Scoring",
        "Response scales",
        "Variables",
        "Key columns",
        "Forms",
        "Claims",
        "Texts around the questions",
    ]


@pytest.mark.parametrize("kind", [0, 1])
def test_both_documents_say_how_it_is_scored(
    written: tuple[Path, ...], rich: Instrument, kind: int
) -> None:
    said = _visible(written[kind])
    for sentence in (
        rich.hash,
        "Mean of 2 items; needs at least 2 answers. Scores run from 1 to 3.",
        "A high score is good news.",
        "Sum of 2 items; needs at least 1 answer.",
        "Scores run from 2 to 6. The items are a checklist",
        "The answer to one item. Scores run from 1 to 3. A high score is bad news.",
        "reversed: 4 \N{MINUS SIGN} answer",
        "Mean of 2 scale scores; needs at least 1.",
        "Paper, p. 3",
        "A paper | 2020",
    ):
        assert sentence in said, sentence


@pytest.mark.parametrize("kind", [0, 1])
def test_both_documents_describe_every_item(
    written: tuple[Path, ...], rich: Instrument, kind: int
) -> None:
    said = _visible(written[kind])
    for item in rich.items:
        assert item.id in said
        assert rich.wording(item.text) in said
    for sentence in (
        "Whole number, 18 to 110 years",
        "Own words, one line, up to 50 characters",
        "attention check: 3 expected",
        "with safety note",
        "Half | half",
        "Honestly",
        'kind == "a"',
        "age >= 18",
        "They go together.",
        "I take part.",
        "Think back.",
        "You can leave.",
        "Thank you.",
        "Call them.",
        "https://example.org/help",
        "Code of the couple",
    ):
        assert sentence in said, sentence


def test_texts_name_their_language(rich: Instrument, tmp_path: Path) -> None:
    html = codebook.write(rich, tmp_path, language="de")[0].read_text(encoding="utf-8")
    assert '<span lang="de">Ich zweifle.</span>' in html
    assert '<span lang="de">Only English</span>' not in html
    assert "Codebook: Nähe und Distanz" in html


def test_tables_of_the_markdown_keep_their_cells(
    written: tuple[Path, ...], rich: Instrument
) -> None:
    text = written[1].read_text(encoding="utf-8")
    assert "<script" not in text.replace(r"\<script", "")
    turned = mistune.create_markdown(escape=True, plugins=["table"])(text)
    assert isinstance(turned, str)
    rows = re.findall(r"<tr>(.*?)</tr>", turned, re.DOTALL)
    cells = {len(re.findall(r"<t[hd]", row)) for row in rows}
    assert cells == {2, 4}
    first = [row for row in rows if len(re.findall(r"<td", row)) == 4]
    assert len(first) == len(rich.items)
    assert "I &lt;script&gt;alert(1)&lt;/script&gt; | trust" in turned


def test_the_bundled_instrument(tmp_path: Path) -> None:
    one = Instrument.load("pushing_away")
    page = Page(codebook.write(one, tmp_path)[0])
    assert all(name in page.text for name in one.item_ids)
    assert len(page.all("article")) == (
        len(one.scales)
        + len(one.composites)
        + len(one.response_scales)
        + len(one.claims)
    )


def test_an_instrument_with_items_only(tmp_path: Path) -> None:
    path = tmp_path / "tiny.yaml"
    path.write_text(
        'id: tiny\nversion: "1.0"\ntitle: T\nitems:\n'
        "  - {id: q1, type: text, text: Say}\n",
        encoding="utf-8",
    )
    page = Page(codebook.write(Instrument.load(path), tmp_path)[0])
    sections = [text for level, text in page.headings if level == 2]
    assert sections == ["Contents", "About", "Variables", "Key columns", "Forms"]
    assert "1 items" not in page.text


def test_unknown_language_is_an_error(rich: Instrument, tmp_path: Path) -> None:
    with pytest.raises(SurveyError, match=r"no language 'fr'.*'en', 'de'"):
        codebook.write(rich, tmp_path / "none", language="fr")
    assert not (tmp_path / "none").exists()


def _visible(path: Path) -> str:
    """Read what a reader sees of a page or of Markdown, on one line."""
    if path.suffix == ".html":
        text = Page(path).text
    else:
        source = path.read_text(encoding="utf-8")
        text = re.sub(r"\\([^\w\s])", r"\1", source).replace("`", "")
    return " ".join(text.split())
