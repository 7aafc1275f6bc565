"""What each annotation accepts, as a table that every mode is driven against."""
