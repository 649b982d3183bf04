"""Where the work of an ingest is done: on this machine, or on many. What comes out is the same."""
