"""Deciding many bills at once: the same plans as `hub.core.adjudication`, over columns of whole numbers.

Knows numpy and numba. Must not know databases, files or any region in particular.
Source: record 0071; the figures are those of the compiled plans, the sums those of decision records 0010 and 0012.
"""
