"""Points in the API: accounts and what explains them, and the mutations that move points."""
