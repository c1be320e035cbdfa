"""Schemas of entry kinds as data: a kind is a table of fields, a field has a type that checks itself."""
