"""Datasets: what they are, how their classes divide, and their clips on disk and in memory."""

from __future__ import annotations

from infocpl.data.catalog import (
    ClipInfo,
    Dataset,
    Protocol,
    PublishedResult,
    create_dataset,
    find_dataset,
    list_datasets,
    load_dataset,
)
from infocpl.data.convert import convert_dataset
from infocpl.data.convert_features import convert_features, declared_classes
from infocpl.data.division import SplitIndices, split_indices
from infocpl.data.feature_store import EncoderNote, FeatureStore, write_features
from infocpl.data.loading import PreparedClips, prepare_clips
from infocpl.data.opening import is_store, open_store
from infocpl.data.recognise import recognise_datasets
from infocpl.data.splits import Split, create_split, list_splits, load_split
from infocpl.data.store import ClipRecord, ClipStore
from infocpl.data.store_writer import StoreWriter

__all__ = [
    "ClipInfo",
    "ClipRecord",
    "ClipStore",
    "Dataset",
    "EncoderNote",
    "FeatureStore",
    "PreparedClips",
    "Protocol",
    "PublishedResult",
    "Split",
    "SplitIndices",
    "StoreWriter",
    "convert_dataset",
    "convert_features",
    "create_dataset",
    "create_split",
    "declared_classes",
    "find_dataset",
    "is_store",
    "list_datasets",
    "list_splits",
    "load_dataset",
    "load_split",
    "open_store",
    "prepare_clips",
    "recognise_datasets",
    "split_indices",
    "write_features",
]
