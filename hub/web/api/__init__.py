"""The REST interface, version 1: one module per subject, schemas beside them, OpenAPI made from both.

Knows messages. Must not know rules, SQL or who is let in (guards).
"""
