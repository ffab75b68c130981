"""Modes, pauses, hints, and turns to look after."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("drill", sa.Column("mode", sa.String(16), nullable=False, server_default="practice"))
    op.add_column("drill", sa.Column("paused_at", sa.DateTime(timezone=True)))
    op.add_column("drill", sa.Column("paused_s", sa.Integer, nullable=False, server_default="0"))
    op.add_column("drill", sa.Column("released", sa.Boolean, nullable=False, server_default=sa.false()))
    only = sa.text("mode = 'assessment' AND NOT released")
    op.create_index(
        "ux_drill_assessment",
        "drill",
        ["account_id", "scenario_id"],
        unique=True,
        sqlite_where=only,
        postgresql_where=only,
    )
    op.create_table(
        "hint",
        sa.Column("drill_id", sa.String(32), sa.ForeignKey("drill.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("turn", sa.Integer, nullable=False),
        sa.Column("check_id", sa.String(64), nullable=False),
        sa.Column("strength", sa.String(16), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_table(
        "concern",
        sa.Column("drill_id", sa.String(32), sa.ForeignKey("drill.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("turn", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True)),
        sa.Column("seen_by", sa.String(80)),
    )
    op.create_table(
        "authored",
        sa.Column("kind", sa.String(16), primary_key=True),
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("who", sa.String(80), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
    )


def downgrade() -> None:
    op.drop_table("authored")
    op.drop_table("concern")
    op.drop_table("hint")
    op.drop_index("ux_drill_assessment", "drill")
    for column in ("released", "paused_s", "paused_at", "mode"):
        op.drop_column("drill", column)
