"""Everything goes wrong at once, and what was acknowledged is counted afterwards (threats.md §9)."""
