"""What readers answer: signed links in messages, the pages behind them, and the records that following one leaves."""
