"""One file per card: engine data and a small context in, a message or view out. Nothing here does I/O."""
