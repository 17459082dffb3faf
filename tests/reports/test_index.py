from collections.abc import Callable
from pathlib import Path

from bs4 import BeautifulSoup, Tag

from reports.catalog import Case
from reports.index import write_index
from reports.render import to_html
from reports.run import Run, run_all

MakeCase = Callable[..., Case]


def build(cases: list[Case], folder: Path) -> list[Run]:
    runs = sorted(run_all(cases, folder, jobs=2), key=lambda run: run.case.name)
    for one in runs:
        to_html(one, folder)
    return runs


def cards(page: Path) -> list[Tag]:
    soup = BeautifulSoup(page.read_text("utf-8"), "html.parser")
    return list(soup.select("ol.cards > li"))


def test_every_report_is_linked_with_what_it_answers(
    case: MakeCase, tmp_path: Path
) -> None:
    runs = build([case("1", name="a", asked={"n": 9}), case("1/0", name="b")], tmp_path)
    page = write_index(runs, tmp_path)
    good, bad = cards(page)
    assert good.select_one("h2 a[href='a/index.html']") is not None
    assert good.select_one("a[href='a/notebook.ipynb']") is not None
    assert "What is asked?" in good.get_text()
    assert "✓ Built" in good.get_text()
    assert good.select_one("dl") is not None
    assert "n9" in good.get_text(strip=True)
    assert "kernel start" in good.get_text()
    assert "✗ Failed" in bad.get_text()
    assert "cell 3: ZeroDivisionError: division by zero" in bad.get_text()
    assert bad.select_one("a[href='b/index.html#failed-cell']") is not None
    for link in BeautifulSoup(page.read_text("utf-8"), "html.parser").find_all("a"):
        target = str(link["href"]).partition("#")[0]
        assert not target or (tmp_path / target).is_file()


def test_earlier_pages_are_marked(case: MakeCase, tmp_path: Path) -> None:
    runs = build([case("1", name="a"), case("1", name="b")], tmp_path)
    again = Run.read(tmp_path / "b")
    assert again == runs[1]
    new, old = cards(write_index(runs, tmp_path, earlier={"b"}))
    assert "From an earlier build" not in new.get_text()
    assert "From an earlier build" in old.get_text()


def test_a_page_that_is_not_there_is_not_linked(case: MakeCase, tmp_path: Path) -> None:
    runs = list(run_all([case("1/0", name="a")], tmp_path))
    (card,) = cards(write_index(runs, tmp_path))
    assert card.select_one("a[href='a/index.html']") is None
    assert "ZeroDivisionError" in card.get_text()


def test_synthetic_data_are_announced(case: MakeCase, tmp_path: Path) -> None:
    (tmp_path / "d.csv").write_text("a\n1\n", encoding="utf-8")
    (tmp_path / "manifest.yaml").write_text("synthetic: true\n", encoding="utf-8")
    made = case("1", name="a", parameters=f"data = {str(tmp_path / 'd.csv')!r}")
    runs = build([made, case("1", name="b")], tmp_path)
    index = write_index(runs, tmp_path).read_text("utf-8")
    assert "The answers behind 1 of these 2 pages were simulated" in index
    assert "Synthetic data." in (tmp_path / "a" / "index.html").read_text("utf-8")
    assert "Synthetic data." not in (tmp_path / "b" / "index.html").read_text("utf-8")
