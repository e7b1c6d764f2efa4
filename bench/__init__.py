"""Timings as ratios against the floor of the same run on the same machine: `make bench`.

Never a test that a slow machine fails.
"""
