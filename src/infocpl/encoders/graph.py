"""Graphs of the networks, built from any layout."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from infocpl.skeleton.layout import Layout

__all__ = ["directed_partition", "hop_distance", "spatial_partition"]


def hop_distance(layout: Layout) -> NDArray[np.int64]:
    """Return the (V, V) number of bones between every two joints.

    Examples
    --------
    >>> from infocpl.skeleton.layout import create_layout
    >>> layout = create_layout("ntu25")
    >>> int(hop_distance(layout)[layout.index("head"), layout.index("pelvis")])
    4
    """
    joints = len(layout)
    distance = np.full((joints, joints), joints, dtype=np.int64)
    np.fill_diagonal(distance, 0)
    for child, parent in layout.bones:
        a, b = layout.index(child), layout.index(parent)
        distance[a, b] = distance[b, a] = 1
    for via in range(joints):
        distance = np.minimum(distance, distance[:, via, None] + distance[None, via, :])
    return distance


def spatial_partition(layout: Layout) -> NDArray[np.float32]:
    """Return the (3, V, V) partitioned adjacency of ST-GCN.

    The neighbourhood of a joint (itself and its direct neighbours) is averaged and divided into
    three subsets: the joint and neighbours as far from the centre as itself, neighbours nearer
    to the centre, neighbours further away.
    Entry ``[k, v, w]`` is the weight with which joint v contributes to joint w.

    Source: Yan, Xiong, Lin, "Spatial Temporal Graph Convolutional Networks", AAAI 2018,
    section 3.4.

    Examples
    --------
    >>> from infocpl.skeleton.layout import create_layout
    >>> spatial_partition(create_layout("kinect20")).shape
    (3, 20, 20)
    """
    distance = hop_distance(layout)
    to_centre = distance[layout.index(layout.center)]
    adjacency = (distance <= 1).astype(np.float64)
    # Column w collects messages for joint w; ST-GCN normalises columns.
    adjacency /= adjacency.sum(axis=0, keepdims=True)
    source, target = to_centre[:, None], to_centre[None, :]
    subsets = [source == target, source < target, source > target]
    return np.stack([adjacency * subset for subset in subsets]).astype(np.float32)


def directed_partition(layout: Layout) -> NDArray[np.float32]:
    """Return the (3, V, V) graph of CTR-GCN: the joint itself, its children, its parent.

    Entry ``[k, v, w]`` is the weight with which joint v contributes to joint w. What a joint
    gives away is shared among its receivers: a parent gives each of its children an equal part.

    Source: Chen et al., "Channel-wise Topology Refinement Graph Convolution for Skeleton-Based
    Action Recognition", ICCV 2021, section 4.2 (the spatial configuration of ST-GCN, directed).

    Examples
    --------
    >>> from infocpl.skeleton.layout import create_layout
    >>> directed_partition(create_layout("ntu25")).sum(axis=2)[1].tolist().count(1.0)
    24
    """
    joints = len(layout)
    graph = np.zeros((3, joints, joints))
    graph[0] = np.eye(joints)
    for child, parent in layout.bones:
        graph[1, layout.index(child), layout.index(parent)] = 1
        graph[2, layout.index(parent), layout.index(child)] = 1
    shared: NDArray[np.float64] = graph / np.maximum(graph.sum(axis=2, keepdims=True), 1)
    return shared.astype(np.float32)
