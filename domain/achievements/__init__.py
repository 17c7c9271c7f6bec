"""Achievements: the commands of challenges and badges, and what takes them back."""
