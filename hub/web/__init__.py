"""The web shell: translates HTTP into errands and their outcome into answers.

Knows Flask, JSON, signatures and status codes. Must not know rules or SQL.
"""
