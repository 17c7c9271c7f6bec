"""Sign-in (签到) in the API."""
