"""Build script of the pack `facts`: fact tables written by hand, and distractors drawn by a stable hash."""
