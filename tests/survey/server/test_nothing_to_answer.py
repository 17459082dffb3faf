"""A wave in which conditions hide every page: said, and nobody is stored."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from starlette.testclient import TestClient

from survey.instrument import Instrument
from survey.server.app import create_app
from survey.store import overview, studies
from survey.store.database import reading
from survey.yaml12 import Document

if TYPE_CHECKING:
    from pathlib import Path


def test_wave_without_a_page_stores_nobody(tmp_path: Path) -> None:
    content = {
        "id": "later",
        "version": "1.0.0",
        "title": "Later",
        "items": [
            {"id": "ha", "type": "text", "text": "How?", "show_if": "wave > 1"},
        ],
    }
    instrument = Instrument.from_document(Document("instrument", content))
    app = create_app(instrument, tmp_path / "survey.db")
    with TestClient(app) as client:
        found = re.search(r'name="csrf" value="([^"]*)"', client.get("/").text)
        assert found is not None
        sent = client.post("/consent", data={"agree": "yes", "csrf": found[1]})
        assert sent.status_code == 409
        assert "Not open now" in sent.text
        with reading(app.state.desk.engine) as connection:
            study = studies.find(connection, "main")
            assert overview.progress(connection, study).empty
