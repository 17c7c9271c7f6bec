"""Tests of flash sales without a server."""
