"""Readers of other tools' logs, a module each; `workbench.data.logs` chooses among them."""
