"""The board: pages, API and subscriptions over the archive of events.

    topics ──▶ follower ──▶ archive (SQLite) ──▶ pages, api, downloads
                   └──────▶ live (server-sent events)      └─▶ actions ──▶ topics of acks, silences, feedback

It writes nothing to the service but acknowledgements, silences and feedback, so it can be killed at any moment.
docs/board.md describes it for readers.
"""
