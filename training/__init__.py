"""How the learned reader's file is made again from labelled items: `make train`. Not installed with the service."""
