"""Products, credits, licences, and what returns."""
