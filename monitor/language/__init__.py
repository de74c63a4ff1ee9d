"""Which language a text is in, and the shared file of the model that tells."""
