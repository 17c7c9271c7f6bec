"""Flash sales in the API."""
