"""Tiers: what they are, how members reach, keep and lose them, and what each gives."""
