"""RFC 6962 trees against the published vectors, and proofs against every other leaf.

Vectors: the Certificate Transparency reference implementation (google/certificate-transparency, merkle_tree_test.cc;
the same in transparency-dev/merkle, testonly/constants.go).
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.translog.merkle import (
    EMPTY_ROOT,
    Edge,
    Node,
    consistency_ranges,
    inclusion_ranges,
    leaf_hash,
    node_hash,
    perfect_root,
    range_root,
    root_of,
    verify_consistency,
    verify_inclusion,
)

ENTRIES = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
LEAVES = [leaf_hash(entry) for entry in ENTRIES]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
N0_1 = "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"
N2_3 = "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e"
N4_5 = "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a"
N6_7 = "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0"
N0_3 = "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"
N4_7 = "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"
LEAF_0 = "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
LEAF_1 = "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7"
LEAF_4 = "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"

INCLUSION = [
    (0, 1, []),
    (0, 8, [LEAF_1, N2_3, N4_7]),
    (5, 8, [LEAF_4, N6_7, N0_3]),
    (2, 3, [N0_1]),
    (1, 5, [LEAF_0, N2_3, LEAF_4]),
]
CONSISTENCY = [
    (1, 1, []),
    (1, 8, [LEAF_1, N2_3, N4_7]),
    (6, 8, [N4_5, N6_7, N0_3]),
    (2, 5, [N2_3, LEAF_4]),
]


def _node(leaves: list[bytes], node: Node) -> bytes:
    height, index = node
    return perfect_root(b"".join(leaves[index << height : (index + 1) << height]))


def _proof(leaves: list[bytes], ranges: list[tuple[int, int]]) -> list[bytes]:
    return [range_root(start, end, lambda node: _node(leaves, node)) for start, end in ranges]


@pytest.mark.parametrize("size", range(9))
def test_roots_are_the_published_ones(size: int) -> None:
    assert root_of(LEAVES[:size]).hex() == ROOTS[size]


def test_node_hash_is_the_published_one() -> None:
    left, right = bytes(range(32)), bytes(range(32, 64))
    assert node_hash(left, right).hex() == "1a378704c17da31e2d05b6d121c2bb2c7d76f6ee6fa8f983e596c2d034963c57"


@pytest.mark.parametrize(("position", "size", "path"), INCLUSION)
def test_inclusion_paths_are_the_published_ones(position: int, size: int, path: list[str]) -> None:
    proof = _proof(LEAVES[:size], inclusion_ranges(position, size))
    assert [one.hex() for one in proof] == path
    assert verify_inclusion(LEAVES[position], position, size, proof, bytes.fromhex(ROOTS[size]))


@pytest.mark.parametrize(("old", "new", "path"), CONSISTENCY)
def test_consistency_proofs_are_the_published_ones(old: int, new: int, path: list[str]) -> None:
    proof = _proof(LEAVES[:new], consistency_ranges(old, new))
    assert [one.hex() for one in proof] == path
    assert verify_consistency(old, new, bytes.fromhex(ROOTS[old]), bytes.fromhex(ROOTS[new]), proof)


@given(st.integers(1, 70), st.data())
def test_every_leaf_proves_itself_and_only_itself(size: int, data: st.DataObject) -> None:
    leaves = [leaf_hash(bytes([index])) for index in range(size)]
    root = root_of(leaves)
    position = data.draw(st.integers(0, size - 1))
    other = data.draw(st.integers(0, size - 1))
    proof = _proof(leaves, inclusion_ranges(position, size))
    assert verify_inclusion(leaves[position], position, size, proof, root)
    assert verify_inclusion(leaves[other], position, size, proof, root) == (other == position)
    assert verify_inclusion(leaves[position], other, size, proof, root) == (other == position)
    assert not verify_inclusion(leaves[position], position, size, [*proof, root], root)
    if proof:
        assert not verify_inclusion(leaves[position], position, size, proof[:-1], root)


@given(st.integers(1, 70), st.data())
def test_a_prefix_is_consistent_and_nothing_else(size: int, data: st.DataObject) -> None:
    leaves = [leaf_hash(bytes([index])) for index in range(size)]
    old = data.draw(st.integers(1, size))
    old_root, new_root = root_of(leaves[:old]), root_of(leaves)
    proof = _proof(leaves, consistency_ranges(old, size))
    assert verify_consistency(old, size, old_root, new_root, proof)
    assert not verify_consistency(old, size, node_hash(old_root, old_root), new_root, proof)
    assert not verify_consistency(old, size, old_root, node_hash(new_root, old_root), proof)
    if proof:
        assert not verify_consistency(old, size, old_root, new_root, proof[:-1])
    assert not verify_consistency(old, size, old_root, new_root, [*proof, old_root])


@given(st.integers(0, 40), st.integers(0, 6))
def test_an_edge_grows_by_leaves_or_by_subtrees_alike(full: int, rest: int) -> None:
    leaves = [leaf_hash(bytes([index % 251])) for index in range(full * 8 + rest)]
    edge = Edge()
    for index in range(full):
        edge.append(perfect_root(b"".join(leaves[index * 8 : index * 8 + 8])), 3)
    for hashed in leaves[full * 8 :]:
        edge.append(hashed)
    assert edge.root() == root_of(leaves)
    assert edge.size == len(leaves)


def test_the_tree_of_nothing_has_the_hash_of_nothing() -> None:
    assert Edge().root() == EMPTY_ROOT
    assert verify_consistency(0, 8, EMPTY_ROOT, bytes.fromhex(ROOTS[8]), [])


def test_impossible_questions_are_refused() -> None:
    edge = Edge()
    edge.append(LEAVES[0])
    with pytest.raises(ValueError, match="cannot follow"):
        edge.append(LEAVES[0], 1)
    with pytest.raises(ValueError, match="not in a tree"):
        inclusion_ranges(3, 3)
    with pytest.raises(ValueError, match="cannot come before"):
        consistency_ranges(4, 3)
