"""How good the answers are: `make quality` asks the engine about pictures whose right answer is known."""
