"""Which column is which: by name, by mapping file, and never by a guess."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import pandas as pd
import pytest
from openpyxl import Workbook

from survey import yaml12
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
  - id: union
    codes: [m, c]
    labels: [Married, Cohabiting]
items:
  - {id: trust1, type: likert, response_scale: agree, text: I trust them.}
  - {id: trust2, type: likert, response_scale: agree, text: I rely on them.}
  - {id: union, type: choice, response_scale: union, text: Your relationship?}
  - {id: age, type: number, minimum: 18, maximum: 99, text: Your age?}
  - {id: remark, type: text, text: Anything else?}
forms:
  - {id: full, label: Full}
  - {id: short, label: Short, items: [trust1, age]}
"""
HEADER = "respondent,trust1,trust2,union,age,remark"


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Instrument:
    path = tmp_path_factory.mktemp("instrument") / "tiny.yaml"
    path.write_text(INSTRUMENT, encoding="utf-8")
    return Instrument.load(path)


@pytest.fixture
def put(tmp_path: Path) -> Put:
    def write(content: str, name: str = "answers.csv") -> Path:
        path = tmp_path / name
        path.write_text(content, encoding="utf-8")
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


def details(raw: RawResponses, status: str) -> dict[str, str]:
    rows = raw.report[raw.report["status"] == status]
    names = rows["item"].where(rows["item"] != "", rows["column"])
    return dict(zip(names, rows["detail"], strict=True))


# Names


def test_keys_first_then_items_then_the_rest(put: Put, tiny: Instrument) -> None:
    header = "x,remark,wave,age,seconds_age,union,trust2,respondent,trust1,couple"
    raw = tabular.read(put(f"{header}\n?,a,1,30,2,m,1,p1,2,c1\n"), tiny)
    assert raw.frame.columns.tolist() == [
        *("couple", "wave", "trust1", "trust2", "union", "age", "remark"),
        *("x", "seconds_age"),
    ]
    assert raw.frame["x"].tolist() == ["?"]
    assert details(raw, "unknown") == {"x": ""}


def test_rows_without_respondent_are_numbered_and_it_is_said(
    put: Put, tiny: Instrument
) -> None:
    content = HEADER.replace("respondent", "ResponseId") + "\nR_1,1,1,m,30,x\n"
    raw = tabular.read(put(content), tiny)
    assert raw.frame.index.tolist() == ["row2"]
    assert raw.frame["ResponseId"].tolist() == ["R_1"]
    (note,) = details(raw, "note").values()
    assert "cannot be seen" in note
    assert "`keys: {respondent: 'ResponseId'}`" in note


def test_an_empty_respondent_is_kept_for_validate(put: Put, tiny: Instrument) -> None:
    raw = tabular.read(put(f"{HEADER}\n,1,1,m,30,x\np2,1,1,m,30,x\n"), tiny)
    assert raw.frame.index.tolist() == [None, "p2"]
    outcome = validate(raw, tiny)
    assert len(outcome.quarantine) == 1


def test_blanks_around_respondents_are_told(put: Put, tiny: Instrument) -> None:
    raw = tabular.read(put(f"{HEADER}\np1 ,1,1,m,30,x\n"), tiny)
    assert raw.frame.index.tolist() == ["p1 "]
    assert "'p1 '" in "".join(details(raw, "note").values())


def test_near_names_are_not_taken_but_shown(put: Put, tiny: Instrument) -> None:
    header = "respondent,TRUST1,trust_2,grid/union,Age ,remark"
    message = refuses(
        put(f"{header}\np1,1,1,m,30,x\n"),
        tiny,
        "no column for 4 item(s) of 5 items of 'tiny' 1.0",
        "'TRUST1' looks like trust1",
        "'grid/union' looks like union",
    )
    snippet = message.split("\n\n")[1]
    mapping = yaml12.read_text(snippet, "snippet").value
    assert mapping == {
        "columns": {
            "TRUST1": "trust1",
            "trust_2": "trust2",
            "grid/union": "union",
            "Age ": "age",
        }
    }
    raw = tabular.read(put(f"{header}\np1,1,1,m,30,x\n"), tiny, mapping=mapping)
    assert list(details(raw, "renamed")) == ["trust1", "trust2", "union", "age"]


def test_missing_items_list_what_is_unknown(put: Put, tiny: Instrument) -> None:
    message = refuses(
        put("respondent,trust1,q7\np1,1,1\n"),
        tiny,
        "trust2, union, age, remark.",
        "not known: 'q7'",
    )
    assert "# No column is known for:\n#   trust2, union, age, remark\n" in message
    snippet = yaml12.read_text(message.split("\n\n")[1], "snippet").value
    assert snippet == {"columns": None, "absent": []}
    refuses(put("respondent,trust1\np1,1\n"), tiny, "remark", mapping=snippet)


def test_a_form_that_is_nearly_complete_is_named(put: Put) -> None:
    items = "".join(
        f"  - {{id: q{i}, type: text, text: Say.}}\n" for i in range(10, 22)
    )
    text = f"id: two\nversion: '1.0'\ntitle: Two\nitems:\n{items}forms:\n"
    text += "  - {id: full, label: Full}\n  - id: short\n    label: Short\n    items: ["
    text += ", ".join(f"q{i}" for i in range(10, 16)) + "]\n"
    instrument = Instrument.load(put(text, "two.yaml"))
    path = put("q10,q11,q12,q13,q14\na,b,c,d,e\n")
    refuses(path, instrument, "Of form short these are missing: q15.")


def test_an_unknown_column_near_a_known_one_is_told(put: Put, tiny: Instrument) -> None:
    raw = tabular.read(put(f"{HEADER},Trust1\np1,1,1,m,30,x,2\n"), tiny)
    assert "looks like trust1" in details(raw, "unknown")["Trust1"]


# Forms and items that were not asked


def test_exactly_the_items_of_a_form_are_that_form(put: Put, tiny: Instrument) -> None:
    raw = tabular.read(put("respondent,trust1,age\np1,1,30\n"), tiny)
    assert raw.frame["form"].tolist() == ["short"]
    assert raw.frame[["trust2", "union", "remark"]].isna().all(axis=None)
    assert set(details(raw, "absent").values()) == {"not in form short"}
    missing = validate(raw, tiny).responses.missingness
    assert missing["trust2"].tolist() == ["not shown"]


def test_the_form_column_says_which_items_are_needed(
    put: Put, tiny: Instrument
) -> None:
    short = "respondent,form,trust1,age\np1,short,1,30\n"
    assert list(details(tabular.read(put(short), tiny), "absent")) == [
        *("trust2", "union", "remark")
    ]
    refuses(put(short + "p2,full,1,30\n"), tiny, "form full or short", "trust2, union")
    refuses(put(short + "p2,,1,30\n"), tiny, "trust2, union")
    refuses(put("respondent,form,trust1\np1,short,1\n"), tiny, "form short", "age.")


def test_a_constant_form_and_wave(put: Put, tiny: Instrument) -> None:
    path = put("respondent,trust1,age\np1,1,30\n")
    raw = tabular.read(path, tiny, mapping={"constants": {"form": "short", "wave": 2}})
    assert raw.frame.loc["p1", ["wave", "form"]].tolist() == ["2", "short"]


def test_absent_items_are_declared(put: Put, tiny: Instrument) -> None:
    path = put("respondent,trust1,trust2,age\np1,1,1,30\n")
    raw = tabular.read(path, tiny, mapping={"absent": ["union", "remark"]})
    assert set(details(raw, "absent")) == {"union", "remark"}
    assert raw.frame["union"].isna().all()


def test_many_items_can_be_absent(put: Put) -> None:
    item = "  - {{id: q{:03d}, type: text, text: Say.}}\n"
    text = "id: long\nversion: '1.0'\ntitle: Long\nitems:\n"
    text += "".join(item.format(i) for i in range(300))
    instrument = Instrument.load(put(text, "long.yaml"))
    absent = list(instrument.item_ids[1:])
    raw = tabular.read(put("q000\nx\n"), instrument, mapping={"absent": absent})
    assert raw.frame.columns.tolist() == list(instrument.item_ids)


# Cells


def test_out_of_range_cells_are_counted_and_left_alone(
    put: Put, tiny: Instrument
) -> None:
    rows = ("p1,7,Agree,m,17,x", "p2,7,agree,x,30.5,x", "p3, 1 ,2.0,m,3,")
    raw = tabular.read(put("\n".join((HEADER, *rows))), tiny)
    found = details(raw, "out of range")
    assert found["trust1"] == "2 cell(s): '7' (2)"
    assert "codes: {trust2: {'Agree': 3, 'agree': 3}}" in found["trust2"]
    assert found["union"] == "1 cell(s): 'x' (1)"
    assert found["age"] == "2 cell(s): '17' (1), '3' (1)"
    assert raw.frame["trust1"].tolist() == ["7", "7", " 1 "]


def test_missing_codes_are_in_range(put: Put, tiny: Instrument) -> None:
    raw = tabular.read(put(f"{HEADER}\np1,9,9,m,30,x\n"), tiny)
    assert not details(raw, "out of range")


def test_words_become_codes(put: Put, tiny: Instrument) -> None:
    rows = "p1,Agree,No answer,Married,30,Agree\np2,Disagree,2,c,30,\n"
    codes = {
        "agree": {"Agree": 3, "Disagree": 1, "No answer": None},
        "union": {"Married": "m"},
    }
    raw = tabular.read(put(f"{HEADER}\n{rows}"), tiny, mapping={"codes": codes})
    assert raw.frame["trust1"].tolist() == ["3", "1"]
    assert raw.frame["trust2"].tolist() == [None, "2"]
    assert raw.frame["union"].tolist() == ["m", "c"]
    assert raw.frame["remark"].iloc[0] == "Agree"
    assert "'No answer' (1)" in "".join(details(raw, "note").values())


def test_an_item_has_its_own_words_before_those_of_its_scale(
    put: Put, tiny: Instrument
) -> None:
    codes = {"agree": {"x": 1}, "trust2": {"x": 3}}
    raw = tabular.read(put(f"{HEADER}\np1,x,x,m,30,\n"), tiny, mapping={"codes": codes})
    assert raw.frame.loc["p1", ["trust1", "trust2"]].tolist() == ["1", "3"]


def test_codes_are_swapped_at_once(put: Put, tiny: Instrument) -> None:
    codes = {"trust1": {1: 3, 3: 1}}
    path = put(f"{HEADER}\np1,1,1,m,30,\np2,3,3,m,30,\n")
    raw = tabular.read(path, tiny, mapping={"codes": codes})
    assert raw.frame["trust1"].tolist() == ["3", "1"]
    assert raw.frame["trust2"].tolist() == ["1", "3"]


def test_half_a_recoding_is_refused(put: Put, tiny: Instrument) -> None:
    path = put(f"{HEADER}\np1,0,1,m,30,\np2,1,1,m,30,\np3,2,1,m,30,\n")
    codes = {"trust1": {0: 1, 1: 2}}
    refuses(path, tiny, "trust1: 2 is not recoded", mapping={"codes": codes})
    codes["trust1"][2] = 3
    raw = tabular.read(path, tiny, mapping={"codes": codes})
    assert raw.frame["trust1"].tolist() == ["1", "2", "3"]


def test_numbers_and_truth_values_of_typed_files_are_recoded(
    tmp_path: Path, tiny: Instrument
) -> None:
    path = tmp_path / "answers.xlsx"
    book = Workbook()
    for row in (HEADER.split(","), ["p1", True, 2, "m", 30, "x"]):
        book.active.append(row)
    book.save(path)
    codes = {"trust1": {"true": 3}, "trust2": {"2": 1}}
    raw = tabular.read(path, tiny, mapping={"codes": codes})
    assert raw.frame.loc["p1", ["trust1", "trust2"]].tolist() == [3, 1]


def test_cells_listed_as_missing_are_emptied(put: Put, tiny: Instrument) -> None:
    path = put(f"{HEADER},x\np1,NA,-99, ,30,NA,NA\n")
    raw = tabular.read(path, tiny, mapping={"missing": ["NA", -99, " "]})
    assert raw.frame.iloc[0][["trust1", "trust2", "union", "remark"]].isna().all()
    assert raw.frame["x"].tolist() == ["NA"]
    assert "'NA' (2), '-99' (1)" in "".join(details(raw, "note").values())


def test_decimal_commas_only_on_word(put: Put, tiny: Instrument) -> None:
    path = put(f"{HEADER.replace(',', ';')}\np1;1;1;m;30,5;a 3,5\n")
    assert "decimal: ','" in details(tabular.read(path, tiny), "out of range")["age"]
    raw = tabular.read(path, tiny, mapping={"decimal": ","})
    assert raw.frame.loc["p1", ["age", "remark"]].tolist() == ["30.5", "a 3,5"]
    path = put(f"{HEADER.replace(',', ';')}\np1;1;1;m;30.5;x\n")
    refuses(path, tiny, "age", "'30.5'", mapping={"decimal": ","})


# The mapping file


def test_a_mapping_file_names_columns_and_keys(put: Put, tiny: Instrument) -> None:
    mapping = put(
        "columns:\n  Q1: trust1\n  Q2: trust2\n  t_age: seconds_age\n"
        "  wave: '-'\nkeys:\n  respondent: id\nmissing: [NA]\n",
        "map.yaml",
    )
    path = put("id,Q1,Q2,union,age,remark,t_age,wave\np1,1,NA,m,30,x,2.5,spring\n")
    raw = tabular.read(path, tiny, mapping=str(mapping))
    assert raw.frame.index.tolist() == ["p1"]
    assert raw.frame["seconds_age"].tolist() == ["2.5"]
    assert raw.frame["wave (ignored)"].tolist() == ["spring"]
    assert details(raw, "renamed")["trust1"] == "is trust1, says the mapping"
    assert list(details(raw, "key")) == ["respondent"]


def test_a_file_without_header_is_read_by_position(put: Put, tiny: Instrument) -> None:
    columns = ["respondent", "trust1", "-", "trust2", None, "union", "age", "remark"]
    path = put("p1,1,x,2,y,m,30,a\np2,2,x,2,y,m\n")
    raw = tabular.read(path, tiny, mapping={"header": False, "columns": columns})
    assert raw.first_row == 1
    assert raw.frame.loc["p1", ["trust2", "column 3"]].tolist() == ["2", "x"]
    assert raw.rejected["row"].tolist() == [2]
    short = {"header": False, "columns": ["trust1"]}
    refuses(path, tiny, "none of the 2 row(s) fits", mapping=short)
    path = put("p1;1;x;2;y;m;30;a\n")
    raw = tabular.read(path, tiny, mapping={"header": False, "columns": columns})
    assert raw.frame.loc["p1", "union"] == "m"


def test_a_workbook_without_header(tmp_path: Path, tiny: Instrument) -> None:
    path = tmp_path / "answers.xlsx"
    book = Workbook()
    book.active.append(["p1", 1, 2, "m", 30, "x"])
    book.save(path)
    mapping = {"header": False, "columns": HEADER.split(",")}
    raw = tabular.read(path, tiny, mapping=mapping)
    assert (raw.first_row, raw.frame["age"].tolist()) == (1, [30])
    refuses(path, tiny, "6 columns", mapping={**mapping, "columns": ["trust1"]})


def test_all_faults_of_a_mapping_come_at_once_with_lines(
    put: Put, tiny: Instrument
) -> None:
    mapping = put(
        """colums: {}
columns:
  Q1: trust1
  Q2: trust1
  Q3: trst2
keys:
  person: id
  couple: Q1
codes:
  agree: {Agree: 4}
  agre: {Agree: 3}
  remark: {a: 1}
  age: {old: 200}
missing: ["NA", 3, 44, null]
absent: [trust9, trust1]
constants: {respondent: x, form: shrt, wave: 0, language: de}
delimiter: "::"
encoding: utf-9
decimal: .
sheet: One
header: false
header: true
""",
        "map.yaml",
    )
    message = refuses(put(f"{HEADER}\n"), tiny, mapping=mapping)
    faults = (
        "map.yaml: line 1: colums: unknown key 'colums'. Known are columns,",
        "line 4: columns.Q2: a second column is mapped to 'trust1'",
        "line 5: columns.Q3: 'trst2' is neither an item of the instrument nor a key.",
        "Did you mean 'trust2'?",
        "line 7: keys.person: 'person' is no key column",
        "line 8: keys.couple: the column 'Q1' is mapped twice",
        "line 10: codes.agree.Agree: 4 is no code of 'agree'. Codes are 1, 2, 3, 9.",
        "line 11: codes.agre: 'agre' is neither an item nor a response scale.",
        "Did you mean 'agree'?",
        "line 12: codes.remark: 'remark' is answered in words",
        "line 13: codes.age.old: 200 is not in [18, 99]",
        "line 14: missing[4]:",
        "line 15: absent[1]: 'trust9' is no item",
        "line 15: absent[2]: 'trust1' is declared absent, but",
        "line 16: constants.respondent: 'respondent' cannot be the same",
        "line 16: constants.form: 'shrt' is unknown. Known are full, short.",
        "line 16: constants.wave: 0 is no wave",
        "line 16: constants.language: 'de' is unknown",
        "line 17: delimiter: '::' is not one character",
        "line 18: encoding: 'utf-9' is no encoding",
        "line 20: sheet: says nothing about a file of the kind text. Remove it.",
        "line 21: header: there is no header",
        "line 22: header: the key 'header' stands twice, first on line 21",
    )
    for fault in faults:
        assert fault in message


def test_missing_must_not_be_an_answer(put: Put, tiny: Instrument) -> None:
    path = put(f"{HEADER}\np1,1,9,m,44,\n")
    mapping = {"missing": [9, "44", "NA"]}
    refuses(path, tiny, "9 is an answer to 'trust1'", "'44'", mapping=mapping)
    assert len(tabular.read(path, tiny, mapping={"missing": ["NA"]}).frame) == 1
    mapping = {"codes": {"agree": {"9": None}}}
    assert pd.isna(tabular.read(path, tiny, mapping=mapping).frame["trust2"].iloc[0])


@pytest.mark.parametrize(
    ("mapping", "words"),
    [
        ({"columns": {"Q1": "trust1"}}, ("no column 'Q1'",)),
        ({"columns": {"Trust2": "trust2"}}, ("Did you mean 'trust2'?",)),
        ({"columns": {"x": "trust1"}}, ("'trust1' as well as 'x'", "trust1: '-'")),
        ({"keys": {"couple": "pair"}}, ("keys.couple", "no column 'pair'")),
        ({"keys": {"respondent": "x"}}, ("'respondent' as well as 'x'",)),
        ({"absent": ["trust1"]}, ("'trust1', which is declared absent",)),
        ({"constants": {"wave": 1}}, ("'wave', which is a constant",)),
        ({"columns": ["trust1"]}, ("by position, but the file has a header",)),
        ({"columns": 5}, ("columns",)),
        ({"header": False}, ("there is no header",)),
        (
            {"header": False, "columns": ["trust1"], "keys": {"couple": "x"}},
            ("Put them into the list",),
        ),
        ({"header": "no"}, ("header",)),
        ({"decimal": ";"}, ("decimal",)),
    ],
)
def test_a_mapping_that_contradicts_the_file(
    put: Put, tiny: Instrument, mapping: dict[str, object], words: tuple[str, ...]
) -> None:
    path = put(f"{HEADER},x,wave\np1,1,1,m,30,a,1,1\n")
    refuses(path, tiny, *words, mapping=mapping)


@pytest.mark.parametrize(
    ("content", "word"),
    [
        ("columns:\n\tQ1: trust1\n", "tab"),
        ("- trust1\n", "list"),
        ("columns: [", "YAML"),
    ],
)
def test_a_mapping_that_is_no_mapping(
    put: Put, tiny: Instrument, content: str, word: str
) -> None:
    mapping = put(content, "map.yaml")
    refuses(put(f"{HEADER}\np1,1,1,m,30,a\n"), tiny, "map.yaml", word, mapping=mapping)


def test_an_empty_mapping_says_nothing(put: Put, tiny: Instrument) -> None:
    path = put(f"{HEADER}\np1,1,1,m,30,a\n")
    for mapping in (put("", "map.yaml"), put("columns:\nkeys:\n", "map2.yaml"), {}):
        assert len(tabular.read(path, tiny, mapping=mapping).frame) == 1


def test_a_mapping_file_that_is_not_there(put: Put, tiny: Instrument) -> None:
    path = put(f"{HEADER}\np1,1,1,m,30,a\n")
    refuses(path, tiny, "gone.yaml", mapping="gone.yaml")


def test_columns_swap_names(put: Put, tiny: Instrument) -> None:
    path = put(f"{HEADER}\np1,1,3,m,30,a\n")
    mapping = {"columns": {"trust1": "trust2", "trust2": "trust1"}}
    raw = tabular.read(path, tiny, mapping=mapping)
    assert raw.frame.loc["p1", ["trust1", "trust2"]].tolist() == ["3", "1"]


def test_names_that_pandas_would_trip_over(put: Put, tiny: Instrument) -> None:
    raw = tabular.read(put(f"{HEADER},self,index\np1,1,1,m,30,a,b,c\n"), tiny)
    assert raw.frame.loc["p1", ["self", "index"]].tolist() == ["b", "c"]
