"""Doors: where people and towns come in. Doors call flows, and know no room, no SQL and no adapter."""
