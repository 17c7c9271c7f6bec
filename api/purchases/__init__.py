"""Purchases and refunds in the API."""
