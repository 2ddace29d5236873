"""The suggester: for a row of a region's own catalog the ranked entries of the unified code set, with a score each.

Knows texts, codes and decided mappings given as plain rows. Must not know databases, money or who decides: a suggestion
is a proposal, and only a decided mapping pays.
"""
