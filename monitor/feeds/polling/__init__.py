"""When and how a feed is fetched: schedule, agenda, one poll, health, push."""
