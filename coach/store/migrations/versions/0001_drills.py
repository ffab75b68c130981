"""Accounts, sign-ins, playbooks, drills and turns."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "account",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("name", sa.String(80), nullable=False, unique=True),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("key_hash", sa.String(64), nullable=False, unique=True),
        sa.Column("created_at", _TIME, nullable=False),
    )
    op.create_table(
        "sign_in",
        sa.Column("token_hash", sa.String(64), primary_key=True),
        sa.Column("account_id", sa.String(32), sa.ForeignKey("account.id", ondelete="CASCADE"), nullable=False),
        sa.Column("expires_at", _TIME, nullable=False),
    )
    op.create_table(
        "playbook",
        sa.Column("hash", sa.String(16), primary_key=True),
        sa.Column("body", sa.Text, nullable=False),
    )
    op.create_table(
        "drill",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("account_id", sa.String(32), sa.ForeignKey("account.id", ondelete="CASCADE"), nullable=False),
        sa.Column("scenario_id", sa.String(64), nullable=False),
        sa.Column("playbook_hash", sa.String(16), sa.ForeignKey("playbook.hash"), nullable=False),
        sa.Column("seed", sa.Integer, nullable=False),
        sa.Column("voice", sa.String(16), nullable=False),
        sa.Column("parent_id", sa.String(32), sa.ForeignKey("drill.id")),
        sa.Column("parent_turns", sa.Integer),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("scored_at", _TIME),
        sa.Column("scorecard", sa.JSON),
    )
    op.create_index("ix_drill_account_created", "drill", ["account_id", "created_at"])
    op.create_table(
        "turn",
        sa.Column("drill_id", sa.String(32), sa.ForeignKey("drill.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("learner", sa.Text, nullable=False),
        sa.Column("idempotency_key", sa.String(128)),
        sa.Column("answer", sa.JSON),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("answered_at", _TIME),
        sa.UniqueConstraint("drill_id", "idempotency_key"),
    )


def downgrade() -> None:
    for table in ("turn", "drill", "playbook", "sign_in", "account"):
        op.drop_table(table)
