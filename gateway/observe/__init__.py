"""Seeing it: JSON lines with a correlation id, counters, traces. No personal data leaves by here."""
