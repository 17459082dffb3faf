"""The tables that hold a study: who was invited, what was answered, what was erased.

Answers are only ever added, until their person is erased: the latest row of an item is
the answer. Times are UTC; an anonymous study keeps days only. Access codes are stored
as keyed hashes, sessions as hashes; no address of a computer is stored.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    Boolean,
    Column,
    DateTime,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
)

#: Constraints have names, so that a migration can speak of them on any database.
metadata: Final = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_label)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _of(table: str, *, key: str = "id", erased: bool = False) -> ForeignKey:
    return ForeignKey(f"{table}.{key}", ondelete="CASCADE" if erased else None)


#: Each version of a questionnaire that was ever shown.
instrument = Table(
    "instrument",
    metadata,
    Column("hash", String(64), primary_key=True),
    Column("id", String(64), nullable=False),
    Column("version", String(32), nullable=False),
    Column("document", Text, nullable=False),
    Column("added", DateTime, nullable=False),
)

#: `settings` is JSON of `survey.store.studies.Settings`; `check` tells the right key.
study = Table(
    "study",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String(64), nullable=False, unique=True),
    Column("settings", Text, nullable=False),
    Column("check", String(64), nullable=False),
    Column("created", DateTime, nullable=False),
)

#: Every wave keeps to its questionnaire.
wave = Table(
    "wave",
    metadata,
    Column("study", Integer, _of("study"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("instrument", String(64), _of("instrument", key="hash"), nullable=False),
    Column("opens", DateTime),
    Column("closes", DateTime),
)

person = Table(
    "person",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("study", Integer, _of("study"), nullable=False, index=True),
    Column("code", String(32), nullable=False),
    Column("nonce", String(32), nullable=False),
    Column("couple", String(64), index=True),
    Column("role", String(32)),
    Column("language", String(35)),
    Column("form", String(31)),
    Column("invited", Boolean, nullable=False),
    Column("panel", Text),
    Column("created", DateTime, nullable=False),
    UniqueConstraint("study", "code"),
)

#: Keyed hash of a code, and what it opens: ``invitation``, ``resume``, ``receipt``.
access = Table(
    "access",
    metadata,
    Column("hash", String(64), primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("person", Integer, _of("person", erased=True), nullable=False, index=True),
)

#: What one person does in one wave; `orders` is JSON: shuffled items by page.
response = Table(
    "response",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("person", Integer, _of("person", erased=True), nullable=False),
    Column("wave", Integer, nullable=False),
    Column("instrument", String(64), _of("instrument", key="hash"), nullable=False),
    Column("form", String(31), nullable=False),
    Column("language", String(35), nullable=False),
    Column("orders", Text, nullable=False),
    Column("started", DateTime, nullable=False),
    Column("page", String(31), nullable=False),
    Column("reached", Integer, nullable=False),
    Column("finished", DateTime),
    UniqueConstraint("person", "wave"),
)

#: One page sent once: `key` makes a repeated one harmless, `digest` tells another body.
submission = Table(
    "submission",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("key", String(64), nullable=False, unique=True),
    Column("digest", String(64), nullable=False),
    Column(
        "response", Integer, _of("response", erased=True), nullable=False, index=True
    ),
    Column("page", String(31), nullable=False),
    Column("move", String(16), nullable=False),
    Column("received", DateTime, nullable=False),
    Column("seconds", Float),
)

#: `value` is the code or text as given; NULL for an answer taken back or hidden again.
answer = Table(
    "answer",
    metadata,
    Column("id", Integer, primary_key=True),
    Column(
        "submission",
        Integer,
        _of("submission", erased=True),
        nullable=False,
        index=True,
    ),
    Column("response", Integer, _of("response", erased=True), nullable=False),
    Column("item", String(31), nullable=False),
    Column("value", Text),
    Column("seconds", Float),
    Index("ix_answer_response_item", "response", "item"),
)

#: The browser of a respondent: a cookie stands for one person.
visit = Table(
    "visit",
    metadata,
    Column("hash", String(64), primary_key=True),
    Column("person", Integer, _of("person", erased=True), nullable=False, index=True),
    Column("expires", DateTime, nullable=False),
)

#: All that stays of an erased person.
tombstone = Table(
    "tombstone",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("study", Integer, _of("study"), nullable=False),
    Column("receipt", String(64), nullable=False, unique=True),
    Column("day", String(10), nullable=False),
    Column("by", String(16), nullable=False),
)

#: `all_studies` opens those too that are begun later; without it see `member`.
researcher = Table(
    "researcher",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("password", Text, nullable=False),
    Column("created", DateTime, nullable=False),
    Column("all_studies", Boolean, nullable=False, server_default=false()),
)

#: Studies that a researcher sees who does not see all.
member = Table(
    "member",
    metadata,
    Column(
        "researcher",
        String(64),
        _of("researcher", key="name", erased=True),
        primary_key=True,
    ),
    Column("study", Integer, _of("study"), primary_key=True),
)

#: A researcher who is logged in: since when, and until when if nothing is done.
login = Table(
    "login",
    metadata,
    Column("hash", String(64), primary_key=True),
    Column(
        "researcher",
        String(64),
        _of("researcher", key="name", erased=True),
        nullable=False,
    ),
    Column("created", DateTime, nullable=False),
    Column("expires", DateTime, nullable=False),
)

#: Who did what and when; never what was answered.
audit = Table(
    "audit",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", DateTime, nullable=False),
    Column("who", String(64), nullable=False),
    Column("what", String(64), nullable=False),
    Column("detail", Text, nullable=False),
)
