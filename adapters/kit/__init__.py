"""The kit: what every town must do, written once, and run by two runners.

`scenario` says what a scenario is; `reading`, `calling`, `failing` and `door` hold them; `speech` is how a town's documents are
made from items, so that the suite can change one; `subject` is what a town feeds; `running` runs them and `report` shows what
came of it. Pytest parametrizes over the same list (tests/contract/test_scenarios.py), and `gateway town check` runs it against a
vendor's own endpoint.

A scenario a town has declared that it cannot do is skipped with that reason; nothing else is skipped.
"""
