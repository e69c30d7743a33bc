"""A chaos run: kills, faults, pushes and damage in any order, and then everything must be right."""
