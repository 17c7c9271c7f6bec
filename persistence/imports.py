"""What an import asks before it tells commands: which of a file's names the program knows."""

from collections.abc import Sequence
from uuid import UUID

from persistence import rows


async def stores(program_id: UUID) -> dict[str, UUID]:
    """Every store of a program by its code."""
    found = await rows.fetch("SELECT code, id FROM stores WHERE program_id = $1", program_id)
    return {record["code"]: record["id"] for record in found}


async def enrolled(program_id: UUID, external_ids: Sequence[str]) -> set[str]:
    """Which of these members are enrolled already."""
    # Each is looked up by its own key. Told as one condition, they are planned by statistics that an import outruns,
    # and every batch may read the whole table.
    found = await rows.fetch(
        "SELECT told.external_id FROM unnest($2::text[]) AS told (external_id) CROSS JOIN LATERAL"
        " (SELECT FROM members WHERE program_id = $1 AND external_id = told.external_id LIMIT 1) AS kept",
        program_id,
        external_ids,
    )
    return {record["external_id"] for record in found}
