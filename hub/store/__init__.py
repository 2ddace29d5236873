"""The store: tables, row <-> core value, the unit of work, hot SQL by hand, migrations.

Knows PostgreSQL and what is sealed before it gets there. Must not know rules, regions' policies or pages.
"""
