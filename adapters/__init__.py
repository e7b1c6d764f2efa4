"""Neighbours: one folder per town, and the bank. Shared here: transports and how a wire is read.

Adapters import `schemas` only, and never one another; `registry.py` is the one list of them.
"""
