"""Leaderboards: their tables, what is counted for them, and reading them from Redis or PostgreSQL."""
