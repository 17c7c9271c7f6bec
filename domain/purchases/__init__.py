"""Purchases and their refunds."""
