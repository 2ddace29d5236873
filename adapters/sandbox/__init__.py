"""The kind of gateway for a played region: developers and tests meet every answer that a real one can
give.
"""
