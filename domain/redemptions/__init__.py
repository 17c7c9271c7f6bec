"""Redemptions: a member's taking of a reward, from the points that pay it to its end."""
