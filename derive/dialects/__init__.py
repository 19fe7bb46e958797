"""The languages a formula is spelled in: one small class each."""
