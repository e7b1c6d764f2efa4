"""What outsiders run: checking evidence, redeeming receipts, witnessing. It also goes into a wheel of its own.

Everything here and what it imports of the house (the log's pure parts, the errors) needs Python alone; `wheel` puts that
together. So nothing here may read a setting, a database or a neighbour.
"""
