"""The board: pages, API and subscriptions over the archive of events.

    topics ──▶ follower ──▶ archive (SQLite) ──▶ pages, api, downloads
                   └──────▶ live (server-sent events)      └─▶ actions ──▶ topics of acks, silences, feedback

The board only reads the other topics, so it can be stopped at any moment without harm to the service. docs/board.md
describes it for its users.
"""
