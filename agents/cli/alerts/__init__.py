"""Commands about alerts: receivers, deliveries, silences, rehearsal, feedback."""
