"""The graph of nodes as data and as processes: how it is described, started and brought up."""
