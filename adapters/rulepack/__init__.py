"""The kind of gateway for a region whose policy the hub holds itself."""
