"""Challenges and badges: their values, their rows, and how progress is reckoned."""
