"""The node's processes outside its namespaces: what holds them, and what forwards ports into their network."""
