"""From text as it is written to text as it is spoken: one path for all that is to be said."""
