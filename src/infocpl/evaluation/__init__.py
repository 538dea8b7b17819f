"""Evaluation: honest selection, ZSL and GZSL protocols, whole experiments and their results."""
