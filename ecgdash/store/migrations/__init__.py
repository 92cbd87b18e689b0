"""The history of the schema; run by `ecgdash.store.engine.migrate`."""
