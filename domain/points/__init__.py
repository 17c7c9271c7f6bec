"""The ledger: accounts, lots, holds and the append-only transactions that explain every point."""
