"""Models: what can be asked of them (`verbs`), how they are loaded (`load`), and how they are asked fast (`engine`).

`load` finds the adapter of a target: `language` (causal language models), `masked` (masked ones), `classifiers`, `callables` or
`embedders`. `embedded` and `fit` prepare: a converted copy of the embedded model, a device and dtype in which it fits. Nothing
heavy is imported until then.
"""
