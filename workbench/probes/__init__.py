"""Probes: one file per question, found by name.

`protocol` says what a probe is, `find` finds it, ours and a third party's alike; `calibration` is the first. The private modules
hold its ways to ask (`_calibration_rows`, `_prompts`), to read predictions (`_calibration_read`) and to mend (`_recalibrate`).
"""
