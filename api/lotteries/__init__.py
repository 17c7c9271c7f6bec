"""Lotteries in the API."""
