"""Rewards of the mall: what they are, who may have them, and how many are left."""
