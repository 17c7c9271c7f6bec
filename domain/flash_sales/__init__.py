"""Flash sales: scarce items for points at set times, from what is offered to the claim of a unit and its end."""
