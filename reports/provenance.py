"""What a page was made from, and with what."""

from __future__ import annotations

import hashlib
import platform
import subprocess
from datetime import UTC, datetime
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from reports.places import Scrubber
from survey.errors import SurveyError
from survey.instrument import Instrument

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from reports.parameters import Value

PACKAGES = (
    "pushaway",
    "numpy",
    "scipy",
    "pandas",
    "statsmodels",
    "seaborn",
    "pandera",
    "papermill",
)
_MANIFEST = "manifest.yaml"
_TOLD = ("source", "command", "seed", "instrument", "version", "hash", "date")


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class InstrumentStamp(_Frozen):
    """Which questionnaire, exactly."""

    id: str
    version: str
    hash: str
    title: str


class FileStamp(_Frozen):
    """Which data, exactly.

    Attributes
    ----------
    parameter
        Name of the parameter that pointed at the file.
    path
        As shown to readers: relative to the project, else only its name.
    sha256
        Of the bytes as they are now; None when there is no such file.
    synthetic
        What the manifest says; None without one.
    manifest
        The manifest's other entries.
    """

    parameter: str
    path: str
    sha256: str | None
    synthetic: bool | None = None
    manifest: dict[str, str] = {}


class Provenance(_Frozen):
    """What a page was made from, and with what.

    Attributes
    ----------
    commit
        Of the project's git repository; None when it is not one.
    changed
        Whether files differ from that commit.
    seed
        The parameter of that name, if there is one.
    time
        When the run began, ISO 8601 in UTC.
    warnings
        What does not agree, such as a file that is not the one its manifest describes.
    """

    instrument: InstrumentStamp | None
    files: tuple[FileStamp, ...]
    packages: dict[str, str]
    commit: str | None
    changed: bool
    seed: int | None
    time: str
    warnings: tuple[str, ...]

    @property
    def synthetic(self) -> bool:
        """Whether any of the data were simulated."""
        return any(one.synthetic for one in self.files)

    @property
    def code(self) -> str:
        """Name the state of the code in a few words."""
        if self.commit is None:
            return "not under version control"
        return self.commit + (" with local changes" if self.changed else "")


def collect(parameters: Mapping[str, Value], root: Path) -> Provenance:
    """Read what a notebook with these `parameters` will be made from.

    Parameters
    ----------
    parameters
        All of them, defaults included. ``instrument`` names a questionnaire, ``seed``
        a seed; every other text that leads to a file from `root` names data.
    root
        Folder in which the notebook runs.
    """
    warnings: list[str] = []
    instrument = _instrument(parameters.get("instrument"), root, warnings)
    scrub = Scrubber(root, parameters.values())
    files = tuple(_files(parameters, root, scrub, warnings))
    warnings.extend(_disagreements(instrument, files))
    commit, changed = _git(root)
    seed = parameters.get("seed")
    return Provenance(
        instrument=instrument,
        files=files,
        packages=packages(),
        commit=commit,
        changed=changed,
        seed=seed if isinstance(seed, int) else None,
        time=datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        warnings=tuple(map(scrub.text, warnings)),
    )


def packages() -> dict[str, str]:
    """Versions of Python and of the packages that make the numbers."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


def _instrument(
    reference: Value, root: Path, warnings: list[str]
) -> InstrumentStamp | None:
    if not isinstance(reference, str) or not reference:
        return None
    path = root / reference
    try:
        return (
            _load(str(path), _state(path)) if path.is_file() else _load(reference, ())
        )
    except (SurveyError, OSError) as error:
        first = str(error).splitlines()[0] if str(error) else type(error).__name__
        warnings.append(f"The instrument {reference!r} cannot be read: {first}")
        return None


@lru_cache(maxsize=8)
def _load(reference: str, _stamp: tuple[int, ...]) -> InstrumentStamp:
    instrument = Instrument.load(reference)
    title = instrument.title
    return InstrumentStamp(
        id=instrument.id,
        version=instrument.version,
        hash=instrument.hash,
        title=title if isinstance(title, str) else next(iter(title.values())),
    )


def _files(
    parameters: Mapping[str, Value], root: Path, scrub: Scrubber, warnings: list[str]
) -> Iterator[FileStamp]:
    for name, value in parameters.items():
        if name == "instrument" or not isinstance(value, str) or not value:
            continue
        path, shown = root / value, scrub.text(value)
        if path.is_file():
            yield _file(name, path, shown, warnings)
        elif name == "data":
            warnings.append(f"{shown}: there is no such file.")
            yield FileStamp(parameter=name, path=shown, sha256=None)


def _file(name: str, path: Path, shown: str, warnings: list[str]) -> FileStamp:
    sha256 = _sha256(path, _state(path))
    manifest = _manifest(path.parent / _MANIFEST, warnings)
    listed = manifest.get("sha256")
    if isinstance(listed, dict):
        listed = listed.get(path.name)
    if listed is not None and str(listed).removeprefix("sha256:").lower() != sha256:
        warnings.append(
            f"{shown}: the file is not the one that {_MANIFEST} beside it describes "
            f"(sha256 {sha256[:12]}…, manifest {str(listed)[:12]}…). It was changed "
            "since; make the data again or correct the manifest."
        )
    told = {key: str(manifest[key]) for key in _TOLD if manifest.get(key) is not None}
    synthetic = manifest.get("synthetic")
    return FileStamp(
        parameter=name,
        path=shown,
        sha256=sha256,
        synthetic=synthetic if isinstance(synthetic, bool) else None,
        manifest=told,
    )


def _manifest(path: Path, warnings: list[str]) -> dict[str, object]:
    if not path.is_file():
        return {}
    try:
        read = YAML(typ="safe", pure=True).load(path.read_text("utf-8"))
    except (YAMLError, UnicodeDecodeError, OSError) as error:
        first = str(error).splitlines()[0]
        warnings.append(f"{path.name} beside the data cannot be read: {first}")
        return {}
    return read if isinstance(read, dict) else {}


def _disagreements(
    instrument: InstrumentStamp | None, files: tuple[FileStamp, ...]
) -> Iterator[str]:
    for file in files:
        made_for = file.manifest
        if instrument is None or made_for.get("instrument", "") != instrument.id:
            continue
        if made_for.get("hash", instrument.hash) != instrument.hash:
            yield (
                f"{file.path}: the manifest names version "
                f"{made_for.get('version', '?')} of the instrument "
                f"(hash {made_for['hash'][:12]}), the page uses {instrument.version} "
                f"(hash {instrument.hash[:12]})."
            )


def _state(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_mtime_ns, status.st_size


@lru_cache(maxsize=64)
def _sha256(path: Path, _stamp: tuple[int, int]) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _git(root: Path) -> tuple[str | None, bool]:
    """Name the commit, and whether files differ; only if `root` is the repository."""
    top = _ask_git(root, "rev-parse", "--show-toplevel")
    if top is None or Path(top).resolve() != root.resolve():
        return None, False
    commit = _ask_git(root, "rev-parse", "HEAD")
    return commit, bool(commit and _ask_git(root, "status", "--porcelain"))


def _ask_git(root: Path, *words: str) -> str | None:
    try:
        done = subprocess.run(  # noqa: S603 (fixed words)
            ["git", "-C", str(root), *words],  # noqa: S607 (the user's git)
            capture_output=True,
            check=True,
            text=True,
            timeout=30,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
