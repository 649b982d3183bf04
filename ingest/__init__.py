"""From files to a searchable index: loaders, chunks, vectors, keyword index, catalog."""
