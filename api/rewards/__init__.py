"""Rewards of the mall in the API."""
