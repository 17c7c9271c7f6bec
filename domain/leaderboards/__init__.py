"""Leaderboards: what members did in a window of time, in order, and prizes for the first of them."""
