"""Use cases: what pages and commands call. Services join the layers below; they hold no SQL."""
