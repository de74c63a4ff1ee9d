"""Commands about news: articles, events, feeds and leaders."""
