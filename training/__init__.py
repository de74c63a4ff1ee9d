"""Trains the learned reader from labelled items: `make train`. Not installed with the service."""
