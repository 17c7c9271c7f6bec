"""Referrals and sharing: who brought whom, what comes of it, and what is refused (R1 to R3)."""
