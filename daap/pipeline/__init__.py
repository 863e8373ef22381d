"""What happens to a file: land, curate, and the ledger, claims and audit log behind them."""
