"""The partition graph against the definition of the ST-GCN paper, written out as loops."""

from __future__ import annotations

from collections import deque

import numpy as np
import pytest

from infocpl.encoders.graph import directed_partition, hop_distance, spatial_partition
from infocpl.skeleton.layout import Layout, create_layout, list_layouts


def hops_by_search(layout: Layout) -> list[list[int]]:
    """Breadth-first search from every joint."""
    neighbours: dict[str, list[str]] = {joint: [] for joint in layout.joints}
    for child, parent in layout.bones:
        neighbours[child].append(parent)
        neighbours[parent].append(child)
    table = []
    for start in layout.joints:
        found = {start: 0}
        queue = deque([start])
        while queue:
            here = queue.popleft()
            for other in neighbours[here]:
                if other not in found:
                    found[other] = found[here] + 1
                    queue.append(other)
        table.append([found[joint] for joint in layout.joints])
    return table


def partition_by_loops(layout: Layout) -> np.ndarray:
    """A D^-1 over joints at most one hop apart, divided by distance to the centre."""
    hops = hops_by_search(layout)
    count = len(layout)
    centre = layout.index(layout.center)
    adjacency = [[float(hops[v][w] <= 1) for w in range(count)] for v in range(count)]
    degree = [sum(adjacency[v][w] for v in range(count)) for w in range(count)]
    subsets = np.zeros((3, count, count))
    for w in range(count):
        for v in range(count):
            if not adjacency[v][w]:
                continue
            weight = adjacency[v][w] / degree[w]
            if hops[v][centre] == hops[w][centre]:
                subsets[0, v, w] = weight
            elif hops[v][centre] < hops[w][centre]:
                subsets[1, v, w] = weight
            else:
                subsets[2, v, w] = weight
    return subsets


@pytest.mark.parametrize("name", list_layouts())
def test_hop_distance_equals_a_breadth_first_search(name: str) -> None:
    layout = create_layout(name)
    assert hop_distance(layout).tolist() == hops_by_search(layout)


@pytest.mark.parametrize("name", list_layouts())
def test_the_partition_equals_the_definition_written_as_loops(name: str) -> None:
    layout = create_layout(name)
    found = spatial_partition(layout)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, partition_by_loops(layout), atol=1e-7)


@pytest.mark.parametrize("name", list_layouts())
def test_the_three_subsets_share_out_the_neighbourhood_without_overlap(name: str) -> None:
    layout = create_layout(name)
    subsets = spatial_partition(layout)
    np.testing.assert_allclose(subsets.sum(axis=(0, 1)), 1.0, atol=1e-6)
    assert ((subsets > 0).sum(axis=0) <= 1).all()
    edges = len(layout) + 2 * len(layout.bones)  # itself, and each bone both ways
    assert int((subsets > 0).sum()) == edges


def test_a_wrist_hears_from_the_elbow_as_its_way_to_the_centre_and_from_the_hand_as_outward() -> (
    None
):
    layout = create_layout("ntu25")
    root, inward, outward = spatial_partition(layout)
    elbow, wrist, hand = (layout.index(f"left_{part}") for part in ("elbow", "wrist", "hand"))
    assert root[wrist, wrist] > 0
    assert inward[elbow, wrist] > 0
    assert outward[hand, wrist] > 0
    assert root[elbow, wrist] == outward[elbow, wrist] == 0


def test_a_chain_of_three_gives_the_numbers_worked_out_by_hand() -> None:
    chain = Layout(
        name="chain",
        joints=("a", "b", "c"),
        bones=(("b", "a"), ("c", "b")),
        symmetry=(),
        parts={"torso": ("a", "b", "c")},
        center="a",
    )
    third, half = 1 / 3, 1 / 2
    expected = [
        [[half, 0, 0], [0, third, 0], [0, 0, half]],
        [[0, third, 0], [0, 0, half], [0, 0, 0]],
        [[0, 0, 0], [half, 0, 0], [0, third, 0]],
    ]
    np.testing.assert_allclose(spatial_partition(chain), expected, atol=1e-7)


@pytest.mark.parametrize("name", list_layouts())
def test_the_directed_graph_passes_on_along_bones_and_nowhere_else(name: str) -> None:
    layout = create_layout(name)
    own, inward, outward = directed_partition(layout)
    assert np.array_equal(own, np.eye(len(layout)))
    parents = dict(layout.bones)
    children = {joint: [c for c, p in layout.bones if p == joint] for joint in layout.joints}
    for v, giver in enumerate(layout.joints):
        for w, receiver in enumerate(layout.joints):
            assert inward[v, w] == float(parents.get(giver) == receiver)
            share = 1 / len(children[giver]) if receiver in children[giver] else 0.0
            assert outward[v, w] == pytest.approx(share)
