"""The `vouchers` command line: what an operator sets up and looks after."""
