"""RFC 6962 Merkle tree, section 2.1. Pure: no database, no clock. Hashes are 32 bytes, SHA-256.

A *node* (height, index) is the root of the perfect subtree over leaves [index · 2^height, (index + 1) · 2^height).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence

HASH_BYTES = 32
LEAF_PREFIX, NODE_PREFIX = b"\x00", b"\x01"
EMPTY_ROOT = hashlib.sha256(b"").digest()

Node = tuple[int, int]
_sha256 = hashlib.sha256


def leaf_hash(entry: bytes | memoryview) -> bytes:
    """The hash of a leaf. The one place where a record's stored bytes become a leaf."""
    hashed = _sha256(LEAF_PREFIX)
    hashed.update(entry)
    return hashed.digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node."""
    return _sha256(NODE_PREFIX + left + right).digest()


def perfect_root(hashes: bytes) -> bytes:
    """Root over 2^k concatenated hashes; two neighbours already stand as one 64-byte slice."""
    while len(hashes) > HASH_BYTES:
        hashes = b"".join(
            [_sha256(NODE_PREFIX + hashes[at : at + 64]).digest() for at in range(0, len(hashes), 64)]
        )
    return hashes


class Edge:
    """The right edge of a growing tree (a compact range from 0): at most one hash a height, so appending a leaf
    costs one hash on average and the root costs log2(size)."""

    __slots__ = ("_nodes", "size")

    def __init__(self) -> None:
        self.size = 0
        self._nodes: list[tuple[int, bytes]] = []  # (height, hash), heights falling

    def append(self, node: bytes, height: int = 0) -> None:
        """Append a perfect subtree of 2^height leaves; the size so far must be a multiple of it."""
        if self.size & ((1 << height) - 1):
            raise ValueError(f"a subtree of height {height} cannot follow {self.size} leaves")
        self.size += 1 << height
        while self._nodes and self._nodes[-1][0] == height:
            node = node_hash(self._nodes.pop()[1], node)
            height += 1
        self._nodes.append((height, node))

    def copy(self) -> Edge:
        """An edge that can grow on its own."""
        other = Edge()
        other.size, other._nodes = self.size, list(self._nodes)
        return other

    def root(self) -> bytes:
        """The root of the tree of `size` leaves; of no leaves, SHA-256 of nothing."""
        if not self._nodes:
            return EMPTY_ROOT
        root = self._nodes[-1][1]
        for _, left in reversed(self._nodes[:-1]):
            root = node_hash(left, root)
        return root


def root_of(leaf_hashes: Sequence[bytes]) -> bytes:
    """The tree's root over leaf hashes."""
    edge = Edge()
    for hashed in leaf_hashes:
        edge.append(hashed)
    return edge.root()


def _split(count: int) -> int:
    """The largest power of two below `count` (count > 1)."""
    return 1 << ((count - 1).bit_length() - 1)


def inclusion_ranges(position: int, size: int) -> list[tuple[int, int]]:
    """The leaf ranges whose roots are the audit path of RFC 6962 section 2.1.1, the leaf's sibling first."""
    if not 0 <= position < size:
        raise ValueError(f"leaf {position} is not in a tree of {size}")
    ranges: list[tuple[int, int]] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if position < middle:
            ranges.append((middle, end))
            end = middle
        else:
            ranges.append((start, middle))
            start = middle
    return ranges[::-1]


def consistency_ranges(old: int, new: int) -> list[tuple[int, int]]:
    """The leaf ranges whose roots are the consistency proof of RFC 6962 section 2.1.2, in its order."""
    if not 0 <= old <= new:
        raise ValueError(f"a tree of {old} leaves cannot come before one of {new}")
    if old in (0, new):
        return []
    ranges: list[tuple[int, int]] = []
    start, end, whole = 0, new, True
    while end != old:
        middle = start + _split(end - start)
        if old <= middle:
            ranges.append((middle, end))
            end = middle
        else:
            ranges.append((start, middle))
            start, whole = middle, False
    if not whole:
        ranges.append((start, end))
    return ranges[::-1]


def range_nodes(start: int, end: int) -> list[Node]:
    """The perfect subtrees, left to right, that make up [start, end); `start` is aligned as RFC 6962 splits are."""
    nodes: list[Node] = []
    while start < end:
        height = (end - start).bit_length() - 1
        nodes.append((height, start >> height))
        start += 1 << height
    return nodes


def range_root(start: int, end: int, node: Callable[[Node], bytes]) -> bytes:
    """The root over leaves [start, end), from nodes."""
    hashes = [node(one) for one in range_nodes(start, end)]
    root = hashes[-1]
    for left in reversed(hashes[:-1]):
        root = node_hash(left, root)
    return root


def verify_inclusion(hashed: bytes, position: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Whether `proof` shows the leaf hash at `position` in the tree of `size` with `root` (RFC 9162 section 2.1.3.2)."""
    if not 0 <= position < size:
        return False
    index, last, found = position, size - 1, hashed
    for sibling in proof:
        if last == 0:
            return False
        if index & 1 or index == last:
            found = node_hash(sibling, found)
            while not index & 1 and index:
                index, last = index >> 1, last >> 1
        else:
            found = node_hash(found, sibling)
        index, last = index >> 1, last >> 1
    return last == 0 and found == root


def verify_consistency(old: int, new: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]) -> bool:
    """Whether `proof` shows the tree of `old` leaves to be a prefix of that of `new` (RFC 9162 section 2.1.4.2)."""
    if not 0 <= old <= new:
        return False
    if old == new:
        return not proof and old_root == new_root
    if old == 0:
        return not proof and old_root == EMPTY_ROOT
    path = list(proof)
    if old & (old - 1) == 0:
        path.insert(0, old_root)
    if not path:
        return False
    index, last = old - 1, new - 1
    while index & 1:
        index, last = index >> 1, last >> 1
    found_old = found_new = path[0]
    for sibling in path[1:]:
        if last == 0:
            return False
        if index & 1 or index == last:
            found_old, found_new = node_hash(sibling, found_old), node_hash(sibling, found_new)
            while not index & 1 and index:
                index, last = index >> 1, last >> 1
        else:
            found_new = node_hash(found_new, sibling)
        index, last = index >> 1, last >> 1
    return last == 0 and found_old == old_root and found_new == new_root
