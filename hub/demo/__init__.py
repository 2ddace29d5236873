"""The demonstration: a made-up October of six hospitals in three real regions, played against the running hub.

Knows made-up hospitals, persons and stays, and how to play them from outside: pages, signed messages, workers.
Must not know rules: what each bill comes to is the hub's answer, and the demonstration only compares it with what the
story expects.
"""
