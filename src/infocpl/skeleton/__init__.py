"""Clips: layouts, the clip record, file formats, maps between layouts, transforms."""
