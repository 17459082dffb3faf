import base64
import hashlib
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from nbformat.v4 import new_output

from reports.catalog import Case
from reports.outputs import Outline, blocks, markdown
from reports.render import to_html
from reports.run import run

MakeCase = Callable[..., Case]
PIXEL = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAA"
    "AABJRU5ErkJggg=="
)
AXES = (
    "<Axes: title={'center': '', 'left': \"Trust isn't lost (n = 12)\"}, "
    "xlabel='score, 1 to 5', ylabel='people'>"
)
ATTACK = (
    "<script>alert(1)</script><img src=x onerror=alert(2)>"
    '<a href="javascript:alert(3)" onclick="alert(4)">a</a><svg onload=alert(5)></svg>'
    '<a href="data:text/html,x">d</a><a href="da\tta:text/html,x">d</a>'
    "<style>body{display:none}</style><iframe src='//evil'></iframe>"
    '<td style="position:fixed">t</td><math><mtext></mtext></math>'
)


def html(text: str) -> BeautifulSoup:
    out = new_output("display_data", {"text/html": text})
    (block,) = blocks([out], Outline())
    return BeautifulSoup(str(block.html), "html.parser")


def plain(*texts: str, image: bool = False) -> list[tuple[str, str, str]]:
    outputs = [new_output("execute_result", {"text/plain": text}) for text in texts]
    if image:
        outputs.append(new_output("display_data", {"image/png": PIXEL}))
    outline = Outline()
    outline.add(2, "Trust")
    return [(one.kind, one.text, one.alt) for one in blocks(outputs, outline)]


@pytest.mark.parametrize("text", [ATTACK, f"<table><tr><td>{ATTACK}</td></tr></table>"])
def test_nothing_that_runs_survives(text: str) -> None:
    soup = html(text)
    assert not soup.find_all(["script", "style", "svg", "iframe", "math"])
    for tag in soup.select("*"):
        assert not [name for name in tag.attrs if name.startswith(("on", "style"))]
        assert not tag.get("href")
        assert not tag.get("src")
    assert "alert(1)" not in soup.get_text()


def test_markdown_shows_raw_html_as_text() -> None:
    text = "<b onclick=x>hi</b> [a](javascript:x) ![p](https://evil.example/p.png)\n"
    turned = markdown(f"{text}\n| a |\n|---|\n| <script>1</script> |", Outline())
    assert "&lt;b onclick=x&gt;hi" in turned
    assert "<script" not in turned
    assert "javascript" not in turned
    assert "evil.example" not in turned
    assert '<th scope="col">a</th>' in turned


def test_attached_pictures_are_shown() -> None:
    attached = {"p.png": {"image/png": PIXEL}}
    turned = markdown("![A dot](attachment:p.png)", Outline(), attached)
    assert f'<img alt="A dot" src="data:image/png;base64,{PIXEL}"' in turned


def test_headings_keep_their_order_under_the_title() -> None:
    outline = Outline()
    turned = markdown("# Title\n## One\n#### Deep\n## One\n### `Two`", outline)
    levels = re.findall(r'<(h\d) id="([^"]+)"', turned)
    assert levels == [
        ("h2", "one"),
        ("h3", "deep"),
        ("h2", "one-2"),
        ("h3", "two"),
    ]


def test_pandas_tables_get_headers_and_a_scroll_container() -> None:
    pandas = (
        "<div><style scoped>.dataframe{}</style><table border='1' class='dataframe'>"
        "<thead><tr style='x'><th></th><th>estimate</th><th>note</th></tr>"
        "<tr><th>term</th><th></th><th></th></tr></thead><tbody>"
        "<tr><th>trust</th><td>-0.12</td><td>ok</td></tr>"
        "<tr><th>care</th><td>1e-3</td><td>NaN</td></tr>"
        "<tr><th>hope</th><td>NaN</td><td></td></tr></tbody></table></div>"
    )
    soup = html(pandas)
    table = soup.find("table")
    assert table is not None
    head = table.select("thead th")
    assert [(c.get_text(), c["scope"]) for c in head] == [
        ("term", "col"),
        ("estimate", "col"),
        ("note", "col"),
    ]
    assert [c["scope"] for c in table.select("tbody th")] == ["row"] * 3
    assert [c.get_text() for c in table.select(".number")] == [
        "estimate",
        "-0.12",
        "1e-3",
        "NaN",
    ]
    assert [c.get_text() for c in table.select(".absent")] == ["NaN", "NaN", ""]
    box = table.parent
    assert box is not None
    assert box["tabindex"] == "0"
    assert box["aria-label"] == "Table 1"
    assert "dataframe" not in str(soup)


def test_a_caption_names_its_table_and_empty_headers_are_cells() -> None:
    soup = html(
        "<table><caption>Fit</caption><thead><tr><th></th>"
        "<th colspan='2'>model</th></tr></thead><tbody><tr><th rowspan='2'>a</th>"
        "<td>1</td><td>2</td></tr></tbody></table>"
    )
    assert soup.select_one("div.scroll[aria-label='Table 1: Fit']")
    assert soup.select_one("thead td")
    assert [c["scope"] for c in soup.find_all("th")] == ["colgroup", "rowgroup"]


def test_axes_become_the_alternative_text_of_their_figure() -> None:
    alt = (
        "Figure: Trust isn't lost (n = 12). Horizontal axis: score, 1 to 5. "
        "Vertical axis: people."
    )
    assert plain(AXES, image=True) == [("figure", "", alt)]
    assert plain(AXES) == []
    sign = "<Axes: title={'left': 'Low > high, so {x}'}, xlabel='a > b'>"
    alt = "Figure: Low > high, so {x}. Horizontal axis: a > b."
    assert plain(sign, image=True) == [("figure", "", alt)]
    grid = f"array([{AXES}, {AXES}], dtype=object)"
    assert plain(grid, image=True)[0][2].count("Trust isn't lost") == 2


def test_a_figure_without_axes_is_named_by_its_heading() -> None:
    name = "<seaborn.axisgrid.FacetGrid at 0x7f0000000000>"
    assert plain(name, image=True) == [("figure", "", "Figure: Trust")]
    assert plain("<Axes: >", image=True) == [("figure", "", "Figure: Trust")]


def test_a_sentence_is_prose_and_other_text_is_as_printed() -> None:
    assert plain("'CFI = .95, n = 301'") == [("statement", "CFI = .95, n = 301", "")]
    assert plain("'a\\nb'") == [("text", "a\nb", "")]
    assert plain("(1, 2)") == [("text", "(1, 2)", "")]
    assert plain("\x1b[31mred\x1b[0m <b>") == [("text", "red <b>", "")]


def test_a_page_stands_alone(case: MakeCase, tmp_path: Path) -> None:
    picture = (
        "import matplotlib.pyplot as plt\nax = plt.figure().subplots()\n"
        "ax.set_title('One line', loc='left')\nax.plot([1, 2])\nax"
    )
    cells = ("md:## Look", picture, "import warnings; warnings.warn('careful')")
    text = to_html(run(case(*cells), tmp_path), tmp_path).read_text("utf-8")
    soup = BeautifulSoup(text, "html.parser")
    assert soup.html is not None
    assert soup.html["lang"] == "en"
    assert [h.get_text() for h in soup.find_all("h1")] == ["Tiny"]
    assert soup.select_one("header p.lead") is not None
    assert not soup.find_all(["script", "link", "iframe"])
    assert not soup.select("[style], [onclick]")
    assert not re.search(r"""(?:src|href)=["'](?!data:|#|\.\./index|notebook)""", text)
    image = soup.find("img")
    assert image is not None
    assert image["alt"] == "Figure: One line."
    assert str(image["src"]).startswith("data:image/png;base64,")
    assert len(soup.select("details.code:not([open])")) == 3
    assert "careful" in str(soup.select_one(".note pre"))
    assert soup.select_one("a.skip[href='#content']")
    assert soup.select_one("main#content")
    policy = str(soup.select_one("meta[http-equiv]"))
    assert "default-src &#x27;none&#x27;" in policy or "default-src 'none'" in policy
    style = soup.find("style")
    assert style is not None
    digest = hashlib.sha256(str(style.string).encode()).digest()
    assert base64.b64encode(digest).decode() in policy


def test_the_page_says_what_it_was_made_from(case: MakeCase, tmp_path: Path) -> None:
    parameters = "instrument = 'pushing_away'\nseed = 5"
    done = run(case("1", parameters=parameters, asked={"seed": 6}), tmp_path)
    soup = BeautifulSoup(to_html(done, tmp_path).read_text("utf-8"), "html.parser")
    said = soup.select_one("section.provenance")
    assert said is not None
    text = " ".join(said.get_text(" ").split())
    assert "instrument = pushing_away" in text
    assert "seed = 6" in text
    assert "Seed 6" in text
    for name in ("python", "numpy", "statsmodels", "papermill"):
        assert f"{name} {done.provenance.packages[name]}" in text
    assert f"{done.provenance.time} (UTC)" in text


def test_a_failing_cell_is_shown_with_its_code(case: MakeCase, tmp_path: Path) -> None:
    done = run(case("'<before>'", "1 / 0", "'after'"), tmp_path)
    soup = BeautifulSoup(to_html(done, tmp_path).read_text("utf-8"), "html.parser")
    cell = soup.select_one("#failed-cell")
    assert cell is not None
    assert cell.select_one("details[open] code") is not None
    assert "ZeroDivisionError: division by zero" in cell.get_text()
    assert "1 / 0" in cell.get_text()
    assert soup.select_one("[role=alert] a[href='#failed-cell']") is not None
    assert "<before>" in soup.get_text()
    assert "Code that did not run" in soup.get_text()


def test_a_notebook_that_cannot_be_read_gets_a_page(
    case: MakeCase, tmp_path: Path
) -> None:
    gone = case("1")
    gone.notebook.unlink()
    page = to_html(run(gone, tmp_path), tmp_path).read_text("utf-8")
    assert "there is no such file" in page
    assert 'id="failed-cell"' in page
