"""The rules: pure values and functions of the trade.

Knows money, codes, dates, registrations, bills, policies, ledger entries and nets.
Must not know any I/O, clock, environment, log, web framework or database: standard library only.
"""
