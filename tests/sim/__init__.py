"""A simulated world around the listener: chain, nodes, store, people and clock from one seed."""
