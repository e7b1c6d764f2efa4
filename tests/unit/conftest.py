"""A property that says nothing else is tried as often as `tests.thoroughness` says."""

from __future__ import annotations

from hypothesis import settings

from tests.thoroughness import examples

settings.register_profile("thorough", max_examples=examples(100), deadline=None)
settings.load_profile("thorough")
