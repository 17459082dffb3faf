"""What a notebook can be asked: the names, types and help of its parameters cell.

papermill only warns on an unknown name and takes any type, and then builds a page that
is not what was asked for. Here both are errors, and no kernel starts.
"""

from __future__ import annotations

import ast
import io
import json
import math
import tokenize
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, TypeAlias

import nbformat

from reports.errors import ParameterError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

Scalar: TypeAlias = bool | int | float | str | None
Value: TypeAlias = bool | int | float | str | list[Scalar] | None

_WORDS = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "text",
    list: "a list",
}
_TRUTH = {"true": True, "yes": True, "false": False, "no": False}


@dataclass(frozen=True, slots=True)
class Parameter:
    """One line of a notebook's parameters cell.

    Attributes
    ----------
    name
        The variable.
    default
        Its value in the notebook; its type is the type every value must have. A default
        of None takes anything.
    help
        The comment behind it.
    """

    name: str
    default: Value
    help: str

    @property
    def wants(self) -> str:
        """Say in words which values fit."""
        if isinstance(self.default, list) and self.default:
            return f"a list, each {_WORDS[type(self.default[0])]}"
        return _WORDS.get(type(self.default), "any plain value")

    def fit(self, value: Value) -> Value:
        """Give `value` back with the default's type.

        Raises
        ------
        ParameterError
            If it has another type. A whole number fits where a number is wanted.
        """
        if not _fits(value, self.default):
            raise ParameterError(
                f"{self.name}: {json.dumps(value, ensure_ascii=False)} is not "
                f"{self.wants}. Give {self.wants}, such as the notebook's default "
                f"{json.dumps(self.default, ensure_ascii=False)}."
            )
        if isinstance(self.default, float) and isinstance(value, int):
            return float(value)
        return value

    def parse(self, text: str) -> Value:
        """Read a value written on the command line, by the default's type.

        Lists are written with commas, or as JSON.

        Raises
        ------
        ParameterError
            If `text` does not spell such a value.
        """
        try:
            return self.fit(_read(text, self.default))
        except ValueError as error:
            raise ParameterError(
                f"{self.name}: {text!r} is not {self.wants}. Give {self.wants}, such "
                f"as the notebook's default {json.dumps(self.default)}."
            ) from error


def declared(notebook: Path) -> dict[str, Parameter]:
    """Read the parameters cell of `notebook`; empty when it has none.

    Raises
    ------
    OSError, ValueError
        If there is no such file or it is not a notebook.
    ParameterError
        If the cell is not Python, or holds anything but plain values given to names.
    """
    with notebook.open(encoding="utf-8") as file:
        cells = nbformat.read(file, 4).cells  # type: ignore[no-untyped-call]
    tagged = [c for c in cells if "parameters" in c.metadata.get("tags", [])]
    if not tagged:
        return {}
    source = str(tagged[0].source)
    try:
        tree = ast.parse(source)
    except SyntaxError as error:
        raise ParameterError(
            f"{notebook.name}: parameters cell, line {error.lineno}: not Python "
            f"({error.msg}). Correct it."
        ) from error
    comments = dict(_comments(source))
    found = (_parameter(node, comments, notebook.name) for node in tree.body)
    return {one.name: one for one in found}


def check(
    notebook: str, offered: Mapping[str, Parameter], given: Mapping[str, Value]
) -> dict[str, Value]:
    """Compare what is `given` with what the notebook has `offered`.

    Raises
    ------
    ParameterError
        Names every unknown name, with the nearest known one, and every wrong type.
    """
    faults: list[str] = []
    fitted: dict[str, Value] = {}
    for name, value in given.items():
        if name not in offered:
            faults.append(f"{notebook}: {unknown(name, offered)}")
            continue
        try:
            fitted[name] = offered[name].fit(value)
        except ParameterError as error:
            faults.append(f"{notebook}: {error}")
    if faults:
        raise ParameterError("\n".join(faults))
    return fitted


def unknown(name: str, known: Mapping[str, object]) -> str:
    """Say that there is no parameter `name`, and which one may have been meant."""
    near = get_close_matches(name, known, n=1, cutoff=0.5)
    listed = ", ".join(known) or "none"
    remedy = (
        f"Did you mean {near[0]!r}?" if near else "Correct the name or leave it out."
    )
    return f"no parameter {name!r}; it has: {listed}. {remedy}"


def show(value: Value) -> str:
    """Spell a value for readers: text as it is, everything else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _fits(value: Value, default: Value) -> bool:
    if default is None:
        return True
    if isinstance(default, bool) or isinstance(value, bool):
        return isinstance(value, bool) and isinstance(default, bool)
    if isinstance(default, float):
        return isinstance(value, int | float) and math.isfinite(value)
    if isinstance(default, list):
        return isinstance(value, list) and all(
            not default or _fits(one, default[0]) for one in value
        )
    return type(value) is type(default)


def _read(text: str, default: Value) -> Value:
    if isinstance(default, str):
        return text
    if isinstance(default, bool):
        return _truth(text)
    if isinstance(default, int):
        return int(text)
    if isinstance(default, float):
        return float(text)
    if isinstance(default, list):
        return _list(text, default)
    return _plain(text)


def _truth(text: str) -> bool:
    if text.lower() not in _TRUTH:
        raise ValueError(text)
    return _TRUTH[text.lower()]


def _list(text: str, default: list[Scalar]) -> list[Scalar]:
    if text.lstrip().startswith("["):
        read = json.loads(text)
        return list(read)
    first = default[0] if default else ""
    out: list[Scalar] = []
    for part in filter(None, (one.strip() for one in text.split(","))):
        value = _read(part, first)
        if not isinstance(value, list):
            out.append(value)
    return out


def _plain(text: str) -> Value:
    """Read a value whose type the notebook leaves open."""
    if text.lower() in {"", "none", "null"}:
        return None
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return _TRUTH.get(text.lower(), text)


def _comments(source: str) -> Iterator[tuple[int, str]]:
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string.lstrip("# ").strip()


def _parameter(node: ast.stmt, comments: dict[int, str], notebook: str) -> Parameter:
    where = f"{notebook}: parameters cell, line {node.lineno}"
    if isinstance(node, ast.Assign) and len(node.targets) == 1:
        target, value = node.targets[0], node.value
    elif isinstance(node, ast.AnnAssign) and node.value is not None:
        target, value = node.target, node.value
    else:
        raise ParameterError(
            f"{where}: not of the form name = value. Move other code to the next cell."
        )
    if not isinstance(target, ast.Name):
        raise ParameterError(f"{where}: gives a value to more than a name. Split it.")
    try:
        default = ast.literal_eval(value)
    except ValueError:
        default = NotImplemented
    if not isinstance(default, bool | int | float | str | list | None):
        raise ParameterError(
            f"{where}: {target.id} has no plain value. Write text, a number, True, "
            "False, None or a list of these."
        )
    comment = comments.get(node.end_lineno or node.lineno, "")
    return Parameter(target.id, default, comment)
