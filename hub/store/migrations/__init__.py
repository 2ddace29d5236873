"""The schema, one step after another; each step is SQL by hand and never changed once released.

Knows tables, constraints, privileges and row-level security. Must not know Python values or rules.
Source: engineering guide section 5; SQL no newer than PostgreSQL 15.
"""
