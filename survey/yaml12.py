"""Read YAML 1.2 and remember where everything stood.

Plain values are built from the parsed nodes, so that a fault found later can still
name its line. Unlike a YAML 1.1 reader, ``Yes``, ``No``, ``On`` and ``Off`` stay the
words they are.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.reader import ReaderError

from survey.errors import Fault, InstrumentError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

Plain: TypeAlias = "bool | int | float | str | list[Plain] | dict[str, Plain] | None"
Place: TypeAlias = tuple[str | int, ...]

_SIMPLE: dict[str, Callable[[str], bool | int | float | None]] = {
    "tag:yaml.org,2002:int": int,
    "tag:yaml.org,2002:float": float,
    "tag:yaml.org,2002:bool": lambda text: text.lower() == "true",
    "tag:yaml.org,2002:null": lambda _: None,
}
#: Tags of values that stay the words they are; ``!`` is a quoted one.
_WORDS = frozenset(
    (
        "!",
        "tag:yaml.org,2002:str",
        "tag:yaml.org,2002:timestamp",
        "tag:yaml.org,2002:merge",
        "tag:yaml.org,2002:value",
    )
)


@dataclass(slots=True, eq=False)
class Document:
    """A YAML file as plain values, with the line of every place.

    Attributes
    ----------
    file
        Name of the file.
    value
        Dictionaries, lists and scalars.
    lines
        Line (from 1) of each place; a place is the path of keys and positions.
    faults
        Duplicate keys, keys that are no text, and values YAML cannot type.
    """

    file: str
    value: Plain = None
    lines: dict[Place, int] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)

    def line(self, place: Place) -> int | None:
        """Find the line of `place`, or of what contains it."""
        while place and place not in self.lines:
            place = place[:-1]
        return self.lines.get(place)


def read(path: Path) -> Document:
    """Read the YAML file at `path`.

    Raises
    ------
    InstrumentError
        If the file cannot be read, is not UTF-8, or is not YAML; names line and column.
    """
    return read_text(_text(path), path.name)


def read_text(text: str, file: str) -> Document:
    """Read YAML from `text`; `file` is the name used in messages."""
    yaml = YAML(typ="safe", pure=True)
    document = Document(file)
    try:
        node = yaml.compose(text)
        if node is not None:
            document.value = _build(node, (), document)
    except MarkedYAMLError as error:
        raise InstrumentError([_syntax_fault(error, text, file)]) from error
    except ReaderError as error:
        raise InstrumentError([_character_fault(error, text, file)]) from error
    except YAMLError as error:
        fault = Fault(file, None, "file", f"not readable as YAML: {error}", _SAVE)
        raise InstrumentError([fault]) from error
    except RecursionError as error:
        problem = "brackets or anchors are nested without end"
        fault = Fault(file, None, "file", problem, "Close them; see the examples.")
        raise InstrumentError([fault]) from error
    return document


_SAVE = "Save it again from a plain-text editor as UTF-8."


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        problem = f"not UTF-8 text (byte {error.start} is {error.object[error.start]})"
        raise InstrumentError([Fault(path.name, None, "file", problem, _SAVE)]) from (
            error
        )
    except OSError as error:
        problem = f"cannot be read ({error.strerror})"
        remedy = "Check the path and its permissions."
        raise InstrumentError([Fault(str(path), None, "file", problem, remedy)]) from (
            error
        )


def _syntax_fault(error: MarkedYAMLError, text: str, file: str) -> Fault:
    mark = error.problem_mark or error.context_mark
    lines = text.split("\n")
    line = min(mark.line + 1, len(lines)) if mark else None
    column = mark.column + 1 if mark else None
    quoted = lines[line - 1].rstrip("\r") if line else ""
    key = f"column {column}" if column else "file"
    if "\t" in quoted[: (column or 0) + 1] or "\\t" in str(error.problem):
        problem = f"a tab stands where YAML takes only spaces: {quoted!r}"
        return Fault(file, line, key, problem, "Indent with spaces.")
    begun = error.context_mark.line + 1 if error.context_mark else line
    since = f" (begun on line {begun})" if begun != line else ""
    what = error.problem or error.context
    problem = f"not readable as YAML: {what}{since}: {quoted!r}"
    remedy = "Check colons, quotes and indentation here and on the line above."
    return Fault(file, line, key, problem, remedy)


def _character_fault(error: ReaderError, text: str, file: str) -> Fault:
    line = text.count("\n", 0, error.position) + 1
    problem = f"holds the control character {text[error.position]!r}"
    return Fault(file, line, "file", problem, f"Remove it. {_SAVE}")


def _build(node: Node, place: Place, document: Document) -> Plain:
    document.lines.setdefault(place, node.start_mark.line + 1)
    if isinstance(node, MappingNode):
        return _mapping(node, place, document)
    if isinstance(node, SequenceNode):
        return [
            _build(child, (*place, position), document)
            for position, child in enumerate(node.value)
        ]
    if isinstance(node, ScalarNode):
        return _scalar(node, place, document)
    raise TypeError(f"{document.file}: unknown YAML node {node!r}")


def _mapping(node: MappingNode, place: Place, document: Document) -> dict[str, Plain]:
    out: dict[str, Plain] = {}
    for key_node, value_node in node.value:
        line = key_node.start_mark.line + 1
        if not isinstance(key_node, ScalarNode):
            problem, remedy = "a list or a section stands as a key", "Write one word."
            document.faults.append(
                Fault(document.file, line, spell(place), problem, remedy)
            )
            continue
        key = str(key_node.value)
        here = (*place, key)
        if key in out:
            problem = f"the key {key!r} stands twice, first on line "
            document.faults.append(
                Fault(
                    document.file,
                    line,
                    spell(here),
                    f"{problem}{document.lines[here]}",
                    "Keep one of the two.",
                )
            )
            continue
        document.lines[here] = line
        out[key] = _build(value_node, here, document)
    return out


def _scalar(node: ScalarNode, place: Place, document: Document) -> Plain:
    convert = _SIMPLE.get(str(node.tag))
    if convert is None:
        if str(node.tag) not in _WORDS:
            problem = f"the tag {str(node.tag)!r} has no meaning here"
            line, key = node.start_mark.line + 1, spell(place)
            document.faults.append(
                Fault(document.file, line, key, problem, "Remove it or quote the text.")
            )
        return str(node.value)
    try:
        return convert(node.value)
    except ValueError:
        document.faults.append(
            Fault(
                document.file,
                node.start_mark.line + 1,
                spell(place),
                f"cannot read the value {node.value!r}",
                "Put quotes round it if it is text.",
            )
        )
        return str(node.value)


def spell(place: Place) -> str:
    """Spell a place as in ``scales[2].items``; positions count from 1."""
    out = ""
    for step in place:
        if isinstance(step, int):
            out += f"[{step + 1}]"
        else:
            out += f".{step}" if out else step
    return out or "instrument"
