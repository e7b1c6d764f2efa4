"""Goods: the catalogue, what each costs in a town's points by agreement, and what each branch has of it.

Owns: good, good_price, good_picture, stock, stock_movement, stock_count, stock_count_line
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
from gateway.goods.counting import find_count, find_last_count, insert_count, list_count_lines
from gateway.goods.opening import open_goods
from gateway.goods.pictures import find_picture, insert_picture
from gateway.goods.register import (
    list_cause,
    list_faults,
    list_in_transit,
    list_movements,
    list_stock,
    lock_branch_stock,
    lock_transfer,
    move_stock,
)

__all__ = [
    "find_count",
    "find_good",
    "find_last_count",
    "find_picture",
    "insert_count",
    "insert_good",
    "insert_picture",
    "list_cause",
    "list_count_lines",
    "list_faults",
    "list_goods",
    "list_in_transit",
    "list_movements",
    "list_offers",
    "list_stock",
    "lock_branch_stock",
    "lock_transfer",
    "move_stock",
    "open_goods",
    "set_price",
]
