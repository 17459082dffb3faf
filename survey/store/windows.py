"""When waves take answers: which one is asked, opened at once, closed at once."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from survey.errors import RefusedError
from survey.store import studies
from survey.store.studies import now

if TYPE_CHECKING:
    from datetime import datetime

    import sqlalchemy as sa

    from survey.store.studies import Study, Wave


def state(study: Study, wave: Wave, moment: datetime) -> str:
    """Say whether a wave takes answers; of several open ones people see the latest."""
    if not wave.is_open(moment):
        return "closed now"
    asked = study.current(moment)
    if asked is not None and asked.number != wave.number:
        return f"open, but people are asked wave {asked.number}"
    return "open now"


def wave_of(study: Study, number: int) -> Wave:
    """Look a wave up.

    Raises
    ------
    RefusedError
        If there is none of this number; lists those there are.
    """
    known = {wave.number: wave for wave in study.waves}
    if number not in known:
        listed = ", ".join(map(str, known))
        raise RefusedError(f"wave {number}: there is none. Choose one of {listed}.")
    return known[number]


def open_now(connection: sa.Connection, study: Study, number: int) -> Study:
    """Let a wave take answers from now on; a last moment that has passed is taken away.

    Raises
    ------
    RefusedError
        If it is open, or a later one is, which people would be asked instead.
    """
    wave, moment = wave_of(study, number), now()
    if wave.is_open(moment):
        raise RefusedError(f"wave {number}: is open already. Leave it as it is.")
    asked = study.current(moment)
    if asked is not None and asked.number > number:
        raise RefusedError(
            f"wave {number}: wave {asked.number} is open, and people are asked the "
            "latest. Close that one first."
        )
    begun = wave.opens is None or wave.opens <= moment
    ended = wave.closes is not None and wave.closes <= moment
    return studies.set_window(
        connection,
        study,
        number,
        opens=wave.opens if begun else moment,
        closes=None if ended else wave.closes,
    )


def close_now(connection: sa.Connection, study: Study, number: int) -> Study:
    """Let a wave take no answers any longer.

    Raises
    ------
    RefusedError
        If it is closed.
    """
    wave, moment = wave_of(study, number), now()
    if not wave.is_open(moment):
        raise RefusedError(
            f"wave {number}: is closed now. To keep it from opening later, change its "
            "first moment."
        )
    if wave.opens is not None:
        moment = max(moment, wave.opens + timedelta(seconds=1))
    return studies.set_window(
        connection, study, number, opens=wave.opens, closes=moment
    )
