"""Which keys, servers, files and folders may be used, and what must not be told."""
