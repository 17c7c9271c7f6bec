"""Leaderboards in the API: boards, who stands where, and closed periods."""
