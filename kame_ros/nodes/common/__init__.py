"""What all nodes share: parameters, lifecycle, diagnostics, conversion."""
