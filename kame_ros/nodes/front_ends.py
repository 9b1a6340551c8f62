"""The front-ends as parameters of the s2s node."""
