"""What a change of a stack's settings does to its resources: pairs of graphs, compared by what they mean."""
