"""Goods: the catalogue, what each costs in a town's points by agreement, and what each branch has of it.

Owns: good, good_price, stock, stock_movement
Reads:
Never: sets a stock; PostgreSQL moves it when, and only when, a line of the register is written. A resident.
"""

from gateway.goods.catalogue import (
    find_good,
    insert_good,
    list_goods,
    list_offers,
    set_price,
)
from gateway.goods.register import list_faults, list_movements, list_stock, move_stock

__all__ = [
    "find_good",
    "insert_good",
    "list_faults",
    "list_goods",
    "list_movements",
    "list_offers",
    "list_stock",
    "move_stock",
    "set_price",
]
