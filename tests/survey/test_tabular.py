"""Files of every kind that is read, as they should be and as they are."""

from __future__ import annotations

import re
import zipfile
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pyreadstat
import pytest
from openpyxl import Workbook, load_workbook

from survey.collect import tabular
from survey.errors import ResponsesError
from survey.instrument import Instrument
from survey.validate import validate

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from survey.responses import RawResponses

Put: TypeAlias = "Callable[..., Path]"

INSTRUMENT = """
id: tiny
version: '1.0'
title: A tiny questionnaire
response_scales:
  - id: agree
    labels: [Disagree, Neither, Agree]
    missing: [{code: 9, label: Prefer not to say}]
  - id: kind
    codes: [m, c]
    labels: [Married, Cohabiting]
items:
  - {id: trust1, type: likert, response_scale: agree, text: I trust them.}
  - {id: trust2, type: likert, response_scale: agree, text: I rely on them.}
  - {id: union, type: choice, response_scale: kind, text: Your relationship?}
  - {id: age, type: number, minimum: 18, maximum: 99, text: Your age?}
  - {id: remark, type: text, max_length: 5000, text: Anything else?}
forms:
  - {id: full, label: Full}
  - {id: short, label: Short, items: [trust1, age]}
"""
HEADER = "respondent,trust1,trust2,union,age,remark"
ROWS = ("p1,1,3,m,34,fine", "p2,2,9,c,41,", 'p3,3,,m,28,"a, b"')
MORNING = pd.Timestamp("2026-03-01T08:30")
CSV = "\n".join((HEADER, *ROWS)) + "\n"


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Instrument:
    path = tmp_path_factory.mktemp("instrument") / "tiny.yaml"
    path.write_text(INSTRUMENT, encoding="utf-8")
    return Instrument.load(path)


@pytest.fixture
def put(tmp_path: Path) -> Put:
    def write(content: str | bytes, name: str = "answers.csv") -> Path:
        path = tmp_path / name
        data = content.encode("utf-8") if isinstance(content, str) else content
        path.write_bytes(data)
        return path

    return write


def refuses(
    path: Path, instrument: Instrument, *words: str, mapping: Any = None
) -> str:
    with pytest.raises(ResponsesError) as caught:
        tabular.read(path, instrument, mapping=mapping)
    message = str(caught.value)
    for word in words:
        assert word in message
    return message


def notes(raw: RawResponses) -> str:
    return "\n".join(raw.report.loc[raw.report["status"] == "note", "detail"])


def numbers() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "respondent": [1001.0, 1002.0, 1003.0],
            "trust1": [1.0, 2.0, 3.0],
            "trust2": [3.0, 9.0, np.nan],
            "union": ["m", "c", "m"],
            "age": [34.0, 41.0, 28.0],
            "remark": ["fine", "", "a, b"],
        }
    )


# Plain text


def test_cells_of_text_stay_text(put: Put, tiny: Instrument) -> None:
    raw = tabular.read(put(CSV), tiny)
    assert raw.frame.index.tolist() == ["p1", "p2", "p3"]
    assert raw.frame.index.name == "respondent"
    assert raw.frame["trust1"].tolist() == ["1", "2", "3"]
    assert raw.frame["remark"].tolist() == ["fine", None, "a, b"]
    assert (raw.source, raw.first_row) == ("answers.csv", 2)
    assert raw.report["status"].tolist() == ["key"] + ["matched"] * 5
    assert raw.rejected.empty


def test_nothing_is_taken_for_missing_or_for_a_number(
    put: Put, tiny: Instrument
) -> None:
    content = f"{HEADER}\n007,NA,1.0,null, 34 ,-\n"
    frame = tabular.read(put(content), tiny).frame
    assert frame.index.tolist() == ["007"]
    assert frame.iloc[0].tolist() == ["NA", "1.0", "null", " 34 ", "-"]


@pytest.mark.parametrize(
    ("encoding", "says"),
    [("utf-8-sig", ""), ("utf-16", "read as utf-16"), ("utf-32", "read as utf-32")],
)
def test_a_byte_order_mark_tells_the_encoding(
    put: Put, tiny: Instrument, encoding: str, says: str
) -> None:
    raw = tabular.read(put(CSV.replace("fine", "schön").encode(encoding)), tiny)
    assert raw.frame["remark"].iloc[0] == "schön"
    assert says in notes(raw)


def test_latin_1_is_refused_with_place_and_remedy(put: Put, tiny: Instrument) -> None:
    path = put(CSV.replace("fine", "schön").encode("latin-1"))
    where = CSV.replace("fine", "schön").index("ö")
    refuses(path, tiny, "line 2", f"byte {where} (0xF6)", "encoding: cp1252")
    raw = tabular.read(path, tiny, mapping={"encoding": "latin-1"})
    assert raw.frame["remark"].iloc[0] == "schön"


def test_bytes_late_in_a_file_are_checked_too(put: Put, tiny: Instrument) -> None:
    long = HEADER + "\n" + "p1,1,1,m,30,fine\n" * 9000
    path = put(long.encode() + "p2,1,1,m,30,ö\n".encode("latin-1"))
    refuses(path, tiny, "line 9002", "0xF6")


def test_utf_16_without_mark_asks_for_the_encoding(put: Put, tiny: Instrument) -> None:
    path = put(CSV.encode("utf-16-le"))
    refuses(path, tiny, "encoding: utf-16-le")
    raw = tabular.read(path, tiny, mapping={"encoding": "utf-16-le"})
    assert len(raw.frame) == 3


@pytest.mark.parametrize(
    ("delimiter", "name"), [(";", "semicolon"), ("\t", "tab"), ("|", "bar")]
)
def test_another_delimiter_is_seen_and_said(
    put: Put, tiny: Instrument, delimiter: str, name: str
) -> None:
    content = CSV.replace('"a, b"', "ab").replace(",", delimiter)
    raw = tabular.read(put(content), tiny)
    assert raw.frame["trust1"].tolist() == ["1", "2", "3"]
    assert f"separated by a {name}" in notes(raw)


def test_a_tsv_has_tabs_and_commas_in_cells(put: Put, tiny: Instrument) -> None:
    content = CSV.replace('"a, b"', "ab").replace(",", "\t").replace("fine", "a,b")
    raw = tabular.read(put(content, "answers.TSV"), tiny)
    assert raw.frame["remark"].iloc[0] == "a,b"


def test_an_uncertain_delimiter_is_asked_for(put: Put, tiny: Instrument) -> None:
    path = put("a;b;c\n1;2;3\n")
    refuses(path, tiny, "cannot tell", "semicolon", "delimiter: ';'")
    refuses(path, tiny, "no column for 5 item(s)", mapping={"delimiter": ";"})


def test_a_sep_line_declares_the_delimiter(put: Put, tiny: Instrument) -> None:
    content = "sep=;\n" + CSV.replace('"a, b"', "ab").replace(",", ";")
    raw = tabular.read(put(content), tiny)
    assert (len(raw.frame), raw.first_row) == (3, 3)


def test_quotes_newlines_and_line_ends(put: Put, tiny: Instrument) -> None:
    cell = '"two\r\nlines, and a ""quote"""'
    content = "\r\n".join((HEADER, f"p1,1,1,m,30,{cell}", ROWS[1], ""))
    raw = tabular.read(put(content), tiny)
    assert raw.frame["remark"].iloc[0] == 'two\r\nlines, and a "quote"'
    assert raw.frame.index.tolist() == ["p1", "p2"]
    assert len(tabular.read(put(CSV.replace("\n", "\r")), tiny).frame) == 3


def test_a_quote_that_is_not_closed_names_its_line(put: Put, tiny: Instrument) -> None:
    refuses(put(CSV + 'p4,1,1,m,30,"open\n'), tiny, "line 5", "never closed")
    broken = CSV.replace("fine", '"open') + 'p4,1,1,m,30,"x"\n'
    refuses(put(broken), tiny, "lines 2 to 4", "closing quote")


def test_a_very_long_cell_is_read(put: Put, tiny: Instrument) -> None:
    raw = tabular.read(put(CSV.replace("fine", "x" * 300_000)), tiny)
    assert len(raw.frame["remark"].iloc[0]) == 300_000
    assert "300000" not in raw.report.to_string()


@pytest.mark.parametrize("cell", ["=1+1", "+49", "-2", "@here", '=HYPERLINK("x")'])
def test_a_formula_in_a_comment_is_text(put: Put, tiny: Instrument, cell: str) -> None:
    quoted = '"' + cell.replace('"', '""') + '"'
    raw = tabular.read(put(CSV.replace("fine", quoted)), tiny)
    assert raw.frame["remark"].iloc[0] == cell


# Rows that do not fit


def test_ragged_rows_are_set_aside_whole(put: Put, tiny: Instrument) -> None:
    content = CSV + 'p4,1,1,m\n,p5,1,1,m,30,"x\ny"\np6,1,1,m,30,ok\n'
    raw = tabular.read(put(content), tiny)
    assert raw.frame.index.tolist() == ["p1", "p2", "p3", "p6"]
    assert raw.rejected["row"].tolist() == [5, 6]
    assert raw.rejected["text"].tolist() == ["p4,1,1,m", ',p5,1,1,m,30,"x\ny"']
    assert raw.rejected["reason"].tolist() == [
        "4 cells for 6 columns",
        "7 cells for 6 columns",
    ]
    assert "row(s) 5, 6" in notes(raw)


def test_no_row_that_fits_is_an_error(put: Put, tiny: Instrument) -> None:
    refuses(put(f"{HEADER}\np1;1;1;m;30;x\n"), tiny, "none of the 1 row(s)", "1 cells")


def test_empty_rows_keep_the_numbers_of_others(put: Put, tiny: Instrument) -> None:
    content = f"{HEADER}\n{ROWS[0]}\n\n,,,,,\n{ROWS[1]}\n,,,,,\n\n"
    raw = tabular.read(put(content), tiny)
    assert raw.frame.index.tolist() == ["p1", "p2"]
    assert raw.rejected["row"].tolist() == [3, 4]
    assert "2 empty row(s) at the end" in notes(raw)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", ("empty (0 bytes)",)),
        (b"\xef\xbb\xbf", ("blank",)),
        (b"\n \n", ("blank",)),
        (HEADER.encode(), ("there are no answers", "6 column(s)")),
        (HEADER.encode() + b"\n\n,,,,,\n", ("there are no answers",)),
        (b"sep=;\n", ("no header",)),
        (
            b"respondent,trust1,trust1,union,age,age\n1,1,1,m,3,3\n",
            ("'trust1': column 2, column 3", "'age': column 5, column 6"),
        ),
        (b"1,2,1\n3,3,3\n", ("numbers only (1, 2, 1)", "header: false")),
        (
            b",trust1,,\n1,1,1,1\n",
            ("no name in the header: column 1, column 3, column 4",),
        ),
        (CSV.encode() + b"p4,1,1,m,30,a\0b\n", ("is no text",)),
    ],
)
def test_text_that_holds_no_table(
    put: Put, tiny: Instrument, content: bytes, words: tuple[str, ...]
) -> None:
    refuses(put(content), tiny, *words)


def test_a_late_nul_names_its_line(put: Put, tiny: Instrument) -> None:
    long = HEADER + "\n" + "p1,1,1,m,30,fine\n" * 9000 + "p2,1,1,m,30,\0\n"
    refuses(put(long), tiny, "line 9002", "NUL")


# Files that are not what they seem


@pytest.mark.parametrize(
    ("head", "word"),
    [
        (b"\x89PNG\r\n\x1a\n", "PNG picture"),
        (b"%PDF-1.7\n", "PDF"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "save it as .xlsx"),
        (b"PAR1", ".parquet"),
        (b"$FL2@(#) SPSS", ".sav"),
        (b"<stata_dta><header>", ".dta"),
        (b"PK\x03\x04broken", "zip"),
        (b"\x1f\x8b\x08", "unpack"),
        (b"<!DOCTYPE html><html>", "web page"),
        (b"\x01\x00\x02\x03", "binary"),
    ],
)
def test_binary_named_csv_is_recognised(
    put: Put, tiny: Instrument, head: bytes, word: str
) -> None:
    refuses(put(head + b"\0\x01\xff" * 40), tiny, word)


def test_two_gigabytes_of_binary_are_not_read(put: Put, tiny: Instrument) -> None:
    path = put(b"\x89PNG\r\n\x1a\n")
    with path.open("r+b") as file:
        file.truncate(2 * 1024**3)
    refuses(path, tiny, "PNG")
    with path.open("r+b") as file:
        file.write(b"not a PNG")
    refuses(path, tiny, "binary")


def test_a_workbook_named_csv_is_told_to_be_renamed(
    tmp_path: Path, tiny: Instrument
) -> None:
    path = tmp_path / "answers.xlsx"
    numbers().to_excel(path, index=False)
    path.rename(tmp_path / "answers.csv")
    refuses(tmp_path / "answers.csv", tiny, "Excel workbook: rename it to .xlsx")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("answers.xlsx", ("plain text", ".csv")),
        ("answers.sav", ("plain text",)),
        ("answers.xls", ("save it as .xlsx",)),
        ("answers.docx", ("Known are .csv",)),
        ("answers", ("without an ending",)),
    ],
)
def test_names_that_do_not_fit(
    put: Put, tiny: Instrument, name: str, words: tuple[str, ...]
) -> None:
    refuses(put(CSV, name), tiny, *words)


@pytest.mark.parametrize("name", ["a.sav", "a.dta", "a.parquet", "a.xlsx"])
def test_damaged_files_are_refused(put: Put, tiny: Instrument, name: str) -> None:
    start = {"a.sav": b"$FL2", "a.parquet": b"PAR1", "a.xlsx": b"PK\x03\x04"}
    refuses(put(start.get(name, b"") + b"\0\x01" * 500, name), tiny, name)


def test_no_file_and_a_folder(tmp_path: Path, tiny: Instrument) -> None:
    refuses(tmp_path / "gone.csv", tiny, "no such file")
    refuses(tmp_path, tiny, "folder")


# Excel


def test_excel_keeps_types(tmp_path: Path, tiny: Instrument) -> None:
    path = tmp_path / "answers.xlsx"
    numbers().assign(started=MORNING).to_excel(path, index=False)
    raw = tabular.read(path, tiny)
    assert raw.frame.index.tolist() == ["1001", "1002", "1003"]
    assert raw.frame["trust2"].tolist()[:2] == [3, 9]
    assert pd.isna(raw.frame["trust2"].iloc[2])
    assert raw.frame["started"].iloc[0] == MORNING
    assert len(validate(raw, tiny).responses) == 3


def sheet(path: Path, rows: list[Any], title: str = "Answers") -> Workbook:
    book = Workbook()
    book.active.title = title
    for row in rows:
        book.active.append(row)
    book.save(path)
    return book


def test_excel_asks_which_sheet(tmp_path: Path, tiny: Instrument) -> None:
    path = tmp_path / "answers.xlsx"
    book = sheet(path, [HEADER.split(","), *(row.split(",")[:6] for row in ROWS)])
    book.create_sheet("Empty")
    book.save(path)
    assert len(tabular.read(path, tiny).frame) == 3
    book["Empty"]["B2"] = "notes"
    book.save(path)
    refuses(path, tiny, "'Answers', 'Empty'", "sheet: Answers")
    assert len(tabular.read(path, tiny, mapping={"sheet": "Answers"}).frame) == 3
    refuses(path, tiny, "no sheet 'Other'", mapping={"sheet": "Other"})


def test_excel_names_nameless_columns_and_merged_headers(
    tmp_path: Path, tiny: Instrument
) -> None:
    path = tmp_path / "answers.xlsx"
    book = sheet(path, [["respondent", "trust1", "trust2"], ["p1", 1, 2]])
    book.active.merge_cells("B1:C1")
    book.save(path)
    refuses(path, tiny, "column C", "merged")


def test_excel_formulas_give_their_stored_value(
    tmp_path: Path, tiny: Instrument
) -> None:
    path = tmp_path / "answers.xlsx"
    rows = [HEADER.split(","), ["p1", "=1+1", 1, "m", 30, "'=x"]]
    sheet(path, rows)
    refuses(path, tiny, "without a stored value in B2")


def test_excel_formulas_with_a_value_are_told(tmp_path: Path, tiny: Instrument) -> None:
    path, computed = tmp_path / "raw.xlsx", tmp_path / "answers.xlsx"
    sheet(path, [HEADER.split(","), ["p1", "=1+1", 1, "m", 30, "x"]])
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(computed, "w") as new:
        for name in old.namelist():
            stored = re.sub(rb"<v ?/>|<v></v>", b"<v>2</v>", old.read(name))
            new.writestr(name, stored)
    raw = tabular.read(computed, tiny)
    assert raw.frame["trust1"].tolist() == [2]
    assert "1 cell(s) are formulas" in notes(raw)


def test_excel_text_that_looks_like_a_formula_stays(
    tmp_path: Path, tiny: Instrument
) -> None:
    path = tmp_path / "answers.xlsx"
    book = sheet(path, [HEADER.split(","), ["p1", 1, 1, "m", 30, "x"]])
    book.active["F2"].value = "=1+1"
    book.active["F2"].data_type = "s"
    book.save(path)
    assert load_workbook(path).active["F2"].value == "=1+1"
    assert tabular.read(path, tiny).frame["remark"].iloc[0] == "=1+1"


def test_excel_rows_keep_their_numbers(tmp_path: Path, tiny: Instrument) -> None:
    path = tmp_path / "answers.xlsx"
    names = HEADER.split(",")
    one = ["p1", 1, 1, "m", 30, None]
    sheet(path, [[], names, one, [], ["p2", *one[1:]], [None, " "[:0]]])
    raw = tabular.read(path, tiny)
    assert raw.first_row == 3
    assert raw.rejected["row"].tolist() == [4]


def test_excel_without_rows(tmp_path: Path, tiny: Instrument) -> None:
    path = tmp_path / "answers.xlsx"
    sheet(path, [])
    refuses(path, tiny, "all sheets are empty")
    sheet(path, [HEADER.split(",")])
    refuses(path, tiny, "there are no answers")


# SPSS, Stata, parquet


@pytest.mark.parametrize("name", ["answers.sav", "answers.zsav"])
def test_spss_keeps_user_missing_codes(
    tmp_path: Path, tiny: Instrument, name: str
) -> None:
    path = tmp_path / name
    frame = numbers()
    frame.loc[0, "trust1"] = -99
    pyreadstat.write_sav(
        frame,
        path,
        missing_ranges={"trust1": [-99], "trust2": [9]},
        variable_value_labels={"trust1": {1: "Disagree"}},
        compress=False,
        row_compress=False,
    )
    raw = tabular.read(path, tiny)
    assert raw.frame["trust1"].tolist() == [-99, 2, 3]
    assert raw.frame["trust2"].tolist()[:2] == [3, 9]
    assert raw.frame.index.tolist() == ["1001", "1002", "1003"]
    assert "trust1, trust2" in notes(raw)
    outside = raw.report[raw.report["status"] == "out of range"]
    assert outside[["item", "detail"]].to_numpy().tolist() == [
        ["trust1", "1 cell(s): '-99' (1)"]
    ]
    kept = tabular.read(path, tiny, mapping={"missing": [-99]}).frame["trust1"]
    assert pd.isna(kept.iloc[0])


def test_stata_keeps_extended_missing_values(tmp_path: Path, tiny: Instrument) -> None:
    path = tmp_path / "answers.dta"
    frame = numbers().astype({"trust1": object})
    frame.loc[1, "trust1"] = "a"
    pyreadstat.write_dta(frame, path, version=14, missing_user_values={"trust1": ["a"]})
    raw = tabular.read(path, tiny)
    assert raw.frame["trust1"].tolist() == [1, ".a", 3]
    assert ".a" in notes(raw)
    coded = tabular.read(path, tiny, mapping={"codes": {"agree": {".a": 9}}})
    assert coded.frame["trust1"].tolist() == [1, 9, 3]


def test_stata_written_by_pandas(tmp_path: Path, tiny: Instrument) -> None:
    path = tmp_path / "answers.dta"
    numbers().to_stata(path, write_index=False, version=118)
    raw = tabular.read(path, tiny)
    assert raw.frame["remark"].iloc[0] == "fine"
    assert pd.isna(raw.frame["remark"].iloc[1])
    assert len(validate(raw, tiny).responses) == 3


@pytest.mark.parametrize("suffix", ["sav", "dta", "parquet"])
def test_typed_files_without_rows(
    tmp_path: Path, tiny: Instrument, suffix: str
) -> None:
    path, empty = tmp_path / f"answers.{suffix}", numbers().iloc[:0]
    if suffix == "sav":
        pyreadstat.write_sav(empty, path)
    elif suffix == "dta":
        pyreadstat.write_dta(empty, path, version=14)
    else:
        empty.to_parquet(path)
    refuses(path, tiny, "there are no answers")


def test_parquet_keeps_types(tmp_path: Path, tiny: Instrument) -> None:
    path = tmp_path / "answers.parquet"
    frame = numbers().astype({"trust2": "Int64", "union": "string"})
    frame["couple"] = pd.Categorical(["x", "x", "y"])
    frame.to_parquet(path, index=False)
    raw = tabular.read(path, tiny).frame
    assert raw["trust2"].dtype == "Int64"
    assert raw["couple"].tolist() == ["x", "x", "y"]


def test_parquet_of_others_keeps_large_whole_numbers(
    tmp_path: Path, tiny: Instrument
) -> None:
    path = tmp_path / "answers.parquet"
    large = 2**53 + 1
    columns = {
        "respondent": pa.array([large, None]),
        **{n: pa.array([1, None]) for n in ("trust1", "trust2", "age")},
        "union": pa.array(["m", None]),
        "remark": pa.array(["", None]),
    }
    pq.write_table(pa.table(columns), path)
    raw = tabular.read(path, tiny).frame
    assert raw.index[0] == str(large)
    assert raw["remark"].isna().all()


def test_parquet_with_two_columns_of_one_name(tmp_path: Path, tiny: Instrument) -> None:
    path = tmp_path / "answers.parquet"
    table = pa.Table.from_arrays([pa.array([1]), pa.array([2])], ["trust1", "trust1"])
    pq.write_table(table, path)
    refuses(path, tiny, "trust1", "Rename")


def test_validated_answers_come_back_equal(
    put: Put, tmp_path: Path, tiny: Instrument
) -> None:
    content = (
        HEADER
        + ",wave,seconds,seconds_trust1,started\n"
        + "".join(f"{row},1,60.5,2.5,2026-03-01T08:30:00Z\n" for row in ROWS)
    )
    first = validate(tabular.read(put(content), tiny), tiny).responses
    path = tmp_path / "validated.parquet"
    first.table().to_parquet(path)
    again = validate(tabular.read(path, tiny), tiny).responses
    pd.testing.assert_frame_equal(again.frame, first.frame)
    pd.testing.assert_frame_equal(again.people, first.people)
    pd.testing.assert_frame_equal(again.timings, first.timings)


def test_every_kind_of_file_says_the_same(tmp_path: Path, tiny: Instrument) -> None:
    frame = numbers().drop(columns="remark").assign(remark="x")
    frame.to_excel(tmp_path / "a.xlsx", index=False)
    frame.to_parquet(tmp_path / "a.parquet")
    frame.to_csv(tmp_path / "a.csv", index=False)
    frame.to_csv(tmp_path / "a.tsv", index=False, sep="\t")
    pyreadstat.write_sav(frame, tmp_path / "a.sav")
    pyreadstat.write_dta(frame, tmp_path / "a.dta", version=14)
    valid = {
        suffix: validate(tabular.read(tmp_path / f"a.{suffix}", tiny), tiny)
        for suffix in ("xlsx", "parquet", "tsv", "sav", "dta")
    }
    for outcome in valid.values():
        frame = outcome.responses.frame.reset_index(drop=True)
        expected = valid["xlsx"].responses.frame.reset_index(drop=True)
        pd.testing.assert_frame_equal(frame, expected)
