"""A study whose key was lost: the place is named, and no other key is made."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from survey.errors import StoreError
from survey.instrument import Instrument
from survey.server.app import create_app
from survey.store.codes import key_file

if TYPE_CHECKING:
    from pathlib import Path


def test_lost_key_is_named_and_not_replaced(tmp_path: Path) -> None:
    database = tmp_path / "survey.db"
    instrument = Instrument.load("pushing_away")
    create_app(instrument, database).state.desk.engine.dispose()
    key = key_file(database)
    assert key is not None
    key.unlink()
    with pytest.raises(StoreError, match=r"there is no key.*Put the file back"):
        create_app(instrument, database)
    assert not key.exists()
