"""Group deals in the API."""
