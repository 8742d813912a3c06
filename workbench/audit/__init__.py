"""Audits: what can be said about reports beyond each by itself.

`compare` sets two reports of the same examples side by side; `fragility` makes one number under many choices of how
to analyse; `robustness` asks which of several models holds up elsewhere.
"""
