"""Lotteries (积分抽奖): instant draws and tickets, drawn from a seed that everybody can check afterwards (D1 to D5)."""
