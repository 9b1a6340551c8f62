"""One robot as the node that speaks for it sees it."""
