"""What the page node reaches in the graph: services, parameters, topics while somebody looks."""
