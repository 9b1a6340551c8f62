"""From frames that arrive when they like to sound without a gap."""
