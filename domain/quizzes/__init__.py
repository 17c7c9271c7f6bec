"""Quizzes: questions with one scored answer a member and attempt, and who answers best."""
