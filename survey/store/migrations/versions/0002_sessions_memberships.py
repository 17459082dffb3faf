"""Sessions that end; researchers who see some studies."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the tables to this version.

    Whoever could log in saw every study, and still does. When a session began is not
    known: all end, and people log in again.
    """
    op.add_column(
        "researcher",
        sa.Column(
            "all_studies", sa.Boolean(), server_default=sa.false(), nullable=False
        ),
    )
    everyone = sa.table("researcher", sa.column("all_studies", sa.Boolean()))
    op.execute(everyone.update().values(all_studies=True))
    op.create_table(
        "member",
        sa.Column("researcher", sa.String(length=64), nullable=False),
        sa.Column("study", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["researcher"],
            ["researcher.name"],
            name=op.f("fk_member_researcher"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["study"], ["study.id"], name=op.f("fk_member_study")),
        sa.PrimaryKeyConstraint("researcher", "study", name=op.f("pk_member")),
    )
    op.drop_table("login")
    op.create_table(
        "login",
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("researcher", sa.String(length=64), nullable=False),
        sa.Column("created", sa.DateTime(), nullable=False),
        sa.Column("expires", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["researcher"],
            ["researcher.name"],
            name=op.f("fk_login_researcher"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_login")),
    )
