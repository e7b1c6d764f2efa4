"""The words everybody speaks: values, ports, errors, and the forms of our own API.

This package imports nothing of ours. What stands here is what two neighbours must agree on; what one room
alone needs stays in that room.
"""
