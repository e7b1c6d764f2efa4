"""The government-bank integration gateway. See README.md and docs/ for the house plan."""
