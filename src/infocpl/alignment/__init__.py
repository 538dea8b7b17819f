"""Alignment of clip features with text: InfoCPL and the ridge baseline."""
