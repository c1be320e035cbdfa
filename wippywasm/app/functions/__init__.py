"""Functions that entries stand for: workers that run them, and the arity they are called with."""
