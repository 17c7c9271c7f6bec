"""Quizzes in the API."""
