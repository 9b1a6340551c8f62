"""From text as it is written to text as it is spoken: one path for everything that is to be said."""
