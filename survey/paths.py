"""Where a path that a user wrote leads."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def resolve(path: str | Path) -> Path:
    """Find `path` from the current folder, else from the project's root.

    So that ``data/sample/responses.csv`` means the same in a shell at the root and in
    a notebook opened from `notebooks/`. A path that exists nowhere is given back as is.
    """
    given = Path(path).expanduser()
    if given.exists() or given.is_absolute():
        return given
    from_root = ROOT / given
    return from_root if from_root.exists() else given
