"""`patchops`: one thin command group a room below."""
