"""What an import asks before it tells commands: which of a file's names the program knows."""

from collections.abc import Sequence
from uuid import UUID

from persistence import rows


async def stores(program_id: UUID) -> dict[str, UUID]:
    """Every store of a program by its code."""
    found = await rows.fetch("SELECT code, id FROM stores WHERE program_id = $1", program_id)
    return {record["code"]: record["id"] for record in found}


async def recorded(program_id: UUID, external_ids: Sequence[str]) -> set[str]:
    """Which of these order numbers are recorded already."""
    statement = "SELECT external_id FROM purchases WHERE program_id = $1 AND external_id = ANY($2::text[])"
    return {record["external_id"] for record in await rows.fetch(statement, program_id, external_ids)}


async def enrolled(program_id: UUID, external_ids: Sequence[str]) -> set[str]:
    """Which of these members are enrolled already."""
    statement = "SELECT external_id FROM members WHERE program_id = $1 AND external_id = ANY($2::text[])"
    return {record["external_id"] for record in await rows.fetch(statement, program_id, external_ids)}
