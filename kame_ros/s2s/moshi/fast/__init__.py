"""The same model with fewer operations or smaller weights, on a CPU or a GPU."""
