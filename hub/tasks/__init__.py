"""The workers' shell: a Celery application, a schedule and thin tasks.

Knows queues, limits and how to start an errand. Must not know rules or SQL, nor try again by itself: what was not done
stands in the database, and the sweeper finds it.
"""
