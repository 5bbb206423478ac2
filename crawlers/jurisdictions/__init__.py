"""Official sources: one module a jurisdiction, its postal code as name."""
