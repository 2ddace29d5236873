"""The off-site care clearing hub: one bill's path from a hospital desk to a cleared month."""

__version__ = "0.1.0"
