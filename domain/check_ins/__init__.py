"""Sign-in (签到): check-ins day by day, streaks of them, what they give, and days that are made up (补签) (G)."""
