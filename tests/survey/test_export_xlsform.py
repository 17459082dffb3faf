import itertools
import json
import re
import shutil
from pathlib import Path
from xml.etree import ElementTree as ET

import openpyxl
import pandas as pd
import pytest

from survey import conditions
from survey.errors import ExportError
from survey.export import Export, xlsform
from survey.export.xlsform.texts import literally
from survey.export.xlsform.xpath import fold, number, translate
from survey.instrument import Instrument

convert = pytest.importorskip("pyxform.xls2xform").convert
JAVA = shutil.which("java") is not None

RICH = r"""
id: rich
version: "1.2.0"
title: {en: Closeness & distance, de: Nähe & Distanz}
languages: [en, de]
consent:
  text: {en: "It is *voluntary*.", de: "Es ist *freiwillig*."}
  agree: {en: I take part., de: Ich nehme teil.}
introduction: {en: Think of the past weeks., de: Denken Sie an die letzten Wochen.}
safety:
  note: {en: You can leave., de: Sie können gehen.}
  leave_label: {en: Leave quickly, de: Schnell weg}
  leave_url: https://example.org/a_b
end:
  text: {en: Thank you., de: Danke.}
  support:
    - name: {en: Helpline, de: Hilfe}
      text: {en: Call., de: Anrufen.}
      url: https://example.org/(help)
    - {name: Doctor, text: Ask.}
response_scales:
  - id: agree3
    labels:
      - {en: "No", de: Nein}
      - {en: "Partly, <b>maybe</b>", de: Teils}
      - {en: "Yes", de: Ja}
    missing:
      - {code: 9, label: {en: No answer, de: Keine Angabe}}
  - id: kinds
    codes: [a, b, c]
    labels: [Dating, Married, Else]
  - id: wide
    codes: [1, 2, 3, 4, 5, 6, 7, 8]
    labels: [l1, l2, l3, l4, l5, l6, l7, l8]
items:
  - {id: age, type: number, text: {en: How old?, de: Wie alt?}, minimum: 18,
     maximum: 110, integer: true, unit: {en: years, de: Jahre}, required: true}
  - {id: kind, type: choice, text: {en: "Kind? ${age} #1", de: "Art?"},
     response_scale: kinds}
  - {id: height, type: number, text: {en: Height?, de: Größe?}, minimum: 0.5,
     maximum: 2.5, show_if: age != 30, hint: {en: Barefoot, de: Barfuß}}
  - {id: tr1, type: likert, text: {en: I trust., de: Ich vertraue.},
     response_scale: agree3, required: true}
  - {id: tr2, type: likert, text: {en: I doubt., de: Ich zweifle.},
     response_scale: agree3, show_if: tr1 != 2}
  - {id: at1, type: likert, text: {en: Choose Yes., de: Ja wählen.},
     response_scale: agree3, expected: 3}
  - {id: wd1, type: likert, text: {en: Wide one?, de: Breit?}, response_scale: wide}
  - {id: wd2, type: likert, text: {en: Wide two?, de: Breit?}, response_scale: wide}
  - {id: ag1, type: likert, text: {en: It hurt., de: Es tat weh.},
     response_scale: agree3, safety: true, show_if: wave > 1}
  - {id: note1, type: text, text: {en: "=1+1, a_b *c* \\ <b>?", de: Noch etwas?},
     max_length: 500, multiline: true,
     show_if: answered(tr2) or not (kind == "b" and age >= 40)}
scales:
  - {id: trust, label: Trust, items: [tr1, tr2], reversed: [tr2], min_answered: 2}
  - {id: harm, label: Harm, items: [ag1], scoring: sum}
composites:
  - {id: both, label: Both, scales: [trust, harm], min_scales: 1}
forms:
  - {id: full, label: Full}
  - {id: brief, label: Brief, items: [age, tr1, tr2]}
pages:
  - {id: you, title: {en: You, de: Sie}, items: [age, kind, height]}
  - id: signs
    title: {en: Signs, de: Zeichen}
    text: {en: How far?, de: Wie sehr?}
    show_if: age >= 18
    random_order: true
    items: [tr1, tr2, at1, wd1, wd2]
  - {id: harm_page, title: {en: Harm, de: Leid}, items: [ag1, note1]}
"""


def load(tmp_path: Path, text: str = RICH) -> Instrument:
    path = tmp_path / "instrument.yaml"
    path.write_text(text, encoding="utf-8")
    return Instrument.load(path)


def tiny(tmp_path: Path, items: str, more: str = "") -> Instrument:
    text = f'id: tiny\nversion: "1.0"\ntitle: Tiny\n{more}\nitems:\n{items}'
    return load(tmp_path, text)


class XForm:
    """An XForm as pyxform made it, looked up by names."""

    def __init__(self, path: Path) -> None:
        result = convert(xlsform=str(path), validate=JAVA)
        self.warnings = list(result.warnings)
        text = re.sub(r'xmlns="[^"]+"', "", result.xform, count=1)
        self.root = ET.fromstring(text)  # noqa: S314 - our own form
        self.binds = {
            bind.get("nodeset", "").rsplit("/", 1)[1]: bind
            for bind in self.root.iter("bind")
        }

    def bind(self, name: str, attribute: str) -> str | None:
        found = self.binds[name].get(attribute)
        if found is None:
            return None
        short = re.sub(r" ?/data/(?:\w+/)*(\w+) ?", r"${\1}", found)
        return " ".join(short.split())

    def controls(self) -> list[str]:
        kinds = {"input", "select1"}
        refs = [one.get("ref", "") for one in self.root.iter() if one.tag in kinds]
        return [ref.rsplit("/", 1)[1] for ref in refs]

    def control(self, name: str) -> ET.Element:
        for one in self.root.iter():
            if one.tag in {"input", "select1", "group"} and one.get("ref", "").endswith(
                f"/{name}"
            ):
                return one
        raise KeyError(name)

    def said(self, name: str, part: str = "label") -> dict[str, str]:
        path = self.binds[name].get("nodeset") if name in self.binds else None
        path = path or self.control(name).get("ref")
        return self.text(f"{path}:{part}")

    def text(self, key: str) -> dict[str, str]:
        out = {}
        for translation in self.root.iter("translation"):
            for one in translation.iter("text"):
                if one.get("id") == key:
                    value = one.find("value")
                    assert value is not None
                    out[str(translation.get("lang"))] = value.text or ""
        return out

    def options(self, list_name: str) -> list[tuple[str, dict[str, str]]]:
        instance = next(
            one for one in self.root.iter("instance") if one.get("id") == list_name
        )
        out = []
        for item in instance.iter("item"):
            name, label = item.findtext("name"), item.findtext("itextId")
            assert name is not None
            said = self.text(label) if label else {"": item.findtext("label") or ""}
            out.append((name, said))
        return out


@pytest.fixture(scope="module")
def rich(tmp_path_factory: pytest.TempPathFactory) -> Instrument:
    return load(tmp_path_factory.mktemp("rich"))


@pytest.fixture(scope="module")
def exported(rich: Instrument, tmp_path_factory: pytest.TempPathFactory) -> Export:
    folder = tmp_path_factory.mktemp("export")
    return xlsform.write(rich, folder, linking="couple", scores=True)


@pytest.fixture(scope="module")
def form(exported: Export) -> XForm:
    return XForm(exported.files[0])


def test_pyxform_accepts_it_without_a_warning(form: XForm) -> None:
    assert form.warnings == []


@pytest.mark.skipif(not JAVA, reason="ODK Validate needs Java")
def test_validate_does_run(tmp_path: Path, exported: Export) -> None:
    book = openpyxl.load_workbook(exported.files[0])
    sheet = book["survey"]
    sheet.cell(2, 1, "calculate")
    sheet.cell(2, 2, "broken")
    column = [cell.value for cell in sheet[1]].index("calculation") + 1
    sheet.cell(2, column, "nosuchfunction(1)")
    book.save(tmp_path / "broken.xlsx")
    with pytest.raises(Exception, match="nosuchfunction"):
        XForm(tmp_path / "broken.xlsx")


def test_items_come_in_order_under_their_ids(
    form: XForm, rich: Instrument, exported: Export
) -> None:
    ours = [name for name in form.controls() if name in rich.item_ids]
    assert tuple(ours) == rich.item_ids
    assert {name: exported.names[name] for name in rich.item_ids} == {
        name: name for name in rich.item_ids
    }


def test_labels_stand_in_every_language(form: XForm, rich: Instrument) -> None:
    names = {"English (en)": "en", "Deutsch (de)": "de"}
    for item in rich.items:
        said = form.said(item.id)
        assert set(said) == set(names)
        for column, language in names.items():
            assert said[column] == literally(rich.wording(item.text, language))


def test_default_language_can_be_chosen(rich: Instrument, tmp_path: Path) -> None:
    written = xlsform.write(rich, tmp_path, language="de")
    root = XForm(written.files[0]).root
    default = [
        one.get("lang") for one in root.iter("translation") if one.get("default")
    ]
    assert default == ["Deutsch (de)"]
    assert root.findtext(".//{*}title") == "Nähe & Distanz"


def test_codes_and_missing_codes_in_order(form: XForm) -> None:
    options = form.options("agree3")
    assert [code for code, _ in options] == ["1", "2", "3", "9"]
    assert options[3][1] == {
        "English (en)": "No answer",
        "Deutsch (de)": "Keine Angabe",
    }
    assert [code for code, _ in form.options("kinds")] == ["a", "b", "c"]


def test_required_only_where_written(form: XForm, rich: Instrument) -> None:
    for item in rich.items:
        wanted = "true()" if item.required else None
        assert form.bind(item.id, "required") == wanted
    assert form.bind("consent_given", "required") == "true()"
    assert form.bind("respondent", "required") == "true()"


def test_relevant_of_items_pages_and_all(form: XForm) -> None:
    expected = {
        "age": None,
        "height": "${age} != '' and ${age} != 30",
        "tr1": None,
        "tr2": "${tr1} != '' and ${tr1} != '2'",
        "ag1": "${wave} != '' and ${wave} > 1",
        "note1": "${tr2} != '' or not(${kind} = 'b' and ${age} != '' and ${age} >= 40)",
        "page_signs": "${age} != '' and ${age} >= 18",
        "after_consent": "${consent_given} = 'yes'",
    }
    found = {
        name: form.bind(name, "relevant") for name in expected if name in form.binds
    }
    for name, wanted in expected.items():
        assert found.get(name) == wanted, name


def test_constraints_and_types(form: XForm) -> None:
    assert form.bind("age", "constraint") == ". >= 18 and . <= 110"
    assert form.bind("age", "type") == "int"
    assert form.bind("height", "constraint") == ". >= 0.5 and . <= 2.5"
    assert form.bind("height", "type") == "decimal"
    assert form.bind("note1", "constraint") == "string-length(.) <= 500"
    assert form.control("note1").get("appearance") == "multiline"
    assert form.said("age", "jr:constraintMsg") == {
        "English (en)": "Please enter a number from 18 to 110 (years).",
        "Deutsch (de)": "Bitte eine Zahl von 18 bis 110 eingeben (Jahre).",
    }
    assert form.said("age", "hint")["Deutsch (de)"] == "Jahre"
    assert form.said("height", "hint")["English (en)"] == "Barefoot"


def test_likert_items_side_by_side_are_a_grid(form: XForm) -> None:
    grid = form.control("grid_signs_1")
    rows = [
        (one.get("ref", "").rsplit("/", 1)[1], one.get("appearance")) for one in grid
    ]
    assert rows == [
        ("head_signs_1", "label"),
        ("tr1", "list-nolabel"),
        ("tr2", "list-nolabel"),
        ("at1", "list-nolabel"),
    ]
    assert form.bind("head_signs_1", "required") is None
    assert form.bind("head_signs_1", "relevant") is None
    assert form.control("wd1").get("appearance") is None  # eight columns: too wide


def test_header_of_a_grid_hides_with_its_rows(tmp_path: Path) -> None:
    scale = "response_scales:\n  - {id: yn, labels: [N, Y]}"
    likert = "type: likert, text: T, response_scale: yn"
    items = (
        f"  - {{id: q1, {likert}, required: true}}\n"
        "  - {id: q2, type: text, text: T}\n"
        f"  - {{id: q3, {likert}, show_if: q1 == 1}}\n"
        f"  - {{id: q4, {likert}, show_if: q1 == 2}}\n"
    )
    written = xlsform.write(tiny(tmp_path, items, scale), tmp_path)
    form = XForm(written.files[0])
    assert form.bind("head_page1_1", "relevant") == "${q1} = '1' or ${q1} = '2'"


def test_pages_are_screens_with_title_and_text(form: XForm) -> None:
    page = form.control("page_signs")
    assert page.get("appearance") == "field-list"
    assert form.said("page_signs") == {
        "English (en)": "Signs",
        "Deutsch (de)": "Zeichen",
    }
    assert form.said("text_signs")["Deutsch (de)"] == "Wie sehr?"


def test_consent_introduction_safety_and_end(form: XForm) -> None:
    assert form.said("consent_text")["English (en)"] == r"It is \*voluntary\*."
    assert form.said("consent_given")["English (en)"] == "I take part."
    assert form.said("intro_text")["English (en)"] == "Think of the past weeks."
    safety = form.said("safety_harm_page")["English (en)"]
    assert safety == "You can leave.\n\n[Leave quickly](https://example.org/a\\_b)"
    assert form.said("end_text")["Deutsch (de)"] == "Danke."
    support = form.said("support_1")["English (en)"]
    assert support.startswith("**Helpline**\nCall.\n[")
    assert support.endswith("(https://example.org/%28help%29)")
    order = form.controls()
    assert order.index("consent_given") < order.index("respondent")
    assert order.index("respondent") < order.index("intro_text") < order.index("age")
    assert order[-3:] == ["end_text", "support_1", "support_2"]


def test_letters_with_a_meaning_stay_literal(form: XForm) -> None:
    assert form.said("note1")["English (en)"] == ("=1+1, a\\_b \\*c\\* \\\\ <\u2060b>?")
    assert form.said("kind")["English (en)"] == "Kind? $\u2060{age} \\#1"
    labels = [said["English (en)"] for _, said in form.options("agree3")]
    assert labels[1] == "Partly, <\u2060b>maybe<\u2060/b>"


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("plain, with - dash", "plain, with - dash"),
        ("a < b & c", "a < b & c"),
        ("[x](y)", "[x]\u2060(y)"),
        ("&lt;b", "&\u2060lt;b"),
        ("- one\n1. two", "-\u2060 one\n1\u2060. two"),
        ("50 % (or 3*4)", "50 % (or 3\\*4)"),
    ],
)
def test_literally(text: str, wanted: str) -> None:
    assert literally(text) == wanted


def test_settings_carry_version_and_hash(form: XForm, rich: Instrument) -> None:
    data = form.root.find(".//instance/data")
    assert data is not None
    assert data.get("id") == "rich_full"
    assert data.get("version") == f"1.2.0-{rich.hash[:8]}"
    assert form.binds["form"].get("calculate") == "'full'"
    assert "started" in form.binds
    assert "finished" in form.binds
    assert "audit" in form.binds


def test_names_and_losses_are_files_too(exported: Export) -> None:
    book, names, losses = exported.files
    assert book.name == "rich_full.xlsx"
    assert json.loads(names.read_text(encoding="utf-8")) == exported.names
    assert exported.names["trust"] == "score_trust"
    assert exported.names["respondent"] == "respondent"
    assert list(exported.losses.columns) == ["what", "where", "detail"]
    pd.testing.assert_frame_equal(pd.read_csv(losses).astype(object), exported.losses)
    assert exported.target == "xlsform"
    assert exported.summary() == "xlsform: 20 columns, 6 thing(s) it cannot express"


def test_every_loss_is_reported(exported: Export) -> None:
    found = set(zip(exported.losses["what"], exported.losses["where"], strict=True))
    assert found == {
        ("language used", "languages"),
        ("translated title", "title"),
        ("wave", "wave"),
        ("random item order", "pages[signs]"),
        ("leave quickly", "pages[harm_page]"),
        (
            "letters read as formatting",
            "items[kind], items[note1], response_scales[agree3]",
        ),
    }


def test_curly_quotes_large_numbers_and_own_words_are_losses(tmp_path: Path) -> None:
    item = (
        "  - {id: q1, type: number, text: \u201cSo\u201d it\u2019s, minimum: 0,"
        " maximum: 1e10, integer: true}"
    )
    one = tiny(tmp_path, item, "languages: [fi]")
    losses = xlsform.write(one, tmp_path).losses
    assert list(losses["what"]) == [
        "words of our own",
        "large whole numbers",
        "curly quotation marks",
    ]


def test_a_plain_instrument_loses_nothing(tmp_path: Path) -> None:
    one = tiny(tmp_path, "  - {id: q1, type: text, text: Say it}")
    written = xlsform.write(one, tmp_path, linking="none")
    assert written.losses.empty
    assert written.summary() == "xlsform: 4 columns, nothing lost"
    form = XForm(written.files[0])
    assert form.warnings == []
    assert form.controls() == ["q1"]
    assert form.said("q1") == {"English (en)": "Say it"}


def test_wave_is_asked_only_where_a_condition_names_it(
    rich: Instrument, tmp_path: Path
) -> None:
    brief = XForm(xlsform.write(rich, tmp_path / "b", form="brief").files[0])
    assert "wave" not in brief.binds
    full = XForm(xlsform.write(rich, tmp_path / "f").files[0])
    assert full.bind("wave", "constraint") == ". >= 1"
    assert full.root.findtext(".//instance/data//wave") == "1"


def test_a_form_has_its_items_only(rich: Instrument, tmp_path: Path) -> None:
    written = xlsform.write(rich, tmp_path, form="brief")
    form = XForm(written.files[0])
    assert form.warnings == []
    asked = [name for name in form.controls() if name in rich.item_ids]
    assert asked == ["age", "tr1", "tr2"]
    assert form.binds["form"].get("calculate") == "'brief'"
    assert "respondent" in form.binds
    assert "couple" not in form.binds


FORMED = """
  - {id: q1, type: number, text: A, minimum: 0, maximum: 9}
  - {id: q2, type: text, text: B}
  - {id: q3, type: text, text: C, show_if: SHOWN}
"""


def test_condition_on_an_item_of_another_form_is_decided(tmp_path: Path) -> None:
    forms = "forms:\n  - {id: short, label: S, items: [q2, q3]}"
    shown = '"not q1 > 3 and (answered(q2) or q1 == 1)"'
    one = tiny(tmp_path, FORMED.replace("SHOWN", shown), forms)
    written = xlsform.write(one, tmp_path)
    assert XForm(written.files[0]).bind("q3", "relevant") == "${q2} != ''"
    assert list(written.losses["what"]) == ["condition on an item of another form"]
    assert "does not ask q1" in written.losses["detail"].iloc[0]


def test_an_item_that_can_never_be_shown_is_an_error(tmp_path: Path) -> None:
    forms = "forms:\n  - {id: short, label: S, items: [q2, q3]}"
    one = tiny(tmp_path, FORMED.replace("SHOWN", "q1 > 3"), forms)
    with pytest.raises(ExportError, match=r"items\[q3\].*q1 > 3.*never shown\. Add"):
        xlsform.write(one, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["audit", "data"])
def test_a_name_that_xforms_keep_is_an_error(tmp_path: Path, name: str) -> None:
    one = tiny(tmp_path, f"  - {{id: {name}, type: text, text: T}}")
    with pytest.raises(ExportError, match=rf"items\[{name}\].*Choose another id"):
        xlsform.write(one, tmp_path)


def test_unknown_form_and_language_are_errors(rich: Instrument, tmp_path: Path) -> None:
    with pytest.raises(ExportError, match=r"no form 'x'.*'full', 'brief'"):
        xlsform.write(rich, tmp_path, form="x")
    with pytest.raises(ExportError, match=r"no language 'fr'.*'en', 'de'"):
        xlsform.write(rich, tmp_path, language="fr")


def test_what_a_cell_cannot_hold_is_an_error(tmp_path: Path) -> None:
    items = (
        '  - {id: q1, type: text, text: "bell \\a"}\n'
        f"  - {{id: q2, type: text, text: {'x' * 33_000}}}"
    )
    with pytest.raises(ExportError) as caught:
        xlsform.write(tiny(tmp_path, items), tmp_path)
    assert "q1: label::English (en): holds the control character" in str(caught.value)
    assert "q2: label::English (en): 33000 characters" in str(caught.value)


@pytest.mark.parametrize(
    ("condition", "wanted"),
    [
        ("age == 18", "${age} = 18"),
        ("age != 18.0", "${age} != '' and ${age} != 18"),
        ("height < 0.5", "${height} != '' and ${height} < 0.5"),
        ("tr1 == 2", "${tr1} = '2'"),
        ("tr1 != 2", "${tr1} != '' and ${tr1} != '2'"),
        ("tr1 >= 2", "${tr1} != '' and ${tr1} >= 2"),
        ("tr1 in (2, 3)", "${tr1} = '2' or ${tr1} = '3'"),
        ("tr1 in (2)", "${tr1} = '2'"),
        ('kind == "b"', "${kind} = 'b'"),
        ('kind != "b"', "${kind} != '' and ${kind} != 'b'"),
        ('kind > "a"', "${kind} = 'b' or ${kind} = 'c'"),
        ('kind < "a"', "false()"),
        ("answered(age)", "${age} != ''"),
        ("not answered(age)", "not(${age} != '')"),
        ("note1 == 5", "number(${note1}) = 5"),
        ('note1 == "it\'s"', '${note1} = "it\'s"'),
        ("wave > 1", "${wave} != '' and ${wave} > 1"),
        (
            "(tr1 == 1 or tr2 == 1) and not age < 30",
            "(${tr1} = '1' or ${tr2} = '1') and not(${age} != '' and ${age} < 30)",
        ),
        (
            "tr1 == 1 or tr2 != 1 and age == 30",
            "${tr1} = '1' or (${tr2} != '' and ${tr2} != '1' and ${age} = 30)",
        ),
    ],
)
def test_conditions_in_xpath(rich: Instrument, condition: str, wanted: str) -> None:
    assert translate(conditions.parse(condition), rich) == wanted


def test_an_order_of_texts_is_an_error(rich: Instrument) -> None:
    with pytest.raises(ExportError, match="orders texts"):
        translate(conditions.parse('note1 < "m"'), rich)


@pytest.mark.parametrize(
    ("value", "wanted"), [(2, "2"), (2.0, "2"), (-0.5, "-0.5"), (1e-7, "0.0000001")]
)
def test_numbers_have_no_exponent(value: float, wanted: str) -> None:
    assert number(value) == wanted


def test_fold_decides_what_is_known() -> None:
    parsed = conditions.parse("not x == 1 and (y == 2 or x == 3)")
    assert fold(parsed, {"x", "y"}) == parsed
    assert fold(parsed, {"y"}) == conditions.Comparison("y", "==", 2)
    assert fold(parsed, {"x"}) == conditions.And(
        (
            conditions.Not(conditions.Comparison("x", "==", 1)),
            conditions.Comparison("x", "==", 3),
        )
    )
    assert fold(parsed, set()) is False
    assert fold(conditions.parse("not x == 1"), set()) is True


class Cell:
    """A value as XPath 1.0 compares it: as numbers where one side is a number."""

    def __init__(self, value: str | float) -> None:
        self.value = value

    def number(self) -> float:
        try:
            return float(self.value)
        except ValueError:
            return float("nan")

    def _equal(self, other: "Cell") -> bool:
        if isinstance(self.value, str) and isinstance(other.value, str):
            return self.value == other.value
        return self.number() == other.number()

    def __eq__(self, other: object) -> bool:
        assert isinstance(other, Cell)
        return self._equal(other)

    def __ne__(self, other: object) -> bool:
        assert isinstance(other, Cell)
        return not self._equal(other)

    __hash__ = None  # type: ignore[assignment]

    def __lt__(self, other: "Cell") -> bool:
        return self.number() < other.number()

    def __le__(self, other: "Cell") -> bool:
        return self.number() <= other.number()

    def __gt__(self, other: "Cell") -> bool:
        return self.number() > other.number()

    def __ge__(self, other: "Cell") -> bool:
        return self.number() >= other.number()

    def __add__(self, other: "Cell") -> "Cell":
        return Cell(self.number() + other.number())

    def __sub__(self, other: "Cell") -> "Cell":
        return Cell(self.number() - other.number())

    def __mul__(self, other: "Cell") -> "Cell":
        return Cell(self.number() * other.number())

    def __truediv__(self, other: "Cell") -> "Cell":
        if other.number() == 0:
            return Cell(float("nan"))
        return Cell(self.number() / other.number())


def evaluate(expression: str, answers: dict[str, str]) -> object:
    """Evaluate the XPath that exports use, by writing it as Python."""
    token = re.compile(
        r"\$\{(?P<ref>\w+)\}|(?P<text>'[^']*')|(?P<number>\d+(\.\d+)?)"
        r"|(?P<word>if|number|false|div)\b|(?P<equal>(?<![!<>])=)"
    )

    def python(found: re.Match[str]) -> str:
        if found["ref"]:
            return f"Cell({answers[found['ref']]!r})"
        if found["text"] or found["number"]:
            return f"Cell({found[0]})"
        return {
            "if": "IF",
            "number": "NUMBER",
            "false": "FALSE",
            "div": "/",
            "=": "==",
        }[found[0]]

    names = {
        "Cell": Cell,
        "IF": lambda test, yes, no: yes if test else no,
        "NUMBER": lambda cell: Cell(cell.number()),
        "FALSE": lambda: False,
    }
    return eval(token.sub(python, expression), {"__builtins__": {}}, names)  # noqa: S307


@pytest.mark.parametrize(
    "condition",
    [
        "tr1 != 2",
        "not tr1 != 2",
        "not (tr1 == 2 or age < 40)",
        "tr1 in (1, 9) and not tr2 in (2, 3)",
        'answered(tr2) or not (kind == "b" and age >= 40)',
        'kind > "a" and age != 30',
        'kind <= "b" or tr1 >= 3 or tr2 < 2',
        "not not answered(age) and (tr1 == 1 or tr2 == 1 or not age > 29)",
        "age <= 30 and age >= 30",
    ],
)
def test_conditions_mean_the_same_in_xpath(rich: Instrument, condition: str) -> None:
    parsed = conditions.parse(condition)
    xpath = translate(parsed, rich)
    possible = {
        "tr1": [None, 1, 2, 3, 9],
        "tr2": [None, 1, 2, 3, 9],
        "age": [None, 29, 30, 40],
        "kind": [None, "a", "b", "c"],
    }
    rows = [
        dict(zip(possible, values, strict=True))
        for values in itertools.product(*possible.values())
    ]
    frame = pd.DataFrame(rows)
    for name in ("tr1", "tr2", "age"):
        frame[name] = frame[name].astype("Int64")
    frame["kind"] = frame["kind"].astype("string")
    ours = conditions.holds(parsed, frame)
    theirs = [
        evaluate(xpath, {k: "" if v is None else str(v) for k, v in row.items()})
        for row in rows
    ]
    assert len(theirs) == 400
    assert ours.tolist() == theirs


def test_scores_follow_the_rules_of_the_instrument(form: XForm) -> None:
    def score(**answers: str) -> dict[str, object]:
        values: dict[str, str] = {"tr1": "", "tr2": "", "ag1": ""} | answers
        for name in ("trust", "harm", "both"):
            for part in ("answered", "score"):
                made = form.bind(f"{part}_{name}", "calculate")
                cell = evaluate(made, values)
                assert isinstance(cell, Cell)
                values[f"{part}_{name}"] = str(cell.value)
        return {name: values[f"score_{name}"] for name in ("trust", "harm", "both")}

    assert score(tr1="3", tr2="1") == {"trust": "3.0", "harm": "", "both": "3.0"}
    assert score(tr1="3", tr2="9", ag1="2") == {
        "trust": "",
        "harm": "2.0",
        "both": "2.0",
    }
    assert score(tr1="1", tr2="2", ag1="3")["both"] == "2.25"
    assert score() == {"trust": "", "harm": "", "both": ""}


def test_answers_are_exported_unreversed(form: XForm) -> None:
    assert "calculate" not in form.binds["tr2"].attrib
    assert [code for code, _ in form.options("agree3")][:3] == ["1", "2", "3"]


def test_a_text_that_looks_like_a_formula_is_none(exported: Export) -> None:
    sheet = openpyxl.load_workbook(exported.files[0])["survey"]
    cells = [cell for row in sheet for cell in row if str(cell.value).startswith("=1")]
    assert cells
    assert all(cell.data_type == "s" for cell in cells)


@pytest.mark.parametrize("chosen", ["full", "short"])
def test_the_bundled_instrument(chosen: str, tmp_path: Path) -> None:
    one = Instrument.load("pushing_away")
    written = xlsform.write(one, tmp_path, form=chosen, linking="couple")
    form = XForm(written.files[0])
    assert form.warnings == []
    asked = tuple(name for name in form.controls() if name in one.item_ids)
    assert asked == one.form_items(chosen)


def test_regions_and_unknown_languages(tmp_path: Path) -> None:
    items = "  - {id: q1, type: text, text: {en-GB: A, en-US: B, xh: C}}"
    one = tiny(tmp_path, items, "languages: [en-GB, en-US, xh]")
    written = xlsform.write(one, tmp_path)
    form = XForm(written.files[0])
    assert form.warnings == []
    assert form.said("q1") == {
        "English GB (en)": "A",
        "English US (en)": "B",
        "xh (xh)": "C",
    }
