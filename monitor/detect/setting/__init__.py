"""The setting of a contact: when, where, at which forum, about what. Pure."""
