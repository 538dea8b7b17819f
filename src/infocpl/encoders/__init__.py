"""Skeleton encoders: clips (N, M, T, V, C) to features (N, D)."""
