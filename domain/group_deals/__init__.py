"""Group deals (S42): rewards that cost less when enough members want them together before a deadline."""
