"""The errands: each fetches, lets the core decide, and saves.

Knows the core and the ports; one transaction per phase and none across an outside call.
Must not know web frameworks, task queues or SQL. Time comes in as `as_of`.
"""
