"""Training of the front-end: oracle data, layout of the streams, the small model that ships."""
