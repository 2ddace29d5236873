"""Bills as plain documents in, decisions as plain documents out: what `hub decide` and the policy lab speak.

Knows the document's fields and how each is read. Must not know databases, HTTP or any region in particular.
The format is written down in hub/decisions/0072.
"""
