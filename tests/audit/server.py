"""The server to audit when no URL is given: the real HTTP face around the tests' tiny schema."""

from tests.api import tiny_schema

app = tiny_schema.build_app()
