"""Vouchers: their terms, the pools they come from, and the life of each of them."""
