"""What the command `kame` can do, one file each."""
