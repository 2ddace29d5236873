"""The ways to insuring regions: one folder per kind of gateway, one folder of data per region."""
