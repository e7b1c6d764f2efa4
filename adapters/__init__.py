"""Neighbours: one folder per town, and the bank. Shared here: transports and how a wire is read.

Adapters import `schemas` only, and never one another; `registry.py` is the one list of them.
"""

from lxml import etree  # type: ignore[import-untyped]

# libxml2 makes its built-in schema types with the first schema of a process, and two threads at once make half of them ("the base
# type '(NULL)' is not a simple type"): so the first is made here, while this is imported.
etree.XMLSchema(etree.XML('<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"/>'))
