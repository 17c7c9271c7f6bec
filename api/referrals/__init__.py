"""Referrals and shares in the API."""
