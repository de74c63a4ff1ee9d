"""Commands about alerts: receivers, deliveries, silences, backtest, feedback."""
